import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import type { Described } from '../../../../functions/rotation/plan/plan-replicas.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import {
  ADOPTED_TAG,
  type Replica,
  type Secret,
} from '../../../../functions/secrets-manager/secret.ts';
import {
  armed,
  HOUR,
  id,
  LEARNT,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
} from '../../builders.ts';

const FRANKFURT = { region: 'eu-central-1', encryptionKey: 'alias/tokens' };
const STOCKHOLM = { region: 'eu-north-1' };
const about = { token: 'telegraf', secret: TELEGRAF };

const replicating = (regions: Policy['replicaRegions'], entry: object = {}): Policy => ({
  ...policyOf({}, entry),
  replicaRegions: regions,
});
const policy = replicating([STOCKHOLM, FRANKFURT]);

const described = (replicas: readonly Replica[], changedAt = NOW - MINUTE): Described => ({
  changedAt,
  ...(replicas.length > 0 && { replicas }),
});
const inSync = (region: string): Replica => ({
  region,
  status: 'InSync',
  ...(region === FRANKFURT.region && { key: FRANKFURT.encryptionKey }),
});

function plan(
  found: Described | undefined,
  {
    by = policy,
    secret = {},
    request = {},
  }: { by?: Policy; secret?: Partial<Secret>; request?: object } = {},
) {
  const { name = TELEGRAF } = secret;
  const world = { secrets: [secretOf({ AWSCURRENT: 1 }, secret)], tokens: [armed(1, { name })] };
  const replicas = found && new Map([[name, found]]);
  const { actions, findings } = planRotation(
    by,
    observationOf(world),
    { force: false, ...request },
    { ...LEARNT, ...(replicas && { replicas }) },
  );
  return { actions, said: findings.map(({ kind, message }) => `${kind}: ${message}`) };
}
const nothing = { actions: [], said: [] };

test('a secret lacks the replicas of a Region that the policy names, in an order that does not change', () => {
  const action = { ...about, kind: 'replicate', reason: 'ReplicaMissing' };
  expect(plan(described([])).actions).toEqual([
    { ...action, regions: ['eu-central-1', 'eu-north-1'] },
  ]);
  expect(plan(described([inSync('eu-central-1')]))).toEqual({
    ...nothing,
    actions: [{ ...action, regions: ['eu-north-1'] }],
  });
});

test('nothing is done where every replica is in sync, and where nobody looked', () => {
  expect(plan(described([inSync('eu-central-1'), inSync('eu-north-1')], NOW - 9 * HOUR))).toEqual(
    nothing,
  );
  expect(plan(undefined)).toEqual(nothing);
  expect(plan(described([inSync('eu-central-1')]), { by: policyOf() })).toEqual(nothing);
});

test('a failed replica is told with its reason and what to do, and is tried again', () => {
  const broken = { region: 'eu-north-1', status: 'Failed', message: 'no key there' };
  expect(plan(described([inSync('eu-central-1'), broken]))).toEqual({
    actions: [{ ...about, kind: 'replicate', reason: 'ReplicaFailed', regions: ['eu-north-1'] }],
    said: [
      expect.stringMatching(
        /^ReplicaFailed: its replica in eu-north-1 failed: no key there; consumers there are refused .*overwrites nothing/,
      ),
    ],
  });
});

test('one that is under way is late an hour after the secret was changed', () => {
  const slow = [inSync('eu-central-1'), { region: 'eu-north-1', status: 'InProgress' }];
  expect(plan(described(slow, NOW - HOUR + 1))).toEqual(nothing);
  expect(plan(described(slow, NOW - HOUR))).toEqual({
    actions: [{ ...about, kind: 'check-replicas', reason: 'ReplicaLate', regions: ['eu-north-1'] }],
    said: [expect.stringMatching(/^ReplicaLate: its replica in eu-north-1 is InProgress an hour/)],
  });
});

test('a replica of a Region that left the policy stays, and is told', () => {
  const found = described([inSync('eu-central-1'), inSync('eu-west-2')]);
  const said = [
    expect.stringMatching(
      /^ReplicaUndeclared: .* eu-west-2 .*--secret-id keyturn\/prod\/telegraf --remove-replica-regions eu-west-2$/,
    ),
  ];
  expect(plan(found, { by: replicating([FRANKFURT]) })).toEqual({ actions: [], said });
  const none = plan(found, { by: replicating([]) });
  expect(none.actions).toEqual([]);
  expect(none.said).toHaveLength(2);
});

const ARN = 'arn:aws:kms:eu-north-1:111122223333';
const [ONE, TWO] = ['0a1b2c3d-0000-4000-8000-000000000001', '0a1b2c3d-0000-4000-8000-000000000002'];

describe('a replica under another key than the policy names', () => {
  const said = (named: string | undefined, key: string | undefined, status = 'InSync') => {
    const place = { ...STOCKHOLM, ...(named !== undefined && { encryptionKey: named }) };
    const replica = { ...STOCKHOLM, status, ...(key !== undefined && { key }) };
    return plan(described([replica]), { by: replicating([place]) });
  };

  test.each([
    ['the alias changed', 'alias/new', 'alias/old'],
    ['the key changed', `${ARN}:key/${ONE}`, `${ARN}:key/${TWO}`],
    ['AWS says the id alone', `${ARN}:key/${ONE}`, TWO],
    ['AWS says the ARN of an alias', 'alias/new', `${ARN}:alias/old`],
    ['a key is named for one under the key of AWS', 'alias/new', 'alias/aws/secretsmanager'],
    ['of which AWS may say nothing', `${ARN}:key/${ONE}`, undefined],
    ['none is named any more', undefined, `${ARN}:key/${ONE}`],
  ])('is told with how it gets that, and stays: %s', (_why, named, key) => {
    expect(said(named, key)).toEqual({
      actions: [],
      said: [
        expect.stringMatching(
          /^ReplicaKeyDiffers: its replica in eu-north-1 is under .*--secret-id keyturn\/prod\/telegraf --remove-replica-regions eu-north-1$/,
        ),
      ],
    });
  });

  test('is not taken for one under another key for sure, where both are aliases', () => {
    const mayBeOne = 'both may be one key: ';
    expect(String(said('alias/new', 'alias/old').said)).toContain(mayBeOne);
    expect(String(said('alias/new', 'alias/aws/secretsmanager').said)).not.toContain(mayBeOne);
    expect(String(said(`${ARN}:key/${ONE}`, TWO).said)).not.toContain(mayBeOne);
  });

  test.each([
    ['the same alias', 'alias/new', 'alias/new'],
    ['the same alias as an ARN', 'alias/new', `${ARN}:alias/new`],
    ['the same key by its id', `${ARN}:key/${ONE}`, ONE],
    ['none, and the key of AWS', undefined, 'alias/aws/secretsmanager'],
    ['none, and AWS says nothing', undefined, undefined],
    ['an alias, whose key nobody knows', 'alias/new', `${ARN}:key/${ONE}`],
    ['a key, whose aliases nobody knows', `${ARN}:key/${ONE}`, 'alias/old'],
  ])('is not what it is under: %s', (_why, named, key) => {
    expect(said(named, key)).toEqual(nothing);
  });

  test('is nothing to tell of one that failed: it is made again with the key that the policy names', () => {
    expect(said('alias/new', 'alias/old', 'Failed').said).toEqual([
      expect.stringMatching(/^ReplicaFailed/),
    ]);
  });
});

test('that nobody could look is told, and nothing is done', () => {
  expect(plan({ unreadable: 'AccessDenied' })).toEqual({
    actions: [],
    said: [expect.stringMatching(/^ReplicasUnknown: .*AccessDenied$/)],
  });
});

describe('what Keyturn did not make is not replicated, and said to be so', () => {
  const said = [expect.stringMatching(/^NotReplicated: /)];
  test.each<[string, Policy, Partial<Secret>]>([
    [
      'a secret that the policy names',
      replicating([FRANKFURT], { secret: 'monitoring/telegraf' }),
      { name: 'monitoring/telegraf' },
    ],
    [
      'an adopted one, by its tag',
      policy,
      { tags: { ...secretOf().tags, [ADOPTED_TAG]: `${id(9)} since 2026` } },
    ],
  ])('%s', (_name, by, secret) => {
    expect(plan(described([]), { by, secret })).toEqual({ actions: [], said });
  });

  const by = replicating([FRANKFURT, STOCKHOLM], { secret: 'monitoring/telegraf' });
  const secret = { name: 'monitoring/telegraf' };
  const failed = { region: 'eu-central-1', status: 'Failed', message: 'no key' };
  const elsewhere = { region: 'eu-south-1', status: 'InProgress' };

  test('but the replicas that it has are watched, whoever made them, and only the others are said to lack', () => {
    expect(plan(described([inSync('eu-central-1'), inSync('eu-north-1')]), { by, secret })).toEqual(
      nothing,
    );
    const found = plan(described([failed, elsewhere], NOW - HOUR), { by, secret });
    expect(found.actions).toMatchObject([
      { kind: 'check-replicas', reason: 'ReplicaFailed', regions: ['eu-central-1'] },
      { kind: 'check-replicas', reason: 'ReplicaLate', regions: ['eu-south-1'] },
    ]);
    expect(found.said).toEqual([
      expect.stringMatching(
        /^NotReplicated: .* eu-north-1: .*eu-central-1, eu-south-1 is watched$/,
      ),
      expect.stringMatching(/^ReplicaFailed: .*no key; .*does not try it again/),
      expect.stringMatching(/^ReplicaLate: .*eu-south-1/),
    ]);
  });

  test('and not where no Region is named', () => {
    const by = replicating([], { secret: 'monitoring/telegraf' });
    expect(plan(described([]), { by, secret: { name: 'monitoring/telegraf' } })).toEqual(nothing);
  });
});

test.each<Partial<Secret>>([
  { tags: { ...secretOf().tags, [HOLD_TAG]: 'x' } },
  { deletedAt: NOW },
  { replica: true },
])('nothing is replicated that must not be written: %o', (secret) => {
  expect(plan(described([]), { secret }).actions).toEqual([]);
});

test('an approval is of the Regions, too, to which what it makes is replicated', () => {
  const hashes = [policyOf(), policy, replicating([FRANKFURT])].map((by) => {
    const secrets = [1, 2, 3, 4].map((n) =>
      secretOf({ AWSCURRENT: n }, { name: `keyturn/prod/t${n}` }),
    );
    const tokens = Object.fromEntries(
      [1, 2, 3, 4].map((n) => [`t${n}`, { permissions: { write: ['telemetry'] } }]),
    );
    const { replicaRegions } = by;
    const wide = { ...policyOf({ tokens }), ...(replicaRegions && { replicaRegions }) };
    return planRotation(wide, observationOf({ secrets }), { force: false }, LEARNT).refusals[0]
      ?.hash;
  });
  expect(hashes.every((hash) => hash !== undefined)).toBe(true);
  expect(new Set(hashes).size).toBe(3);
});
