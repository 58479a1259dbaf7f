import { expect, test } from 'vitest';
import { planReaping } from '../../../functions/reaping/plan/plan-reaping.ts';
import { planRotation } from '../../../functions/rotation/plan/plan-rotation.ts';
import { CLUSTER_TAG, OWNER_TAG } from '../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  HOUR,
  inert,
  NOW,
  OWNER,
  observationOf,
  policyOf,
  secretOf,
  URL,
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
  planRotation(policy, observationOf(world), { force: false });
const reap = (world: World, policy: ReturnType<typeof policyOf>) =>
  planReaping(policy, observationOf(world));

test('lets a wave of a thousand tokens rotate at once and be retired later', () => {
  const policy = fleetPolicy(1_000);
  let world: World & { at: number } = fleet(1_000, 30 * DAY);
  const seen: Record<string, number> = {};
  for (const hours of [0, 1, 24, 25, 48, 49, 216, 217, 300]) {
    world = { ...world, at: NOW + hours * HOUR };
    for (const plan of [rotate(world, policy), reap(world, policy)]) {
      expect(plan.limit).toEqual({ counted: 0, allowed: expect.any(Number) });
      expect(plan.refusal).toBeUndefined();
      for (const { kind } of plan.actions) seen[kind] = (seen[kind] ?? 0) + 1;
      world = { ...applied(world, plan, policy), at: world.at };
    }
  }
  expect(seen).toEqual({ rotate: 1_000, fence: 1_000, quarantine: 1_000, delete: 1_000 });
  expect(world.tokens?.length).toBe(1_000);
});

test('refuses to replace more tokens for being gone than 30 % of what is left, or three', () => {
  const policy = fleetPolicy(20);
  const { secrets, tokens } = fleet(20, DAY);
  const without = (gone: number) => rotate({ secrets, tokens: tokens.slice(gone) }, policy);
  expect(without(4)).toMatchObject({ limit: { counted: 4, allowed: 4 } });
  expect(without(4).refusal).toBeUndefined();
  expect(without(5).refusal).toBe(
    '5 tokens would be taken away without a proven successor, or replaced because they are gone; the limit is 4',
  );
});

test('refuses a cluster that knows none of the current tokens', () => {
  const policy = fleetPolicy(4);
  const { secrets } = fleet(4, DAY);
  expect(rotate({ secrets }, policy)).toMatchObject({
    limit: { counted: 4, allowed: 3 },
    refusal: expect.stringContaining('the limit is 3'),
  });
  expect(reap({ secrets }, policy).actions).toEqual([]);
});

test('refuses a restored catalog, which brought old tokens back and lost the current ones', () => {
  const policy = fleetPolicy(10);
  const secrets = names(10).map((_, n) => secretOf({ AWSCURRENT: 100 + n }, { name: nameOf(n) }));
  const tokens = names(10).map((_, n) => armed(n, { name: nameOf(n), age: 40 * DAY }));
  const world = { secrets, tokens, at: NOW };
  expect(rotate(world, policy).refusal).toBeDefined();
  // What came back is marked, and none of it goes while nothing better is proven.
  let later: World & { at: number } = world;
  for (const day of [0, 1, 2, 3, 10, 20]) {
    later = { ...later, at: NOW + day * DAY };
    const plan = reap(later, policy);
    expect(plan.actions.filter(({ kind }) => kind !== 'supersede' && kind !== 'fence')).toEqual([]);
    later = { ...applied(later, plan, policy), at: later.at };
  }
  expect(later.tokens).toHaveLength(10);
});

test('takes 0 for none', () => {
  const policy = fleetPolicy(2, { limits: { percent: 0, tokens: 0 } });
  const { secrets, tokens } = fleet(2, DAY);
  const plan = rotate({ secrets, tokens: tokens.slice(1) }, policy);
  expect(plan.limit).toEqual({ counted: 1, allowed: 0 });
  expect(plan.refusal).toBeDefined();
  expect(rotate({ secrets, tokens }, policy).refusal).toBeUndefined();
});

test('counts expired tokens that leave nobody a working one, and no orphans', () => {
  const policy = fleetPolicy(5);
  const secrets = names(5).map((_, n) => secretOf({}, { name: nameOf(n) }));
  const expired = names(5).map((_, n) => armed(n, { name: nameOf(n), age: 90 * DAY }));
  expect(reap({ secrets, tokens: expired }, policy)).toMatchObject({
    limit: { counted: 5, allowed: 3 },
    refusal: expect.any(String),
  });
  const marker = { superseded: NOW - DAY };
  const orphans = names(5).map((_, n) => inert(n, { name: nameOf(n), age: 2 * DAY, marker }));
  expect(reap({ secrets, tokens: orphans }, policy)).toMatchObject({
    limit: { counted: 0, allowed: 3 },
  });
});

test('refuses tokens of another cluster than the policy names, if there is anything to do', () => {
  const policy = policyOf();
  const tags = { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: 'https://old.example.com' };
  const secrets = [secretOf({ AWSCURRENT: 1 }, { tags })];
  const young = { secrets, tokens: [armed(1)] };
  expect(rotate(young, policy).refusal).toBeUndefined();
  const due = { secrets, tokens: [armed(1, { age: 30 * DAY })] };
  expect(rotate(due, policy).refusal).toBe(
    `1 secrets (keyturn/prod/telegraf, …) hold tokens of another cluster than ${URL}`,
  );
});
