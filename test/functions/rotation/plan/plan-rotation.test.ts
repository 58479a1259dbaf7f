import { expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import { adoptedTag } from '../../../../functions/tokens/adopted-tag.ts';
import { parseMarker } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  LEARNT,
  MINUTE,
  NOW,
  observationOf,
  planOf,
  policyOf,
  secretOf,
  stepsOf,
  TELEGRAF,
  type World,
  within,
} from '../../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF };
const ask = { force: false };

const plan = (world: World, policy: Policy = policyOf(), request: object = {}) =>
  planRotation(policy, observationOf(world), { ...ask, ...request }, LEARNT);

test('plans nothing for a token that is not due', () => {
  const world = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [armed(1, { age: DAY })] };
  expect(plan(world)).toEqual(planOf('rotate'));
});

test('mints the first token of an entry without a secret', () => {
  expect(plan({})).toEqual(
    planOf('rotate', { actions: [{ ...about, kind: 'rotate', reason: 'Missing' }] }),
  );
});

test('mints the first token of a secret that was created and never filled', () => {
  expect(plan({ secrets: [secretOf()] })).toEqual(
    planOf('rotate', { actions: [{ ...about, kind: 'rotate', reason: 'Missing' }] }),
  );
});

test('replaces at once a current token that is gone, and counts it against the limit', () => {
  const { tokens, secrets } = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [armed(1)] };
  const revoked = { secrets, tokens: tokens.map((token) => ({ ...token, revokedAt: NOW })) };
  for (const world of [{ secrets }, revoked]) {
    expect(plan(world)).toEqual(
      planOf('rotate', {
        actions: [{ ...about, kind: 'rotate', reason: 'CurrentGone' }],
        limits: within(1),
      }),
    );
  }
});

test('goes on with a first version that was never armed, as its lack of grants tells', () => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  for (const token of [
    inert(1),
    armed(1, { marker: { grants: undefined, armed: undefined } as object }),
  ]) {
    expect(plan({ secrets, tokens: [token] })).toEqual(
      planOf('rotate', {
        actions: [{ ...about, kind: 'resume', reason: 'Unarmed', tokenId: id(1) }],
      }),
    );
  }
});

test('arms no orphan that a person made current: reap deletes it', () => {
  const orphan = inert(1, { age: DAY, marker: { superseded: NOW - HOUR } });
  expect(plan({ secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [orphan] }).actions).toEqual([]);
});

test('replaces a first version that expired before anybody armed it', () => {
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1 })],
    tokens: [inert(1, { age: 90 * DAY })],
  };
  expect(plan(world)).toEqual(
    planOf('rotate', { actions: [{ ...about, kind: 'rotate', reason: 'Expired' }] }),
  );
});

const FROZEN =
  'its token is frozen, and no hold stands; keyturn unfreeze gives its permissions back';

test.each([
  [FROZEN, { frozen: NOW - HOUR, was: [] }],
  [FROZEN, { frozen: NOW - HOUR, quarantined: NOW - HOUR, was: [] }],
  ['a person took its permissions away', {}],
])('leaves alone and reports a held token: %s', (message, marker) => {
  const current = armed(1, { age: 80 * DAY, permissions: [], marker });
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
    tokens: [current, armed(2)],
  };
  expect(plan(world, policyOf(), { force: true, tokens: ['telegraf'] })).toEqual(
    planOf('rotate', { findings: [{ ...about, kind: 'Held', message, tokenId: id(1) }] }),
  );
});

test('gives back what quarantine took from a token that somebody rolled back to', () => {
  const marker = { superseded: NOW - 5 * DAY, fenced: NOW - 4 * DAY, quarantined: NOW - 3 * DAY };
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 })],
    tokens: [armed(1, { age: 40 * DAY, permissions: [], marker }), armed(2, { age: 5 * DAY })],
  };
  expect(plan(world)).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'give-back', reason: 'RolledBack', tokenId: id(1) }],
    }),
  );
});

test('replaces a quarantined token that somebody rolled back to after it had expired, which nothing gives back', () => {
  const marker = { superseded: NOW - 5 * DAY, fenced: NOW - 4 * DAY, quarantined: NOW - 3 * DAY };
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 })],
    tokens: [armed(1, { age: 90 * DAY, permissions: [], marker }), armed(2, { age: 5 * DAY })],
  };
  expect(plan(world)).toEqual(
    planOf('rotate', { actions: [{ ...about, kind: 'rotate', reason: 'Expired' }] }),
  );
});

test.each([
  ['Held', 'on hold (frozen) until keyturn unfreeze', { tags: { [HOLD_TAG]: 'frozen' } }],
  ['Held', 'on hold (deleted) until keyturn lift', { tags: { [HOLD_TAG]: 'deleted' } }],
  ['Held', 'on hold (frozen) until keyturn unfreeze', { tags: { [HOLD_TAG]: 'no such word' } }],
  [
    'SecretDeleted',
    'scheduled for deletion; restore it or remove the entry',
    { deletedAt: NOW - DAY },
  ],
  ['Replica', 'a replica; rotate it in its primary Region', { replica: true }],
])('changes nothing, and says so, where the secret forbids it: %s', (kind, message, more) => {
  const secrets = [secretOf({ AWSCURRENT: 1 }, more)];
  expect(plan({ secrets }, policyOf(), { force: true, tokens: ['telegraf'] })).toEqual(
    planOf('rotate', { findings: [{ ...about, kind, message }] }),
  );
});

test('reports a current token that lost its marker, and replaces it only when it is due', () => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  const finding = {
    ...about,
    kind: 'LostMarker',
    message:
      'AWSCURRENT has a token without our marker; it is left alone, also after it is replaced',
    tokenId: id(1),
  };
  const young = foreign(1, { expiresAt: NOW + 60 * DAY });
  expect(plan({ secrets, tokens: [young] })).toEqual(planOf('rotate', { findings: [finding] }));
  const old = foreign(1, { createdAt: NOW - 30 * DAY, expiresAt: NOW + 60 * DAY });
  expect(plan({ secrets, tokens: [old] })).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'mint', reason: 'Due' }],
      findings: [finding],
    }),
  );
});

test('takes over a token and a secret that the policy names, once', () => {
  const policy = policyOf({}, { secret: 'legacy/telegraf', adopt: { tokenId: id(7) } });
  const action = { token: 'telegraf', secret: 'legacy/telegraf', kind: 'adopt', tokenId: id(7) };
  expect(plan({ tokens: [foreign(7)] }, policy)).toEqual(
    planOf('rotate', { actions: [{ ...action, reason: 'Adopted' }] } as object),
  );
  const name = 'legacy/telegraf';
  const version = [id(70)];
  const marker = { version, adopted: NOW, proven: NOW };
  const adopted = armed(7, { name, age: DAY, marker });
  const { fp = '' } = parseMarker(adopted.description)?.marker ?? {};
  const noted = adoptedTag({ tokenId: id(7), fp, at: NOW });
  const secrets = (tags: object = {}) => {
    const secret = secretOf({ AWSCURRENT: id(70) }, { name });
    return [{ ...secret, tags: { ...secret.tags, ...tags } }];
  };
  expect(plan({ secrets: secrets(noted), tokens: [adopted] }, policy)).toEqual(planOf('rotate'));
  // What the tag says of another token, or of another string, is no note of this one.
  const note = { kind: 'note-adoption', reason: 'Adopted', tokenId: id(7) };
  for (const tags of [{}, adoptedTag({ tokenId: id(8), fp, at: NOW }), { 'keyturn:adopted': '?' }])
    expect(plan({ secrets: secrets(tags), tokens: [adopted] }, policy).actions).toMatchObject([
      note,
    ]);
});

test('mints no fourth token while three wait to be stored', () => {
  const secrets = [secretOf()];
  const tokens = [inert(1), inert(2), inert(3)];
  expect(plan({ secrets, tokens: tokens.slice(1) }).actions).toEqual([
    { ...about, kind: 'rotate', reason: 'Missing' },
  ]);
  expect(plan({ secrets, tokens })).toEqual(
    planOf('rotate', {
      findings: [
        {
          ...about,
          kind: 'CannotStore',
          message:
            '3 tokens were minted and not stored; no more are minted until reap has deleted them',
        },
      ],
    }),
  );
});

test('looks at nothing but the tokens that were asked for', () => {
  const tokens = { telegraf: {}, grafana: {} };
  const entry = { permissions: { read: ['telemetry'] } };
  const policy = policyOf({
    tokens: Object.fromEntries(Object.keys(tokens).map((name) => [name, entry])),
  });
  expect(plan({}, policy, { tokens: ['grafana'] })).toEqual(
    planOf('rotate', {
      actions: [
        { token: 'grafana', secret: 'keyturn/prod/grafana', kind: 'rotate', reason: 'Missing' },
      ],
    }),
  );
});

test('rotates by force what is not due, and takes a repetition within 15 minutes for the same wish', () => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  const forced = { actions: [{ ...about, kind: 'rotate' as const, reason: 'Forced' as const }] };
  const request = { force: true, tokens: ['telegraf'] };
  expect(plan({ secrets, tokens: [armed(1)] }, policyOf(), request)).toEqual(
    planOf('rotate', forced),
  );
  const again = (age: number) =>
    plan({ secrets, tokens: [armed(1, { age, marker: { forced: true } })] }, policyOf(), request);
  expect(again(15 * MINUTE - 1)).toEqual(planOf('rotate'));
  expect(again(15 * MINUTE)).toEqual(planOf('rotate', forced));
});

test('takes a token that was promoted in the last 15 minutes for the answer, however long it waited', () => {
  const secrets = [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 })];
  const again = (since: number, asked: object = { forced: true }) => {
    const marker = { ...asked, promoted: NOW - since };
    const tokens = [armed(1, { age: HOUR, marker }), armed(2, { age: DAY })];
    const request = { force: true, tokens: ['telegraf'] };
    return stepsOf(plan({ secrets, tokens }, policyOf(), request));
  };
  expect(again(14 * MINUTE)).toEqual([]);
  expect(again(15 * MINUTE)).toEqual(['rotate Forced']);
  // Nobody asked for that one.
  expect(again(MINUTE, {})).toEqual(['rotate Forced']);
});
