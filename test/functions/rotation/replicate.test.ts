import { expect, test } from 'vitest';
import type { ReplicaAction } from '../../../functions/rotation/plan/rotation-action.ts';
import { replicate } from '../../../functions/rotation/replicas.ts';
import { HOLD_TAG } from '../../../functions/secrets-manager/hold.ts';
import type { Replica, Secret } from '../../../functions/secrets-manager/secret.ts';
import { NOW, policyOf, secretOf, TELEGRAF } from '../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF, regions: ['eu-central-1'] };
const missing: ReplicaAction = { ...about, kind: 'replicate', reason: 'ReplicaMissing' };
const failed: ReplicaAction = { ...about, kind: 'replicate', reason: 'ReplicaFailed' };
const there = (status: string): Replica => ({ region: 'eu-central-1', status });

/** @param seen what each description shows, the last one for ever */
async function carryOut(action: ReplicaAction, ...seen: (Partial<Secret> | undefined)[]) {
  let now = NOW;
  const asked: unknown[] = [];
  const secrets = {
    describe() {
      const more = seen.length > 1 ? seen.shift() : seen[0];
      return Promise.resolve(more && secretOf({ AWSCURRENT: 1 }, more));
    },
    replicate(_name: string, places: unknown) {
      asked.push(places);
      return Promise.resolve([there('InProgress')]);
    },
  };
  const policy = { ...policyOf(), replicaRegions: [{ region: 'eu-central-1' }, { region: 'x' }] };
  const tools = {
    ...{ secrets, policy, deadline: NOW + 600_000, now: () => now },
    sleep(ms: number) {
      now += ms;
      return Promise.resolve();
    },
  };
  const result = await replicate(action, (work) => work(), tools as never).catch(String);
  return { result, asked, waitedMs: now - NOW };
}

const skipped = { result: 'skipped', asked: [], waitedMs: 0 };

test.each<[string, ReplicaAction, Partial<Secret> | undefined]>([
  ['the secret is gone', missing, undefined],
  ['a person set a hold', missing, { tags: { ...secretOf().tags, [HOLD_TAG]: 'frozen' } }],
  ['it is scheduled for deletion', missing, { deletedAt: NOW }],
  ['it is a replica itself', missing, { replica: true }],
  ['somebody else replicated it', missing, { replicas: [there('InProgress')] }],
  ['what failed is in sync', failed, { replicas: [there('InSync')] }],
])('nothing is asked for if meanwhile %s', async (_what, action, seen) => {
  expect(await carryOut(action, seen)).toEqual(skipped);
});

test('only the Region that lacks a replica is asked for, and one that takes its time is left to later runs', async () => {
  expect(await carryOut(missing, {}, { replicas: [there('InProgress')] })).toEqual({
    result: 'done',
    asked: [[{ region: 'eu-central-1' }]],
    waitedMs: 30_000,
  });
});

test('one that fails while the run waits fails the run', async () => {
  const { result, waitedMs } = await carryOut(missing, {}, { replicas: [there('Failed')] });
  expect(result).toMatch(/^ReplicaError: .*\(eu-central-1: Failed\)/);
  expect(waitedMs).toBe(10_000);
});

test('one that failed before and that no read shows any more is not taken for one in sync', async () => {
  const { result } = await carryOut(failed, { replicas: [there('Failed')] }, {});
  expect(result).toMatch(/^ReplicaError: .*\(eu-central-1: no status\)/);
});
