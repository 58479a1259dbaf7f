import type { IdentityProvider } from '../../../sandbox/identity-provider/server.ts';
import { openWorldForTest, type WorldOptions } from '../../world/open-world.ts';
import type { World } from '../../world/world.ts';

/** A world whose cluster knows an identity provider, and whose policy names a client of it. */
export async function openOAuthWorld(
  policy: object,
  options: WorldOptions = {},
): Promise<World & { readonly identityProvider: IdentityProvider }> {
  const world = await openWorldForTest(policy, { ...options, withIdentityProvider: true });
  const { identityProvider } = world;
  if (!identityProvider) throw new Error('the world has no identity provider');
  return Object.assign(world, { identityProvider });
}

/** What a policy of that world says of its cluster, with more or other keys for the client. */
export const oauthCluster = ({ policy }: World, client: object) => {
  const { cluster } = policy as { readonly cluster: { readonly oauth: object } };
  return { ...cluster, oauth: { ...cluster.oauth, ...client } };
};
