import { describe, expect, test } from 'vitest';
import { takeInventory } from '../../../../functions/reaping/plan/inventory.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import { homeOf } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  type Labels,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
  type World,
} from '../../builders.ts';

const inventory = (world: World) => takeInventory(policyOf(), observationOf(world));
/** Of others, and far from its end. */
const lasting: typeof foreign = (n, options) =>
  foreign(n, { expiresAt: NOW + 30 * DAY, ...options });
const owned = (message: string) => ({ kind: 'Owned', message });

test('says how much there is, and no more, of a fleet in order', () => {
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1 })],
    tokens: [armed(1)],
    databases: ['telemetry'],
  };
  expect(inventory(world)).toEqual([owned('1 token in 1 secret')]);
});

test('gives one summary of the tokens of others, however many', () => {
  const tokens = Array.from({ length: 7 }, (_, n) => lasting(n));
  const five = [0, 1, 2, 3, 4].map(id).join(', ');
  expect(inventory({ tokens, databases: ['telemetry'] })).toEqual([
    owned('0 tokens in 0 secrets'),
    { kind: 'Foreign', message: `7 tokens of others: ${five}, …` },
  ]);
});

test('names tokens without an expiry, with every database, and with one that does not exist', () => {
  const { expiresAt: _, ...immortal } = lasting(1);
  const tokens = [
    immortal,
    lasting(2, { permissions: [{ action: 'read', resource: '*' }] }),
    lasting(3, { permissions: [{ action: 'read', resource: 'dropped' }] }),
    foreign(4, { expiresAt: NOW }),
  ];
  expect(inventory({ tokens, databases: ['telemetry'] })).toEqual([
    owned('0 tokens in 0 secrets'),
    { kind: 'Foreign', message: `4 tokens of others: ${[1, 2, 3, 4].map(id).join(', ')}` },
    { kind: 'Immortal', message: `1 token without an expiry: ${id(1)}` },
    { kind: 'ForeignExpired', message: `1 token of others, expired: ${id(4)}` },
    { kind: 'Wildcard', message: `1 token with a permission on every database: ${id(2)}` },
    {
      kind: 'UnknownDatabase',
      message: `1 token with a permission on a database that does not exist: ${id(3)}`,
    },
  ]);
});

test('names tokens of others that work and end within a week, the first one first, and none that a deployment renews', () => {
  const ending = (n: number, days: number, more = {}) =>
    foreign(n, { expiresAt: NOW + days * DAY, ...more });
  const tokens = [
    ending(1, 7),
    ending(2, 3),
    ending(3, 8),
    ending(4, 1, { permissions: [] }),
    ending(5, 1, { description: 'x [keyturn:1 owner=staging secret=a home=12345678]' }),
    ending(6, 0),
    ending(7, 1),
    ending(8, 1),
  ];
  // AWSCURRENT's token that lost its marker, and one that is about to be adopted.
  const secrets = [secretOf({ AWSCURRENT: 7 })];
  const adopting = {
    permissions: { write: ['telemetry'] },
    secret: 'app',
    adopt: { tokenId: id(8) },
  };
  const policy = policyOf({
    tokens: { telegraf: { permissions: { write: ['telemetry'] } }, adopting },
  });
  const around = observationOf({ secrets, tokens, databases: ['telemetry'] });
  expect(takeInventory(policy, around)).toContainEqual({
    kind: 'ForeignExpiring',
    message: `2 tokens of others, which nobody renews here, expire within a week: ${id(2)} (2026-03-05T12:00:00Z), ${id(1)} (2026-03-09T12:00:00Z)`,
  });
});

test('calls no database unknown where the databases could not be listed, and says that', () => {
  const dropped = lasting(1, { permissions: [{ action: 'read', resource: 'dropped' }] });
  expect(inventory({ tokens: [dropped] }).map(({ kind }) => kind)).toEqual([
    'Owned',
    'Foreign',
    'DatabasesUnknown',
  ]);
});

test.each(['AWSCURRENT', 'AWSPREVIOUS'])('reports a string under %s that nobody knows', (label) => {
  const secrets = [secretOf({ AWSCURRENT: 1, [label]: id(70) })];
  const [finding] = inventory({ secrets, tokens: [armed(1)] });
  expect(finding).toEqual({
    kind: 'UnknownVersion',
    secret: TELEGRAF,
    message: `nobody knows whose string ${label} has; no token of it is retired`,
  });
});

test.each([
  ['on hold (frozen) until keyturn unfreeze', { tags: { [HOLD_TAG]: 'frozen' } }, armed(1)],
  ['its current token has no permissions', {}, armed(1, { permissions: [] })],
])('reports what is held: %s', (message, more, token) => {
  expect(inventory({ secrets: [secretOf({ AWSCURRENT: 1 }, more)], tokens: [token] })[0]).toEqual({
    kind: 'Held',
    secret: TELEGRAF,
    message,
  });
});

test('calls nothing held that reap has quarantined itself, unless an order froze it', () => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  const kinds = (marker: object) =>
    inventory({ secrets, tokens: [armed(1, { permissions: [], marker })] }).map(({ kind }) => kind);
  expect(kinds({ quarantined: NOW })).not.toContain('Held');
  expect(kinds({ quarantined: NOW, frozen: NOW })).toContain('Held');
});

test('reports a lost marker and an expired current token', () => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  const about = { secret: TELEGRAF };
  expect(inventory({ secrets, tokens: [foreign(1)] })[0]).toEqual({
    ...about,
    kind: 'LostMarker',
    message: 'its current token lacks our marker',
  });
  expect(inventory({ secrets, tokens: [armed(1, { age: 90 * DAY })] })[0]).toEqual({
    ...about,
    kind: 'Expired',
    message: 'its current token has expired',
  });
});

test('reports a secret that no entry names, and when its token expires', () => {
  const name = 'keyturn/prod/removed';
  const secrets = [secretOf({ AWSCURRENT: 1 }, { name })];
  expect(inventory({ secrets, tokens: [armed(1, { name, age: DAY })] })[0]).toEqual({
    kind: 'Unlisted',
    secret: name,
    message: 'no entry of the policy names it; its token expires at 2026-05-30T12:00:00Z',
  });
  expect(inventory({ secrets })[0]).toEqual({
    kind: 'Unlisted',
    secret: name,
    message: 'no entry of the policy names it',
  });
});

describe('a token that should have been retired long ago', () => {
  /** rotateEvery, four grace periods and the quarantine together. */
  const LIFE = 30 * DAY + 4 * DAY + 7 * DAY;
  const reported = (age: number, marker: object = {}, more: Partial<World> = {}) =>
    inventory({
      secrets: [secretOf({ AWSCURRENT: 1 })],
      tokens: [armed(1, { age: LIFE + DAY }), armed(2, { age, marker })],
      ...more,
    }).filter(({ kind }) => kind === 'Lingering');

  test('is reported by name', () => {
    expect(reported(LIFE)).toEqual([]);
    expect(reported(LIFE + 1)).toMatchObject([{ secret: TELEGRAF, tokenId: id(2) }]);
  });

  test.each([
    ['another secret of ours', { shared: '00000000' }, {}],
    [`${TELEGRAF} was seen to have its string`, { shared: homeOf(secretOf().arn) }, {}],
    ['nobody knows', {}, { secrets: [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: id(70) })] }],
    [
      'saves the secret by hand, or a rotation by Secrets Manager fails',
      { adopted: NOW - LIFE, proven: NOW - LIFE },
      {},
    ],
  ])('with what keeps it: %s', (message, marker, more) => {
    expect(reported(LIFE + DAY, marker, more)[0]?.message).toContain(message);
  });

  test('is told at once where it was adopted and replaced without a proof, since nothing ends it', () => {
    const unproven = { adopted: NOW - DAY, superseded: NOW - HOUR };
    expect(reported(DAY, unproven)[0]?.message).toContain(
      `if nobody does: keyturn revoke --token-id ${id(2)} --delete`,
    );
    expect(reported(DAY, { ...unproven, proven: NOW - DAY })).toEqual([]);
  });

  test('is not one that consumers have, or will have, or that nothing may change', () => {
    const secret = (labels: Labels, more = {}) => ({ secrets: [secretOf(labels, more)] });
    const waits = { promoted: undefined };
    expect(reported(LIFE + DAY, waits, secret({ AWSCURRENT: 1, AWSPENDING: 2 }))).toEqual([]);
    const labels = { AWSCURRENT: 1 };
    expect(reported(LIFE + DAY, {}, secret(labels, { deletedAt: NOW }))).toEqual([]);
    const tags = { [HOLD_TAG]: 'frozen' };
    expect(reported(LIFE + DAY, {}, secret(labels, { tags }))).toEqual([]);
  });
});

test('calls nothing a working stray that may yet be found, or that a secret of ours has', () => {
  const name = 'keyturn/prod/elsewhere';
  const strays = (token: ReturnType<typeof armed>) =>
    inventory({ secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [token] }).filter(
      ({ kind }) => kind === 'WorkingStray',
    );
  expect(strays(armed(2, { name, age: HOUR }))).toHaveLength(1);
  expect(strays(armed(2, { name, age: HOUR - 1 }))).toEqual([]);
  expect(strays(armed(2, { name, age: HOUR, marker: { proving: NOW } }))).toEqual([]);
  expect(strays(armed(1, { name, age: HOUR }))).toEqual([]);
});

test('names tokens of ours that live in no secret of ours', () => {
  const name = 'keyturn/prod/elsewhere';
  const age = 2 * HOUR;
  const tokens = [
    armed(1, { name, age }),
    inert(2, { name, age }),
    armed(3, { name, age, expiresAt: NOW }),
  ];
  const strays = inventory({ tokens: [...tokens, foreign(4)] });
  expect(strays).toContainEqual({
    kind: 'Stray',
    message: `3 tokens with our owner in the marker and no secret of ours (deleted, copied, or of another Region): ${[1, 2, 3].map(id).join(', ')}`,
  });
  expect(strays).toContainEqual({
    kind: 'WorkingStray',
    message: `1 token with our owner that works and is in no secret of ours; nobody rotates or retires it (keyturn revoke --token-id): ${id(1)}`,
  });
});
