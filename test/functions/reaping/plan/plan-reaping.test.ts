import { expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planReaping } from '../../../../functions/reaping/plan/plan-reaping.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/secret.ts';
import type { Marker } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  NOW,
  observationOf,
  planOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
  type World,
  within,
} from '../../builders.ts';

const plan = (world: World, policy: Policy = policyOf()) =>
  planReaping(policy, observationOf({ databases: ['telemetry'], ...world }));

/** Without the inventory, which has its own tests. */
const planned = (world: World, policy?: Policy) => ({ ...plan(world, policy), findings: [] });

const current = armed(1, { age: 10 * DAY });
const secrets = [secretOf({ AWSCURRENT: 1 })];
/** Token 2 stands beside the current token 1. */
const beside = (token: ReturnType<typeof armed>, labels = {}, policy?: Policy) =>
  planned({ secrets: [secretOf({ AWSCURRENT: 1, ...labels })], tokens: [current, token] }, policy);

type Step = Pick<ReturnType<typeof plan>['actions'][number], 'kind' | 'reason'>;
const does = (kind: Step['kind'], reason: Step['reason'], counted = 0) => ({
  ...planOf('reap', { limits: within(counted) }),
  actions: [{ kind, reason, secret: TELEGRAF, tokenId: id(2) }],
});
const nothing = planOf('reap');

test('has nothing to do for a current token and a pending one', () => {
  expect(planned({ secrets, tokens: [current] })).toEqual(nothing);
  expect(beside(armed(2, { age: 5 * DAY }), { AWSPENDING: 2 })).toEqual(nothing);
  expect(beside(inert(2, { age: 5 * DAY }), { AWSPENDING: 2 })).toEqual(nothing);
});

test('marks what nobody marked once it is an hour old', () => {
  expect(beside(armed(2, { age: HOUR - SECOND }))).toEqual(nothing);
  expect(beside(armed(2, { age: HOUR }))).toEqual(does('supersede', 'Replaced'));
  expect(beside(inert(2, { age: HOUR }))).toEqual(does('supersede', 'Replaced'));
  expect(beside(armed(2, { age: HOUR }), { AWSPREVIOUS: 2 })).toEqual(
    does('supersede', 'Replaced'),
  );
});

test('deletes an orphan an hour after it was marked', () => {
  const orphan = (superseded: number) => inert(2, { age: 2 * DAY, marker: { superseded } });
  expect(beside(orphan(NOW - HOUR + SECOND))).toEqual(nothing);
  expect(beside(orphan(NOW - HOUR))).toEqual(does('delete', 'Orphan'));
});

const retired = (marker: Partial<Marker>, permissions?: []) =>
  armed(2, { age: 60 * DAY, marker, ...(permissions && { permissions }) });

test('fences a superseded token when its grace period is over', () => {
  expect(beside(retired({ superseded: NOW - DAY + SECOND }))).toEqual(nothing);
  expect(beside(retired({ superseded: NOW - DAY }))).toEqual(does('fence', 'GraceOver'));
  expect(beside(retired({ superseded: NOW - DAY }), { AWSPREVIOUS: 2 })).toEqual(
    does('fence', 'GraceOver'),
  );
});

test('gives a fenced token its grace anew after somebody rolled back to it and away again', () => {
  const fenced = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY });
  expect(beside(fenced, { AWSPREVIOUS: 2 })).toEqual(does('supersede', 'Replaced'));
});

test('quarantines a fenced token a second grace period later', () => {
  const fenced = (since: number) => retired({ superseded: NOW - 9 * DAY, fenced: since });
  expect(beside(fenced(NOW - DAY + SECOND))).toEqual(nothing);
  expect(beside(fenced(NOW - DAY))).toEqual(does('quarantine', 'FenceOver'));
  const policy = policyOf({}, { quarantine: '0s' });
  expect(beside(fenced(NOW - DAY), {}, policy)).toEqual(does('delete', 'FenceOver'));
});

test.each([
  ['inert', inert(1, { age: 10 * DAY })],
  ['stripped by a person', armed(1, { age: 10 * DAY, permissions: [] })],
  ['expired', armed(1, { age: 90 * DAY })],
  ['foreign', foreign(1)],
  ['revoked', { ...current, revokedAt: NOW - HOUR }],
])('keeps a fenced token while the current one is %s', (_, other) => {
  const token = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY });
  expect(planned({ secrets, tokens: [other, token] })).toEqual(nothing);
});

test('deletes a quarantined token when its quarantine is over', () => {
  const quarantined = (since: number) =>
    retired({ superseded: NOW - 20 * DAY, fenced: NOW - 19 * DAY, quarantined: since }, []);
  expect(beside(quarantined(NOW - 7 * DAY + SECOND))).toEqual(nothing);
  expect(beside(quarantined(NOW - 7 * DAY))).toEqual(does('delete', 'QuarantineOver'));
});

test('deletes an expired token that is not the current one, whatever else it is', () => {
  const expiring = (expiresAt: number) => armed(2, { age: 30 * DAY, expiresAt });
  expect(beside(expiring(NOW + SECOND), { AWSPENDING: 2 })).toEqual(nothing);
  expect(beside(expiring(NOW), { AWSPENDING: 2 })).toEqual(does('delete', 'Expired'));
  expect(beside(expiring(NOW), { AWSPREVIOUS: 2 })).toEqual(does('delete', 'Expired'));
  expect(planned({ secrets, tokens: [armed(1, { age: 90 * DAY })] })).toEqual(nothing);
});

test('never touches a current token, whatever its marker says', () => {
  const markers = [
    { superseded: NOW - 99 * DAY },
    { superseded: NOW - 99 * DAY, fenced: NOW - 98 * DAY },
    { superseded: NOW - 99 * DAY, fenced: NOW - 98 * DAY, quarantined: NOW - 97 * DAY },
  ];
  for (const marker of markers) {
    for (const permissions of [[], undefined]) {
      const token = armed(1, { age: 60 * DAY, marker, ...(permissions && { permissions }) });
      expect(planned({ secrets, tokens: [token] })).toEqual(nothing);
    }
  }
});

test('strips or deletes all tokens of a secret on hold, however young', () => {
  const held = (hold: string, tokens: World['tokens']) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: 1 }, { tags: { [HOLD_TAG]: hold } })],
      tokens: tokens ?? [],
    });
  const young = armed(2, { age: SECOND });
  const stripped = armed(1, { permissions: [], marker: { frozen: NOW, was: [] } });
  expect(held('frozen', [stripped, young])).toEqual(does('strip', 'HoldFrozen'));
  expect(held('deleted', [young])).toEqual(does('delete', 'HoldDeleted'));
  expect(held('deleted', [inert(2)])).toEqual(does('delete', 'HoldDeleted'));
});

test('reports expired tokens of others, and deletes them and strays where the policy says so', () => {
  const tokens = [
    foreign(3, { expiresAt: NOW }),
    foreign(4, { expiresAt: NOW + SECOND }),
    foreign(5, { expiresAt: NOW - DAY, description: 'x [keyturn:1 owner=other secret=s home=h]' }),
    inert(6, { name: 'keyturn/prod/elsewhere', expiresAt: NOW - DAY }),
  ];
  expect(planned({ tokens })).toEqual(nothing);
  expect(planned({ tokens }, policyOf({ expiredForeignTokens: 'delete' }))).toEqual(
    planOf('reap', {
      limits: within(2),
      actions: [3, 6].map((n) => ({
        kind: 'delete-foreign',
        tokenId: id(n),
        reason: 'ForeignExpired',
      })),
    }),
  );
});

test('gives the same plan, findings and hash, for the same world in another order', () => {
  const names = ['a', 'b', 'c'].map((name) => `keyturn/prod/${name}`);
  const world = {
    secrets: names.map((name, index) => secretOf({ AWSCURRENT: index }, { name })),
    tokens: [
      ...names.flatMap((name, n) => [armed(n, { name }), armed(n + 10, { name, age: 3 * DAY })]),
      ...Array.from({ length: 8 }, (_, n) => foreign(n + 20, { expiresAt: NOW - DAY })),
    ],
  };
  const backwards = {
    secrets: world.secrets.toReversed(),
    tokens: world.tokens.toReversed(),
  };
  const policy = policyOf({ expiredForeignTokens: 'delete' });
  expect(plan(backwards, policy)).toEqual(plan(world, policy));
});

test('leaves the tokens of a secret that is scheduled for deletion, unless they expired', () => {
  const deleted = [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, { deletedAt: NOW - DAY })];
  const world = (token: ReturnType<typeof armed>) =>
    planned({ secrets: deleted, tokens: [current, token] });
  expect(world(retired({ superseded: NOW - 9 * DAY }))).toEqual(nothing);
  expect(world(armed(2, { age: 60 * DAY, expiresAt: NOW }))).toEqual(does('delete', 'Expired'));
});
