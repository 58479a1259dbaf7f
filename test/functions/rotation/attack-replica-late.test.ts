import { expect, test } from 'vitest';
import { createAccount } from '../../../sandbox/aws/account.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const START = Date.UTC(2026, 2, 2, 12);

/** The alarm "A function failed" needs two failures within three firings (docs/runbook.md). */
test.each([
  ['1h', '40m'],
  ['2h', '1h'],
  ['3h', '1h'],
])('a replica that is never in sync rings where tokens rotate every %s', async (rotateEvery, gracePeriod) => {
  let world: World | undefined;
  const account = createAccount({ now: () => world?.clock.now() ?? START });
  const policy = policyWith(
    { telegraf: { ...writer, rotateEvery, gracePeriod, expiresAfter: '2d', renewBefore: '4h' } },
    { allowGracePeriodUnderAnHour: true, deployment: { replicaRegions: ['eu-central-1'] } },
  );
  world = await openWorldForTest(policy, { account });
  await world.rotate();
  world.intercept(async (_call, effect) => {
    const reply = await effect();
    const body = String(reply.body).replaceAll('"Status":"InSync"', '"Status":"InProgress"');
    return { ...reply, body };
  });
  const failed: boolean[] = [];
  for (let run = 0; run < 96; run += 1) {
    await world.wait(30 * MINUTE);
    failed.push((await world.rotate()).error !== undefined);
    if (run % 2 === 0) await world.reap();
  }
  const rings = failed.filter((_each, at) => failed.slice(at, at + 3).filter(Boolean).length >= 2);
  console.log('A', rotateEvery, 'failed', failed.filter(Boolean).length, 'of', failed.length, 'rings', rings.length);
  expect(rings.length).toBeGreaterThan(0);
});
