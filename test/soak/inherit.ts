import { HOUR } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import type { createOracles } from './oracles.ts';
import type { LifePlan } from './plan.ts';
import { type Inherited, secretOf, usesOf } from './policies.ts';

const VALUES: Readonly<Record<string, (token: string) => object>> = {
  token: (token) => ({ host: 'influx', port: 8181, token }),
  'db.token': (token) => ({ host: 'influx', db: { retries: 3, token } }),
};

/** People make the tokens and the secrets that entries take over. */
export async function inherit(
  { people, clock }: World,
  { history }: Pick<ReturnType<typeof createOracles>, 'history'>,
  plan: LifePlan,
): Promise<Inherited> {
  const { adopted = [] } = plan;
  const ids = new Map<number, string>();
  for (const { token, key } of adopted) {
    const permissions = [{ action: usesOf(plan, token), resource: 'metrics' }];
    const made = await people.mint({ description: 'made by hand', permissions });
    // It will be ours.
    delete history.foreign[made.id];
    const json = VALUES[key ?? '']?.(made.accessToken);
    await people.createSecret(secretOf(token), json ? JSON.stringify(json) : made.accessToken);
    ids.set(token, made.id);
  }
  // Older than the policy, so all routers know them.
  if (ids.size > 0) await clock.sleep(HOUR);
  return ids;
}
