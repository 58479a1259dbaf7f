import { expect, test } from 'vitest';
import { planReaping } from '../../../functions/reaping/plan/plan-reaping.ts';
import { planRotation } from '../../../functions/rotation/plan/plan-rotation.ts';
import { CLUSTER_TAG, OWNER_TAG } from '../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  inert,
  LEARNT,
  NOW,
  OWNER,
  observationOf,
  policyOf,
  secretOf,
  type World,
} from '../builders.ts';
import { applied } from './model-of-both.ts';

const names = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
const nameOf = (n: number) => `keyturn/prod/t${n}`;
const entry = { permissions: { write: ['telemetry'] }, rotateEvery: '30d' };

const fleetPolicy = (count: number, document: object = {}) =>
  policyOf({ tokens: Object.fromEntries(names(count).map((name) => [name, entry])), ...document });

const fleet = (count: number, age: number) => ({
  secrets: names(count).map((_, n) => secretOf({ AWSCURRENT: n }, { name: nameOf(n) })),
  tokens: names(count).map((_, n) => armed(n, { name: nameOf(n), age })),
  at: NOW,
});

const rotate = (world: World, policy: ReturnType<typeof policyOf>) =>
  planRotation(policy, observationOf(world), { force: false }, LEARNT);
const reap = (world: World, policy: ReturnType<typeof policyOf>) =>
  planReaping(policy, observationOf(world));

test('lets a wave of a thousand tokens rotate at once and be retired later', () => {
  const policy = fleetPolicy(1_000);
  // Nobody has saved a secret by hand.
  let world: World & { at: number } = { ...fleet(1_000, 30 * DAY), versionTimes: {} };
  const seen: Record<string, number> = {};
  for (const hours of [0, 1, 25, 26, 49, 50, 217, 218, 300]) {
    world = { ...world, at: NOW + hours * HOUR };
    for (const plan of [rotate(world, policy), reap(world, policy)]) {
      expect([...plan.limits, ...plan.refusals]).toEqual([]);
      for (const { kind } of plan.actions) seen[kind] = (seen[kind] ?? 0) + 1;
      world = { ...applied(world, plan, policy), at: world.at };
    }
  }
  expect(seen).toEqual({
    mint: 1_000,
    resume: 1_000,
    fence: 1_000,
    quarantine: 1_000,
    delete: 1_000,
  });
  expect(world.tokens?.length).toBe(1_000);
});

test('refuses to replace more tokens for being gone than 30 % of what is left, or three', () => {
  const policy = fleetPolicy(20);
  const { secrets, tokens } = fleet(20, DAY);
  const without = (gone: number) => rotate({ secrets, tokens: tokens.slice(gone) }, policy);
  expect(without(4)).toMatchObject({ limits: [{ counted: 4, allowed: 4 }], refusals: [] });
  expect(without(5)).toMatchObject({
    limits: [],
    refusals: [
      {
        message: '5 tokens would be replaced because they are gone; the limit is 4',
        counted: 5,
        allowed: 4,
        actions: [0, 1, 2, 3, 4],
      },
    ],
  });
});

test('refuses a cluster that knows none of the current tokens', () => {
  const policy = fleetPolicy(4);
  const { secrets } = fleet(4, DAY);
  expect(rotate({ secrets }, policy)).toMatchObject({ refusals: [{ counted: 4, allowed: 3 }] });
  expect(reap({ secrets }, policy).actions).toEqual([]);
});

test('refuses a restored catalog, which brought old tokens back and lost the current ones', () => {
  const policy = fleetPolicy(10);
  const secrets = names(10).map((_, n) => secretOf({ AWSCURRENT: 100 + n }, { name: nameOf(n) }));
  const tokens = names(10).map((_, n) => armed(n, { name: nameOf(n), age: 40 * DAY }));
  const world = { secrets, tokens, at: NOW };
  expect(rotate(world, policy).refusals).toMatchObject([{ counted: 10 }]);
  // None of what came back is touched while nothing better is proven.
  let later: World & { at: number } = world;
  for (const day of [0, 1, 2, 3, 10, 20]) {
    later = { ...later, at: NOW + day * DAY };
    const plan = reap(later, policy);
    expect(plan.actions).toEqual([]);
    later = { ...applied(later, plan, policy), at: later.at };
  }
  expect(later.tokens).toHaveLength(10);
});

test('takes 0 for none', () => {
  const policy = fleetPolicy(2, { limits: { percent: 0, tokens: 0 } });
  const { secrets, tokens } = fleet(2, DAY);
  const plan = rotate({ secrets, tokens: tokens.slice(1) }, policy);
  expect(plan.refusals).toMatchObject([{ counted: 1, allowed: 0 }]);
  expect(rotate({ secrets, tokens }, policy).refusals).toEqual([]);
});

test('counts expired tokens that leave nobody a working one, and no orphans', () => {
  const policy = fleetPolicy(5);
  const secrets = names(5).map((_, n) => secretOf({}, { name: nameOf(n) }));
  const expired = names(5).map((_, n) => armed(n, { name: nameOf(n), age: 90 * DAY }));
  expect(reap({ secrets, tokens: expired }, policy)).toMatchObject({
    refusals: [
      {
        message: '5 tokens would be taken away without a proven successor; the limit is 3',
        counted: 5,
        allowed: 3,
      },
    ],
  });
  const marker = { superseded: NOW - DAY };
  const orphans = names(5).map((_, n) => inert(n, { name: nameOf(n), age: 2 * DAY, marker }));
  const harmless = reap({ secrets, tokens: orphans }, policy);
  expect(harmless.actions).toHaveLength(5);
  expect([...harmless.limits, ...harmless.refusals]).toEqual([]);
});

test('counts expired tokens of others by themselves, against all tokens of others', () => {
  const policy = fleetPolicy(5, { expiredForeignTokens: 'delete' });
  const of = (total: number, expired: number) =>
    Array.from({ length: total }, (_, n) =>
      foreign(100 + n, { expiresAt: n < expired ? NOW - 1 : NOW + DAY }),
    );
  const { secrets, tokens } = fleet(5, DAY);
  const plan = (total: number, expired: number, ours = tokens) =>
    reap({ secrets, tokens: [...ours, ...of(total, expired)] }, policy);
  expect(plan(20, 6)).toMatchObject({ limits: [{ counted: 6, allowed: 6 }], refusals: [] });
  expect(plan(20, 7)).toMatchObject({
    refusals: [
      { message: '7 expired tokens of others would be deleted; the limit is 6', allowed: 6 },
    ],
  });
  expect(plan(3, 3)).toMatchObject({ limits: [{ counted: 3, allowed: 3 }], refusals: [] });

  // Neither kind uses up what the other may take.
  const unproven = names(3).map((_, n) => armed(n, { name: nameOf(n), age: 90 * DAY }));
  const unlabelled = secrets.map((each) => ({ ...each, labels: {} }));
  const both = reap({ secrets: unlabelled, tokens: [...unproven, ...of(3, 3)] }, policy);
  expect(both.limits).toMatchObject([{ counted: 3 }, { counted: 3 }]);
  expect(both.refusals).toEqual([]);
});

test('reap leaves alone what is of another cluster, and says so', () => {
  const tags = { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: 'https://old.example.com' };
  const secrets = [secretOf({}, { tags }), secretOf({}, { name: nameOf(1), tags })];
  const plan = reap(
    { secrets, tokens: [armed(1, { age: 90 * DAY })] },
    policyOf({ onRemoval: 'retire' }),
  );
  expect(plan.actions).toEqual([]);
  expect(plan.findings.filter(({ kind }) => kind === 'OtherCluster')).toEqual([
    {
      kind: 'OtherCluster',
      secret: 'keyturn/prod/t1',
      message:
        'its tokens are of https://old.example.com; they are left alone, because no entry of the policy names it',
    },
    {
      kind: 'OtherCluster',
      secret: 'keyturn/prod/telegraf',
      message:
        'its tokens are of https://old.example.com; they wait until the plan of rotate that moves them is approved',
    },
  ]);
});
