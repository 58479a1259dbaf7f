import { expect, test } from 'vitest';
import { createAccount } from '../../../sandbox/aws/account.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const FRANKFURT = 'eu-central-1';
const START = Date.UTC(2026, 2, 2, 12);
const REPLICATED = { deployment: { replicaRegions: [FRANKFURT] } };

async function openIn(policy: object) {
  let world: World | undefined;
  const account = createAccount({ now: () => world?.clock.now() ?? START });
  world = await openWorldForTest(policy, { account });
  return { account, world };
}

test('a replica that is asked for and never appears fails a run some day', async () => {
  const { world } = await openIn(policyWith({ telegraf: writer }));
  await world.rotate();
  const later = world.deploy(policyWith({ telegraf: writer }, REPLICATED));
  world.intercept(async (_call, effect) => {
    const reply = await effect();
    const body = String(reply.body).replace(
      /"ReplicationStatus":\[[^\]]*\]/,
      '"ReplicationStatus":[]',
    );
    return { ...reply, body };
  });
  const outcomes: string[] = [];
  let errors = 0;
  for (let hour = 0; hour < 20; hour += 1) {
    await world.wait(HOUR);
    const { error, result } = await later.rotate();
    if (error) errors += 1;
    outcomes.push(
      ...(result?.outcomes ?? []).map(
        (each: { action: { kind: string }; result: string }) =>
          `${each.action.kind} ${each.result}`,
      ),
    );
  }
  console.log(outcomes.length, new Set(outcomes));
  expect(errors).toBeGreaterThan(0);
});

test('after a takeover by another owner, somebody still watches the replicas that the secret has', async () => {
  const { world } = await openIn(policyWith({ telegraf: writer }, REPLICATED));
  await world.rotate();
  const entries = { telegraf: { ...writer, secret: TELEGRAF } };
  const next = world.deploy({ ...policyWith(entries, REPLICATED), owner: 'next' });
  await next.rotate({ tokens: ['telegraf'], takeOver: { by: 'ada', from: 'prod' } });
  const state = world.aws.snapshot();
  const replicas = { [FRANKFURT]: { failure: 'the key is disabled' } };
  const secret = { ...state.secrets[TELEGRAF], replicas } as never;
  world.aws.restore({ ...state, secrets: { ...state.secrets, [TELEGRAF]: secret } });
  await world.wait(2 * HOUR);
  const { error, result } = await next.rotate();
  console.log(JSON.stringify(result?.plan.findings));
  expect(error ?? JSON.stringify(result.plan.findings)).toMatch(/ReplicaFailed/);
});
