import { expect, test } from 'vitest';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import type { ReplacementReason } from '../../../../functions/rotation/plan/rotation-action.ts';
import {
  armed,
  DAY,
  HOUR,
  LEARNT,
  MINUTE,
  NOW,
  observationOf,
  planOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
} from '../../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF };
const secrets = [secretOf({ AWSCURRENT: 1 })];
/** What SHA-256 of the secret's name draws from a tenth of 30 days: 1 d 8 h 57 min. */
const JITTER = 118_625_552;

const plan = (token: ReturnType<typeof armed>, entry: object = {}, at = NOW, document = {}) =>
  planRotation(
    policyOf(document, entry),
    observationOf({ secrets, tokens: [token], at }),
    { force: false },
    LEARNT,
  );

const does = (kind: 'rotate' | 'mint', reason: ReplacementReason) =>
  planOf('rotate', { actions: [{ ...about, kind, reason }] });
const mints = (reason: ReplacementReason) => does('mint', reason);
const rotates = (reason: ReplacementReason) => does('rotate', reason);
const nothing = planOf('rotate');

test('rotates at rotateEvery less the jitter of its name, to the millisecond', () => {
  expect(plan(armed(1, { age: 30 * DAY - JITTER - 1 }))).toEqual(nothing);
  expect(plan(armed(1, { age: 30 * DAY - JITTER }))).toEqual(mints('Due'));
  expect(plan(armed(1, { age: 31 * DAY }))).toEqual(mints('Due'));
});

test('renews a token that is near its expiry, however young, to the second', () => {
  const expiring = (left: number) => armed(1, { age: DAY, expiresAt: NOW + left });
  expect(plan(expiring(14 * DAY + SECOND))).toEqual(nothing);
  expect(plan(expiring(14 * DAY))).toEqual(mints('NearExpiry'));
  expect(plan(expiring(SECOND))).toEqual(rotates('NearExpiry'));
  expect(plan(expiring(0))).toEqual(rotates('Expired'));
});

test('lets a token without an expiry grow as old as rotateEvery', () => {
  const { expiresAt: _, ...immortal } = armed(1, { age: DAY });
  expect(plan(immortal)).toEqual(nothing);
  expect(plan({ ...immortal, createdAt: NOW - 30 * DAY })).toEqual(mints('Due'));
});

test('counts the age of an adopted token from its adoption, so that none is forced to rotate', () => {
  const adopted = (age: number) =>
    armed(1, {
      age: 400 * DAY,
      expiresAt: NOW + 400 * DAY,
      marker: { adopted: NOW - age, proven: NOW - age },
    });
  // A marker's instants are whole seconds.
  const due = Math.ceil((30 * DAY - JITTER) / SECOND) * SECOND;
  const kinds = (age: number) => plan(adopted(age)).actions.map(({ kind }) => kind);
  expect(kinds(due - SECOND)).toEqual(['note-adoption']);
  expect(kinds(due)).toEqual(['mint', 'note-adoption']);
});

test('begins a rotation when it is due, whatever the windows', () => {
  const entry = { windows: ['Mon-Fri 22:00-02:00'] };
  expect(plan(armed(1, { age: 30 * DAY }), entry)).toEqual(mints('Due'));
  expect(plan(armed(1, { age: 77 * DAY }), entry)).toEqual(mints('NearExpiry'));
  expect(plan(armed(1, { age: 90 * DAY }), entry)).toEqual(rotates('Expired'));
});

test('leaves to later runs only what they can still promote: the second firing after the next one', () => {
  // LEARNT: a run every hour; and the policy's `settle` is 10 minutes.
  const last = 3 * HOUR + 10 * MINUTE;
  const expiring = (left: number) => armed(1, { age: DAY, expiresAt: NOW + left });
  const entry = { gracePeriod: '1h' };
  expect(plan(expiring(last), entry)).toEqual(mints('NearExpiry'));
  expect(plan(expiring(last - SECOND), entry)).toEqual(rotates('NearExpiry'));
  const sooner = { settle: '9m' };
  expect(plan(expiring(last - SECOND), entry, NOW, sooner)).toEqual(mints('NearExpiry'));
  const short = { rotateEvery: '4h', renewBefore: '90m', expiresAfter: '6h', gracePeriod: '1h' };
  const due = armed(1, { age: 3.9 * HOUR, expiresAt: NOW + 2.1 * HOUR });
  expect(plan(due, short)).toEqual(rotates('Due'));
});

test('renews a token while three runs still leave it its grace period, whatever renewBefore says', () => {
  const entry = { rotateEvery: '9h', expiresAfter: '1d', gracePeriod: '2h', renewBefore: '2h' };
  const living = (left: number) => armed(1, { age: HOUR, expiresAt: NOW + left });
  const needed = 5 * HOUR + 10 * MINUTE;
  expect(plan(living(needed + SECOND), entry)).toEqual(nothing);
  expect(plan(living(needed), entry)).toEqual(mints('NearExpiry'));
  // What the next run promotes, in an hour, would be too late for that.
  const soon = { ...entry, gracePeriod: '4h', renewBefore: '4h' };
  expect(plan(living(needed), soon)).toEqual(mints('NearExpiry'));
  expect(plan(living(needed - SECOND), soon)).toEqual(rotates('NearExpiry'));
});

test('renews no token sooner than its own policy lets it be due, however briefly it lives', () => {
  const brief = { rotateEvery: '4h', expiresAfter: '6h', gracePeriod: '2h', renewBefore: '2h' };
  const aged = (age: number) => armed(1, { age, expiresAt: NOW + 6 * HOUR - age });
  for (const age of [0, 1, 2, 3, 3.5]) expect(plan(aged(age * HOUR), brief)).toEqual(nothing);
  expect(plan(aged(4 * HOUR), brief)).toEqual(rotates('NearExpiry'));
  // A week may pass until a window comes: till then a token that is due lets it wait.
  const weekly = {
    ...brief,
    rotateEvery: '7d',
    expiresAfter: '14d4h',
    windows: ['Sun 02:00-04:00'],
  };
  const left = (ms: number) => armed(1, { age: HOUR, expiresAt: NOW + ms });
  expect(plan(left(4 * HOUR + SECOND), weekly)).toEqual(nothing);
  expect(plan(left(4 * HOUR), weekly)).toEqual(mints('NearExpiry'));
});

test('replaces a token that is gone, or asked for, outside its windows', () => {
  const policy = policyOf({}, { windows: ['Sun 03:00-04:00'] });
  const gone = planRotation(policy, observationOf({ secrets }), { force: false }, LEARNT);
  expect(gone.actions).toEqual([{ ...about, kind: 'rotate', reason: 'CurrentGone' }]);
  const world = observationOf({ secrets, tokens: [armed(1, { age: HOUR })] });
  const forced = planRotation(policy, world, { force: true, tokens: ['telegraf'] }, LEARNT);
  expect(forced.actions).toEqual([{ ...about, kind: 'rotate', reason: 'Forced' }]);
});
