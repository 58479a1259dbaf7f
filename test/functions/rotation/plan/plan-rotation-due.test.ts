import { expect, test } from 'vitest';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import type {
  PendingDetachment,
  ReplacementReason,
  Resumption,
} from '../../../../functions/rotation/plan/rotation-action.ts';
import {
  armed,
  DAY,
  HOUR,
  id,
  MINUTE,
  NOW,
  observationOf,
  planOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
  within,
} from '../../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF };
const secrets = [secretOf({ AWSCURRENT: 1 })];
/** What SHA-256 of the secret's name draws from a tenth of 30 days: 1 d 8 h 57 min. */
const JITTER = 118_625_552;

const plan = (token: ReturnType<typeof armed>, entry: object = {}, at = NOW, document = {}) =>
  planRotation(policyOf(document, entry), observationOf({ secrets, tokens: [token], at }), {
    force: false,
  });

const rotates = (reason: ReplacementReason) =>
  planOf('rotate', { actions: [{ ...about, kind: 'rotate', reason }] });
const nothing = planOf('rotate');

test('rotates at rotateEvery less the jitter of its name, to the millisecond', () => {
  expect(plan(armed(1, { age: 30 * DAY - JITTER - 1 }))).toEqual(nothing);
  expect(plan(armed(1, { age: 30 * DAY - JITTER }))).toEqual(rotates('Due'));
  expect(plan(armed(1, { age: 31 * DAY }))).toEqual(rotates('Due'));
});

test('renews a token that is near its expiry, however young, to the second', () => {
  const expiring = (left: number) => armed(1, { age: DAY, expiresAt: NOW + left });
  expect(plan(expiring(14 * DAY + SECOND))).toEqual(nothing);
  expect(plan(expiring(14 * DAY))).toEqual(rotates('NearExpiry'));
  expect(plan(expiring(SECOND))).toEqual(rotates('NearExpiry'));
  expect(plan(expiring(0))).toEqual(rotates('Expired'));
});

test('lets a token without an expiry grow as old as rotateEvery', () => {
  const { expiresAt: _, ...immortal } = armed(1, { age: DAY });
  expect(plan(immortal)).toEqual(nothing);
  expect(plan({ ...immortal, createdAt: NOW - 30 * DAY })).toEqual(rotates('Due'));
});

test('counts the age of an adopted token from its adoption, so that none is forced to rotate', () => {
  const adopted = (age: number) =>
    armed(1, {
      age: 400 * DAY,
      expiresAt: NOW + 400 * DAY,
      marker: { adopted: NOW - age },
    });
  // A marker's instants are whole seconds.
  const due = Math.ceil((30 * DAY - JITTER) / SECOND) * SECOND;
  expect(plan(adopted(due - SECOND))).toEqual(nothing);
  expect(plan(adopted(due))).toEqual(rotates('Due'));
});

test('waits for a window while there is time, and for none near expiry', () => {
  const entry = { windows: ['Mon-Fri 22:00-02:00'] };
  const due = armed(1, { age: 40 * DAY, expiresAt: NOW + 50 * DAY });
  const at = (text: string) => plan(due, entry, Date.parse(text), { timeZone: 'Europe/Berlin' });
  expect(at('2026-03-02T20:59:59Z')).toEqual(nothing);
  expect(at('2026-03-02T21:00:00Z')).toEqual(rotates('Due'));
  expect(at('2026-03-03T00:59:59Z')).toEqual(rotates('Due'));
  expect(at('2026-03-03T01:00:00Z')).toEqual(nothing);
  expect(plan(armed(1, { age: 77 * DAY }), entry)).toEqual(rotates('NearExpiry'));
  expect(plan(armed(1, { age: 90 * DAY }), entry)).toEqual(rotates('Expired'));
});

test('replaces a token that is gone, or asked for, outside its windows', () => {
  const policy = policyOf({}, { windows: ['Sun 03:00-04:00'] });
  const gone = planRotation(policy, observationOf({ secrets }), { force: false });
  expect(gone.actions).toEqual([{ ...about, kind: 'rotate', reason: 'CurrentGone' }]);
  const world = observationOf({ secrets, tokens: [armed(1, { age: HOUR })] });
  const forced = planRotation(policy, world, { force: true, tokens: ['telegraf'] });
  expect(forced.actions).toEqual([{ ...about, kind: 'rotate', reason: 'Forced' }]);
});

const pending = (current: ReturnType<typeof armed> | undefined, next = armed(2)) =>
  planRotation(
    policyOf(),
    observationOf({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
      tokens: [...(current ? [current] : []), next],
    }),
    { force: false },
  );

test('goes on with a pending token while the current one wants a successor', () => {
  const resumes = (reason: Resumption['reason'], counted = 0) =>
    planOf('rotate', {
      actions: [{ ...about, kind: 'resume', reason, tokenId: id(2) }],
      limits: within(counted),
    });
  expect(pending(armed(1, { age: 30 * DAY }))).toEqual(resumes('Due'));
  expect(pending(armed(1, { age: 77 * DAY }))).toEqual(resumes('NearExpiry'));
  expect(pending(armed(1, { age: 90 * DAY }))).toEqual(resumes('Expired'));
  expect(pending(undefined)).toEqual(resumes('CurrentGone', 1));
  const forced = armed(2, { marker: { forced: true } });
  expect(pending(armed(1, { age: DAY }), forced)).toEqual(resumes('Pending'));
});

test('takes AWSPENDING off a token that nobody needs', () => {
  const detaches = (reason: PendingDetachment['reason']) =>
    planOf('rotate', { actions: [{ ...about, kind: 'detach-pending', version: id(2), reason }] });
  const fresh = armed(1, { age: DAY });
  expect(pending(fresh)).toEqual(detaches('PendingNotDue'));
  expect(pending(fresh, armed(2, { permissions: [] }))).toEqual(detaches('PendingDead'));
  expect(pending(fresh, armed(2, { age: 90 * DAY }))).toEqual(detaches('PendingDead'));
  expect(pending(fresh, { ...armed(2), revokedAt: NOW })).toEqual(detaches('PendingDead'));
});

test('mints anew where the pending token is dead and the current one is due', () => {
  const due = armed(1, { age: 30 * DAY });
  expect(pending(due, armed(2, { permissions: [] }))).toEqual(rotates('Due'));
  expect(pending(due, armed(2, { age: 90 * DAY }))).toEqual(rotates('Due'));
  expect(pending(due, { ...armed(2), revokedAt: NOW })).toEqual(rotates('Due'));
});

test('never promotes again what somebody rolled back from', () => {
  const tokens = [
    armed(1, { age: 31 * DAY, marker: { superseded: NOW - DAY } }),
    armed(2, { age: DAY }),
  ];
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 2 };
  const world = { secrets: [secretOf(labels)], tokens };
  expect(planRotation(policyOf(), observationOf(world), { force: false })).toEqual(rotates('Due'));
  const marked = armed(2, { age: DAY, marker: { superseded: NOW - MINUTE } });
  expect(pending(armed(1, { age: 31 * DAY }), marked)).toEqual(rotates('Due'));
  expect(id(2)).toBe(marked.id);
});

test('leaves AWSPENDING where promotion left it', () => {
  const world = { secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 1 })], tokens: [armed(1)] };
  expect(planRotation(policyOf(), observationOf(world), { force: false })).toEqual(nothing);
});
