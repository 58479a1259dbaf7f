import { expect, test } from 'vitest';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import {
  armed,
  DAY,
  LEARNT,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
  URL,
  type World,
} from '../../builders.ts';

/** A policy that allows no loss, so that every loss is refused. */
const strict = (document: object = {}, entry: object = {}) =>
  policyOf({ limits: { percent: 0, tokens: 0 }, ...document }, entry);

const plan = (world: World, policy = strict(), request: object = {}) =>
  planRotation(policy, observationOf(world), { force: false, ...request }, LEARNT);
const hashesOf = (...of: Parameters<typeof plan>) => plan(...of).refusals.map(({ hash }) => hash);

const gone = { secrets: [secretOf({ AWSCURRENT: 1 })] };

test('gives one refusal one hash, and every other refusal another', () => {
  const cluster = { url: URL, managementToken: 'm' };
  // A golden value: a change of it makes every hash that was printed before approve nothing.
  expect(hashesOf(gone)).toEqual(['23a5c10823eb831a']);
  const hashes = [
    hashesOf(gone),
    hashesOf({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
      tokens: [armed(2)],
    }),
    hashesOf(gone, strict({}, { permissions: { read: ['telemetry'] } })),
    hashesOf(gone, strict({}, { expiresAfter: '120d' })),
    hashesOf(gone, strict({ encryptionKey: 'alias/other' })),
    hashesOf(gone, strict({ cluster: { ...cluster, dataUrl: 'https://data.example.com' } })),
    hashesOf(gone, strict({ owner: 'prod2' }, { secret: TELEGRAF })),
  ].flat();
  expect(new Set(hashes).size).toBe(7);
});

test('what is applied beside a refusal does not change its hash', () => {
  const tokens = {
    telegraf: { permissions: { write: ['telemetry'] } },
    grafana: { permissions: { write: ['telemetry'] } },
  };
  const policy = strict({ tokens });
  const name = 'keyturn/prod/grafana';
  const both = (age: number) => ({
    secrets: [...gone.secrets, secretOf({ AWSCURRENT: 2 }, { name })],
    tokens: [armed(2, { name, age })],
  });
  const beside = plan(both(40 * DAY), policy);
  expect(beside.actions).toHaveLength(2);
  expect(beside.refusals).toMatchObject([{ counted: 1, allowed: 0 }]);
  const [index = -1] = beside.refusals[0]?.actions ?? [];
  expect(beside.actions[index]).toMatchObject({ token: 'telegraf', reason: 'CurrentGone' });
  expect(hashesOf(both(DAY), policy)).toEqual(hashesOf(both(40 * DAY), policy));
});

test('refuses neither what a person asks for by name, nor what is merely due', () => {
  expect(hashesOf(gone)).toHaveLength(1);
  expect(hashesOf(gone, strict(), { force: true, tokens: ['telegraf'] })).toEqual([]);
  expect(hashesOf({ ...gone, tokens: [armed(1, { age: 40 * DAY })] })).toEqual([]);
});
