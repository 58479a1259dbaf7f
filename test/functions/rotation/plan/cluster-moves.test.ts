import { expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import {
  CLUSTER_TAG,
  OWNER_TAG,
  type Secret,
} from '../../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  LEARNT,
  OWNER,
  observationOf,
  policyOf,
  secretOf,
  URL,
} from '../../builders.ts';

const entry = { permissions: { write: ['telemetry'] } };
const NAMES = ['a', 'b', 'c'];
const policy = policyOf({ tokens: Object.fromEntries(NAMES.map((name) => [name, entry])) });
const OLD = 'https://old.example.com';

const secretAt = (n: number, cluster: string, more: Partial<Secret> = {}) =>
  secretOf(
    { AWSCURRENT: n },
    {
      name: `keyturn/prod/${NAMES[n]}`,
      tags: { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: cluster },
      ...more,
    },
  );

/** A plan for one secret in each of these clusters. */
function planAt(
  clusters: readonly string[],
  { age = DAY, more = {}, by = policy }: { age?: number; more?: Partial<Secret>; by?: Policy } = {},
) {
  const secrets = clusters.map((cluster, n) => secretAt(n, cluster, more));
  const tokens = secrets.map(({ name }, n) => armed(n, { name, age }));
  return planRotation(by, observationOf({ secrets, tokens }), { force: false }, LEARNT);
}

const tokenActions = (plan: ReturnType<typeof planAt>) =>
  plan.actions.map(({ kind, token }) => `${kind} ${token}`);
const kept = (plan: ReturnType<typeof planAt>) =>
  plan.refusals.map(({ actions }) => actions.map((index) => tokenActions(plan)[index]));

test('moves every secret of another cluster, due or not, and refuses all its actions at once', () => {
  const young = planAt([OLD, OLD, URL]);
  expect(young.refusals).toEqual([
    {
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      message: `2 secrets have tokens of ${OLD}, and the policy names the cluster ${URL}`,
      actions: [0, 1],
    },
  ]);
  expect(young.actions[0]).toEqual({
    kind: 'move-cluster',
    token: 'a',
    secret: 'keyturn/prod/a',
    from: OLD,
    reason: 'ClusterChanged',
  });
  const due = planAt([OLD, URL, URL], { age: 40 * DAY });
  expect(tokenActions(due).toSorted()).toEqual(['mint a', 'mint b', 'mint c', 'move-cluster a']);
  expect(kept(due)[0]?.toSorted()).toEqual(['mint a', 'move-cluster a']);
});

test('the approval is of the two clusters alone, in whatever state a crash has left the secrets', () => {
  const hashOf = (...of: Parameters<typeof planAt>) => planAt(...of).refusals[0]?.hash;
  const hash = hashOf([OLD, OLD, OLD]);
  expect(hash).toBeDefined();
  expect(hashOf([URL, OLD, OLD], { age: 40 * DAY })).toBe(hash);
  expect(hashOf([OLD])).toBe(hash);
  expect(hashOf(['HTTPS://OLD.example.com:443/'])).toBe(hash);
  const others = 'https://others.example.com';
  expect(hashOf([OLD, others])).not.toBe(hash);
  expect(hashOf([OLD, others])).toBe(hashOf([others, OLD, OLD]));
  const elsewhere = policyOf(
    { cluster: { url: others, managementToken: 'm' } },
    { secret: 'keyturn/prod/a' },
  );
  expect(hashOf([OLD], { by: elsewhere })).not.toBe(hash);
});

test.each([`${URL}:443`, `${URL}/`, URL.toUpperCase()])(
  'takes %s for the same cluster',
  (spelling) => {
    expect(planAt([spelling])).toMatchObject({ refusals: [] });
    expect(tokenActions(planAt([spelling]))).not.toContain('move-cluster a');
  },
);

test.each([{ deletedAt: 1 }, { replica: true }])(
  'plans no move that Secrets Manager would refuse: %j',
  (more) => {
    expect(planAt([OLD], { more, age: 40 * DAY }).refusals).toEqual([]);
  },
);

test('the approval of a move is good for what is gone in the new cluster, which no limit counts besides', () => {
  const none = policyOf({ limits: { percent: 0, tokens: 0 } }, { secret: 'keyturn/prod/a' });
  const plan = planRotation(
    none,
    observationOf({ secrets: [secretAt(0, OLD)] }),
    { force: false },
    LEARNT,
  );
  expect(kept(plan).map((actions) => actions.toSorted())).toEqual([
    ['move-cluster telegraf', 'rotate telegraf'],
  ]);
  expect(plan.refusals.map(({ message }) => message)).toEqual([expect.stringContaining(OLD)]);
});
