import { expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { CLUSTER_TAG, OWNER_TAG } from '../../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  LEARNT,
  OWNER,
  observationOf,
  policyOf,
  secretOf,
  URL,
  type World,
} from '../../builders.ts';

const plan = (world: World, policy: Policy = policyOf(), request: object = {}) =>
  planRotation(policy, observationOf(world), { force: false, ...request }, LEARNT);

test('gives one plan one hash, and every other plan another', () => {
  const first = plan({});
  expect(first.hash).toBe('6ec7ea2f3328d347');
  expect(plan({}).hash).toBe(first.hash);
  const hashes = [
    plan({ secrets: [secretOf({ AWSCURRENT: 1 })] }).hash,
    plan({}, policyOf({ owner: 'prod2' })).hash,
    plan({}, policyOf({ cluster: { url: `${URL}:8086`, managementToken: 'm' } })).hash,
  ];
  expect(new Set([first.hash, ...hashes]).size).toBe(4);
  expect(first.owner).toBe(OWNER);
});

test('an approval fits no plan that would do something else', () => {
  const gone = { secrets: [secretOf({ AWSCURRENT: 1 })] };
  const forced = { force: true, tokens: ['telegraf'] };
  const old = { ...gone, tokens: [armed(1, { age: 40 * DAY })] };
  const wider = policyOf({}, { permissions: { read: ['telemetry'], write: ['telemetry'] } });
  const longer = policyOf({}, { expiresAfter: '120d' });
  const hashes = [
    plan(gone).hash,
    plan(gone, policyOf(), forced).hash,
    plan(old).hash,
    plan(gone, wider).hash,
    plan(gone, longer).hash,
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  const widened = { secrets: gone.secrets, tokens: [armed(1, { age: DAY })] };
  const widest = policyOf({}, { permissions: { read: ['*'], write: ['*'] } });
  expect(plan(widened, wider)).toMatchObject({ actions: [{ kind: 'widen' }] });
  expect(plan(widened, wider).hash).not.toBe(plan(widened, widest).hash);
});

test('a plan that is refused for its cluster says as well that it is over its limit', () => {
  const elsewhere = { tags: { [OWNER_TAG]: OWNER, [CLUSTER_TAG]: 'https://other.example.com' } };
  const none = policyOf({ limits: { percent: 0, tokens: 0 } });
  const refused = plan({ secrets: [secretOf({ AWSCURRENT: 1 }, elsewhere)] }, none);
  expect(refused.refusal).toMatch(
    /of another cluster than .*; 1 tokens would be taken away.*limit is 0$/,
  );
});

test('a plan keeps its hash when the policy changes what it does not do', () => {
  const due = armed(1, { age: DAY });
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
    tokens: [due, armed(2, { age: DAY })],
  };
  const detaching = plan(world);
  expect(detaching).toMatchObject({ actions: [{ kind: 'detach-pending' }] });
  expect(plan(world, policyOf({}, { expiresAfter: '120d' })).hash).toBe(detaching.hash);
  const elsewhere = { url: URL, dataUrl: 'https://data.example.com', managementToken: 'm' };
  const gone = { secrets: [secretOf({ AWSCURRENT: 1 })] };
  expect(plan(gone, policyOf({ cluster: elsewhere })).hash).not.toBe(plan(gone).hash);
});
