import { OWNER } from '../crash/policy.ts';
import { holdOf } from '../crash/view.ts';
import type { Deployment, World } from '../world/world.ts';
import type { createOracles } from './oracles.ts';

interface Troubled {
  readonly secret: string;
  /** Whether there still is something to do. */
  readonly isTroubled: () => boolean;
}

/** Does what the runbook says with a secret that an alarm names, or that somebody holds. Returns what failed. */
export async function mend(
  { people, cluster }: World,
  deployment: Deployment,
  oracles: Pick<ReturnType<typeof createOracles>, 'view' | 'asksFor'>,
  { secret, isTroubled }: Troubled,
): Promise<readonly string[]> {
  const failed: string[] = [];
  const note = ({ error }: { readonly error?: { readonly errorMessage: string } }) => {
    if (error) failed.push(`${secret}: ${error.errorMessage.slice(0, 150)}`);
  };
  const order = async (way: string) =>
    note(await deployment.revoke({ way, secret, reason: 'calm' }));
  const { view } = oracles;
  const seen = view().secrets.get(secret);
  if (seen?.isDeleted) await people.restoreSecret(secret);
  if (seen && seen.tags['keyturn:owner'] === undefined) {
    const tags = { 'keyturn:owner': OWNER, 'keyturn:cluster': cluster.url };
    await people.tag(secret, { ...tags, ...seen.tags });
  }
  // One may stand behind the other.
  for (const way of ['lift', 'unfreeze', 'lift'])
    if (holdOf(view().secrets.get(secret))) await order(way);
  const event = { tokens: [secret.split('/').at(-1)], force: true };
  note(await oracles.asksFor(secret, () => deployment.rotate(event)));
  // What a person stripped, `rotate` leaves to people.
  if (isTroubled()) await order('replace');
  return failed;
}
