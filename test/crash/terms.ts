import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { entryOf } from '../../functions/policy/policy.ts';
import type { Permission } from '../../sandbox/cluster/state.ts';
import type { World } from '../world/world.ts';

/** What the checks know of the policy that is deployed, and the data plane's word on a token string. */
export interface Terms {
  readonly gracePeriod: number;
  readonly limits: { readonly percent: number; readonly tokens: number };
  /** The secrets that its entries name. */
  readonly listed: readonly string[];
  /** Those of them that it makes itself, because no entry takes over what others made. */
  readonly made: readonly string[];
  /** What the entry of a secret grants. Undefined: none names it. */
  grantsOf(secret: string | undefined): readonly Permission[] | undefined;
  /** Those of them in whose values the string is under a key, and everything else is people's. */
  readonly keyed: readonly string[];
  /** Its entry left the policy, which says that its tokens are to be retired. */
  isRetired(secret: string): boolean;
  /** Expired tokens of others are to be deleted. */
  readonly deletesExpired: boolean;
  /** Whether every router lets it do all of that now. */
  accepts(string: string | undefined, permissions: readonly Permission[]): boolean;
  /** By when the last router has heard that something was taken, in milliseconds. */
  heardWithin(): number;
  /** By when reads of the Management API show what was done, in milliseconds. */
  shownWithin(): number;
}

export function termsOf(
  declared: object,
  { accepts, cluster }: Pick<World, 'accepts' | 'cluster'>,
): Terms {
  // What only the deployment reads, no function gets.
  const { deployment: _, ...document } = { deployment: undefined, ...declared };
  const policy = parsePolicy(document);
  return {
    gracePeriod: policy.defaults.gracePeriod,
    limits: policy.limits,
    listed: policy.tokens.map(({ secret }) => secret),
    made: policy.tokens.flatMap(({ secret, adopt }) => (adopt ? [] : [secret])),
    grantsOf: (secret = '') => entryOf(policy, secret)?.permissions,
    keyed: policy.tokens.flatMap(({ secret, adopt }) => (adopt?.key === undefined ? [] : [secret])),
    deletesExpired: policy.expiredForeignTokens === 'delete',
    isRetired: (secret) => policy.onRemoval === 'retire' && entryOf(policy, secret) === undefined,
    accepts: (string = '', permissions) =>
      permissions.every(({ action, resource }) =>
        accepts(string, action === 'read' ? 'read' : 'write', resource),
      ),
    heardWithin: () => cluster.routers.spreadMs + cluster.revocationDelayMs,
    shownWithin: () => cluster.manners.lagMs ?? 0,
  };
}
