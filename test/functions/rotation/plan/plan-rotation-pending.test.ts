import { describe, expect, test } from 'vitest';
import type { Permission, Token } from '../../../../functions/management-api/token.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { grantsHash } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  type Labels,
  LEARNT,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  SECOND,
  secretOf,
  stepsOf,
  version,
  type World,
  WRITE,
} from '../../builders.ts';

/** The policy's `settle`, unless it says otherwise. */
const SETTLE = 10 * MINUTE;

interface Around extends Pick<World, 'strings' | 'versionTimes' | 'at'> {
  readonly current?: Token | undefined;
  readonly next?: Token;
  readonly labels?: Labels;
  readonly document?: object;
  readonly entry?: object;
  /** Somebody asked for this rotation by name. */
  readonly asked?: boolean;
  readonly thirdMs?: number;
}

const young = armed(1, { age: DAY });
const due = armed(1, { age: 30 * DAY });
const SAVED = id(70);

/** What a run does for a secret in which token 1 is current, and token 2 waits. */
function steps({ current, next, labels, document, entry, asked = false, ...around }: Around) {
  const { thirdMs = LEARNT.thirdMs, ...world } = around;
  const secrets = [secretOf({ AWSCURRENT: 1, AWSPENDING: 2, ...labels })];
  const tokens = [current, next].flatMap((each) => each ?? []);
  const request = asked ? { force: true, tokens: ['telegraf'] } : { force: false };
  const observation = observationOf({ ...world, secrets, tokens });
  return stepsOf(
    planRotation(policyOf(document, entry), observation, request, { ...LEARNT, thirdMs }),
  );
}

const waiting = (age: number, options: Parameters<typeof armed>[1] = {}) =>
  armed(2, { age, waits: true, ...options });

test('an ordinary rotation waits until its token has been armed for as long as settle', () => {
  expect(steps({ current: due, next: waiting(SETTLE - SECOND) })).toEqual([]);
  expect(steps({ current: due, next: waiting(SETTLE) })).toEqual(['resume Due 2']);
  const document = { settle: '2m' };
  expect(steps({ current: due, next: waiting(119 * SECOND), document })).toEqual([]);
  expect(steps({ current: due, next: waiting(2 * MINUTE), document })).toEqual(['resume Due 2']);
});

test('settling counts from the arming, not from the minting', () => {
  const next = (ago: number) => waiting(DAY, { marker: { armed: NOW - ago } });
  expect(steps({ current: due, next: next(SETTLE - SECOND) })).toEqual([]);
  expect(steps({ current: due, next: next(SETTLE) })).toEqual(['resume Due 2']);
});

test('a pending token without its permissions of today is armed before it is promoted', () => {
  const read: Permission = { action: 'read', resource: 'telemetry' };
  const entry = { permissions: { read: ['telemetry'], write: ['telemetry'] } };
  expect(steps({ current: due, next: inert(2, { age: HOUR }) })).toEqual(['arm Due 2']);
  // Wider and narrower than the policy of today.
  const grants = grantsHash([...WRITE, read]);
  const wide = { permissions: [...WRITE, read], marker: { grants } };
  const widened = armed(1, { age: 30 * DAY, ...wide });
  expect(steps({ current: widened, next: waiting(HOUR), entry })).toEqual(['arm Due 2']);
  // Consumers need not wait for what a person added to the policy.
  const widen = ['widen PermissionsWidened 1'];
  expect(steps({ current: due, next: waiting(HOUR), entry })).toEqual(widen);
  expect(steps({ current: due, next: waiting(HOUR, wide) })).toEqual(['arm Due 2']);
  // A person changed it meanwhile.
  const changed = waiting(HOUR, { permissions: [...WRITE, read] });
  expect(steps({ current: due, next: changed })).toEqual(['arm Due 2']);
});

test('a token that an older version armed settles from the first run that sees it', () => {
  const next = waiting(DAY, { marker: { armed: undefined } as object });
  expect(steps({ current: due, next })).toEqual(['arm Due 2']);
});

test('a token that is not shown yet is waited for, and not by somebody who asks by name', () => {
  const strings = { [version(2)]: 'unshown' } as const;
  expect(steps({ current: due, strings })).toEqual([]);
  expect(steps({ current: due, strings, asked: true })).toEqual(['rotate Forced']);
});

describe('a token that waited until little of its life was left', () => {
  const thirdMs = 6 * HOUR;
  const entry = { gracePeriod: '3h', expiresAfter: '60d' };
  // What three runs and settle need; a run and its grace period need no more.
  const least = thirdMs + SETTLE;
  const left = (ms: number) => waiting(DAY, { expiresAt: NOW + ms });

  test('gives way to another one, which waits in its turn', () => {
    const stepsWith = (ms: number) => steps({ current: due, next: left(ms), entry, thirdMs });
    expect(stepsWith(least)).toEqual(['resume Due 2']);
    expect(stepsWith(least - SECOND)).toEqual(['mint Due']);
  });

  test('is not what consumers get who have nothing, or whoever asks', () => {
    const gone = { versionTimes: { [version(1)]: NOW - DAY } };
    const stepsWith = (ms: number) => steps({ ...gone, next: left(ms), entry, thirdMs });
    expect(stepsWith(least)).toEqual(['resume CurrentGone 2']);
    expect(stepsWith(least - SECOND)).toEqual(['rotate CurrentGone']);
    const asked = { current: young, entry, thirdMs, asked: true };
    expect(steps({ ...asked, next: left(least) })).toEqual(['resume Forced 2']);
    expect(steps({ ...asked, next: left(least - SECOND) })).toEqual(['rotate Forced']);
  });

  test('is promoted all the same where another one would have less left when it was its turn', () => {
    const brief = { rotateEvery: '1d', renewBefore: '3h', gracePeriod: '3h', expiresAfter: '30h' };
    const stepsWith = (ms: number, expiresAt: number) => {
      const current = armed(1, { age: 25 * HOUR, expiresAt });
      return steps({ current, next: left(ms), entry: brief, thirdMs: DAY });
    };
    const wait = DAY + SETTLE;
    const sooner = NOW + 5 * HOUR;
    expect(stepsWith(30 * HOUR - wait, sooner)).toEqual(['resume NearExpiry 2']);
    expect(stepsWith(30 * HOUR - wait - SECOND, sooner)).toEqual(['rotate NearExpiry']);
    // What consumers have lives on: they lose nothing by waiting for another one.
    const later = NOW + 50 * DAY;
    const twoRuns = (2 * DAY) / 3 + SETTLE;
    expect(stepsWith(twoRuns, later)).toEqual(['resume Due 2']);
    expect(stepsWith(twoRuns - SECOND, later)).toEqual(['mint Due']);
  });

  test('is left alone where AWSCURRENT is not due, and loses its label where somebody had asked for it', () => {
    const forced = waiting(DAY, { expiresAt: NOW + HOUR, marker: { forced: true } });
    expect(steps({ current: young, next: forced, entry, thirdMs })).toEqual([
      'detach-pending PendingDead',
    ]);
  });
});

test('one for a window is minted when it has enough left there, if what consumers have outlives it', () => {
  const entry = {
    ...{ rotateEvery: '2d', expiresAfter: '7d', gracePeriod: '6h', renewBefore: '3d' },
    windows: ['Sun 02:00-04:00'],
  };
  const daily = { entry, thirdMs: 3 * DAY, labels: { AWSPENDING: 1 } };
  const due = armed(1, { age: 4 * DAY, expiresAt: NOW + 400 * DAY });
  const at = (text: string, more: Around = {}) =>
    steps({ current: due, ...daily, at: Date.parse(text), ...more });
  // It lives until Tuesday, or Wednesday: on Sunday it must have three days and settle left.
  expect(at('2026-03-03T03:00:00Z')).toEqual([]);
  const dead = { labels: { AWSPENDING: 2 } };
  expect(at('2026-03-03T03:00:00Z', dead)).toEqual(['detach-pending PendingDead']);
  expect(at('2026-03-04T03:00:00Z')).toEqual(['mint Due']);
  const asked = { asked: true };
  expect(at('2026-03-03T03:00:00Z', asked)).toEqual(['rotate Forced']);
  const dying = armed(1, { age: 4 * DAY, expiresAt: Date.parse('2026-03-07T03:00:00Z') });
  expect(at('2026-03-03T03:00:00Z', { current: dying })).toEqual(['mint Due']);
});

describe('windows', () => {
  const entry = { windows: ['Mon-Fri 22:00-02:00'] };
  const document = { timeZone: 'Europe/Berlin' };
  const current = armed(1, { age: 40 * DAY, expiresAt: NOW + 50 * DAY });
  const at = (text: string, more: Around = {}) =>
    steps({ current, next: waiting(DAY), entry, document, at: Date.parse(text), ...more });

  test('hold back the promotion, to the second', () => {
    expect(at('2026-03-02T20:59:59Z')).toEqual([]);
    expect(at('2026-03-02T21:00:00Z')).toEqual(['resume Due 2']);
    expect(at('2026-03-03T00:59:59Z')).toEqual(['resume Due 2']);
    expect(at('2026-03-03T01:00:00Z')).toEqual([]);
  });

  test('hold back nothing but the promotion', () => {
    const outside = '2026-03-02T12:00:00Z';
    expect(at(outside, { labels: { AWSPENDING: 1 } })).toEqual(['mint Due']);
    expect(at(outside, { next: inert(2, { age: HOUR }) })).toEqual(['arm Due 2']);
  });

  test('hold back no narrowing for ever, and no widening of what waits', () => {
    const permissions = [...WRITE, { action: 'read', resource: 'telemetry' }];
    const wide = armed(1, { age: DAY, permissions, marker: { grants: grantsHash(permissions) } });
    expect(at('2026-03-02T20:59:59Z', { current: wide, next: waiting(HOUR) })).toEqual([]);
    expect(at('2026-03-02T21:00:00Z', { current: wide, next: waiting(HOUR) })).toEqual([
      'resume PermissionsNarrowed 2',
    ]);
  });

  test('are not waited for near expiry, nor by anybody who asked', () => {
    const outside = '2026-03-02T12:00:00Z';
    const near = armed(1, { age: 77 * DAY });
    expect(at(outside, { current: near })).toEqual(['resume NearExpiry 2']);
    expect(at(outside, { asked: true })).toEqual(['resume Forced 2']);
    expect(at(outside, { current: undefined })).toEqual(['resume CurrentGone 2']);
    const forced = waiting(MINUTE, { marker: { forced: true } });
    expect(at(outside, { next: forced })).toEqual(['resume Due 2']);
  });

  test('do not make near expiry forget to settle', () => {
    const near = armed(1, { age: 77 * DAY });
    expect(at('2026-03-02T12:00:00Z', { current: near, next: waiting(MINUTE) })).toEqual([]);
  });
});

test('consumers without a token that works are not kept waiting', () => {
  const next = waiting(SECOND);
  expect(steps({ next })).toEqual(['resume CurrentGone 2']);
  expect(steps({ current: armed(1, { age: 90 * DAY }), next })).toEqual(['resume Expired 2']);
  expect(steps({ current: { ...young, revokedAt: NOW }, next })).toEqual(['resume CurrentGone 2']);
});

test('what would expire before a later run could promote its successor is not left to that', () => {
  const expiring = (left: number) => armed(1, { age: DAY, expiresAt: NOW + left });
  const next = waiting(MINUTE);
  const entry = { gracePeriod: '1h' };
  expect(steps({ current: expiring(3 * HOUR + SETTLE), next, entry })).toEqual([]);
  const current = expiring(3 * HOUR + SETTLE - SECOND);
  expect(steps({ current, next, entry })).toEqual(['resume NearExpiry 2']);
  expect(steps({ current, next, entry, thirdMs: 90 * MINUTE })).toEqual([]);
  // The next run, in an hour, would leave it less than its grace period.
  const long = { gracePeriod: '1d' };
  expect(steps({ current: expiring(25 * HOUR + SETTLE), next, entry: long })).toEqual([]);
  const cut = expiring(25 * HOUR + SETTLE - SECOND);
  expect(steps({ current: cut, next, entry: long })).toEqual(['resume NearExpiry 2']);
});

test('a rotation by name promotes the token that waits, and mints none', () => {
  expect(steps({ current: young, next: waiting(SECOND), asked: true })).toEqual([
    'resume Forced 2',
  ]);
  expect(steps({ current: due, next: inert(2), asked: true })).toEqual(['resume Forced 2']);
});

test('what somebody asked for is resumed though the current token is not due', () => {
  const next = waiting(SECOND, { marker: { forced: true } });
  expect(steps({ current: young, next })).toEqual(['resume Pending 2']);
});

test('takes AWSPENDING off a token that nobody needs', () => {
  expect(steps({ current: young, next: waiting(HOUR) })).toEqual(['detach-pending PendingNotDue']);
});

describe('takes AWSPENDING off, or mints anew where a successor is due, instead of', () => {
  const dead: readonly (readonly [string, Token])[] = [
    ['what a person stripped', waiting(HOUR, { permissions: [] })],
    ['what a person froze', waiting(HOUR, { marker: { frozen: NOW - MINUTE } })],
    ['what was frozen before it was armed', inert(2, { marker: { frozen: NOW - MINUTE } })],
    ['what expired', waiting(HOUR, { expiresAt: NOW })],
    ['what was revoked', { ...waiting(HOUR), revokedAt: NOW }],
    ['what is not ours', foreign(2)],
    ['what was promoted before', waiting(HOUR, { marker: { promoted: NOW - 2 * DAY } })],
    ['what was superseded', waiting(HOUR, { marker: { superseded: NOW - MINUTE } })],
    ['what was quarantined', waiting(HOUR, { marker: { quarantined: NOW - MINUTE } })],
  ];
  test.each(dead)('%s', (_, next) => {
    expect(steps({ current: young, next })).toEqual(['detach-pending PendingDead']);
    expect(steps({ current: due, next })).toEqual(['mint Due']);
    expect(steps({ next })).toEqual(['rotate CurrentGone']);
  });

  test('what somebody rolled back from, also where nobody has noted that', () => {
    const labels = { AWSPREVIOUS: 2 };
    expect(steps({ current: young, next: waiting(HOUR), labels })).toEqual([
      'detach-pending PendingDead',
    ]);
    expect(steps({ current: due, next: waiting(HOUR), labels })).toEqual(['mint Due']);
  });

  test('what never was a token that we know', () => {
    expect(steps({ current: young })).toEqual(['detach-pending PendingDead']);
    expect(steps({ current: due })).toEqual(['mint Due']);
  });
});

describe('a pending token that is older than AWSCURRENT', () => {
  const older = waiting(31 * DAY, { expiresAt: NOW + 30 * DAY });

  test('is never promoted, whoever asked for it', () => {
    expect(steps({ current: young, next: older })).toEqual(['detach-pending PendingOlder']);
    const forced = waiting(31 * DAY, { expiresAt: NOW + 30 * DAY, marker: { forced: true } });
    expect(steps({ current: young, next: forced })).toEqual(['detach-pending PendingOlder']);
    expect(steps({ current: due, next: older })).toEqual(['mint Due']);
    expect(steps({ current: young, next: older, asked: true })).toEqual(['rotate Forced']);
  });

  test('counts as older than a token of others, too', () => {
    const current = foreign(1, { createdAt: NOW - DAY, expiresAt: NOW + 90 * DAY });
    expect(steps({ current, next: waiting(DAY + SECOND) })).toEqual([
      'detach-pending PendingOlder',
    ]);
    expect(steps({ current, next: waiting(DAY) })).toEqual(['detach-pending PendingNotDue']);
  });

  test.each([-4, 0, 4])(
    'is older than a string that nobody knows if its version is, whatever a clock that is %i minutes off says',
    (skew) => {
      const unknown = (madeAt: number) =>
        steps({
          next: waiting(DAY - skew * MINUTE),
          labels: { AWSCURRENT: SAVED },
          versionTimes: { [SAVED]: madeAt, [version(2)]: NOW - DAY },
          asked: true,
        });
      expect(unknown(NOW - DAY + SECOND)).toEqual(['rotate Forced']);
      expect(unknown(NOW - DAY)).toEqual(['resume Forced 2']);
    },
  );

  test('is promoted if the current one is gone', () => {
    const versionTimes = { [version(1)]: NOW - DAY };
    expect(steps({ next: older, versionTimes })).toEqual(['resume CurrentGone 2']);
  });
});

describe('a version that Secrets Manager’s own rotation made', () => {
  const made = (ago: number, around: Around = {}) =>
    steps({
      current: due,
      labels: { AWSPENDING: SAVED },
      versionTimes: { [SAVED]: NOW - ago },
      ...around,
    });
  const minted = inert(2, { marker: { minted: SAVED, fp: '0123456789abcdef', forced: true } });
  const empty = { strings: { [SAVED]: 'empty' } } as const;

  test('is left to it for an hour, with a value or without', () => {
    expect(made(HOUR - 1, empty)).toEqual([]);
    expect(made(HOUR - 1)).toEqual([]);
    expect(made(HOUR - 1, { next: minted })).toEqual([]);
    expect(made(HOUR - 1, { ...empty, current: young })).toEqual([]);
  });

  test('is resumed after that like any other, or gives way', () => {
    expect(made(HOUR, { current: young, next: minted })).toEqual(['resume Pending 2']);
    expect(made(HOUR, empty)).toEqual(['mint Due']);
    expect(made(HOUR)).toEqual(['mint Due']);
    expect(made(HOUR, { ...empty, current: young })).toEqual(['detach-pending PendingDead']);
    expect(made(HOUR, { current: young })).toEqual(['detach-pending PendingDead']);
  });

  test('is not waited for where consumers cannot wait, or somebody asks for a rotation', () => {
    expect(made(MINUTE, { ...empty, asked: true })).toEqual(['rotate Forced']);
    expect(made(MINUTE, { ...empty, current: undefined })).toEqual(['rotate CurrentGone']);
    expect(made(MINUTE, { ...empty, current: armed(1, { age: 90 * DAY }) })).toEqual([
      'rotate Expired',
    ]);
    expect(made(MINUTE, { ...empty, current: armed(1, { age: 77 * DAY }) })).toEqual([
      'mint NearExpiry',
    ]);
  });

  test('is left alone where nobody asked when it was made', () => {
    expect(steps({ current: due, labels: { AWSPENDING: SAVED }, ...empty })).toEqual([]);
  });

  test('is none that Keyturn put, now or in 0.1', () => {
    expect(steps({ current: due, next: waiting(DAY), labels: { AWSPENDING: id(2) } })).toEqual([
      'resume Due 2',
    ]);
    expect(steps({ current: young })).toEqual(['detach-pending PendingDead']);
  });
});

test('leaves AWSPENDING on the current version, also where a person put AWSPREVIOUS there too', () => {
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: 1, AWSPENDING: 1 };
  expect(steps({ current: young, labels })).toEqual([]);
});

test('never promotes again what somebody rolled back from', () => {
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 2 };
  const current = armed(1, { age: 31 * DAY, marker: { superseded: NOW - DAY } });
  const due = ['mint Due', 'recognise RolledBack 1'];
  expect(steps({ current, next: waiting(DAY), labels })).toEqual(due);
});

test('leaves AWSPENDING where promotion left it', () => {
  expect(steps({ current: young, labels: { AWSPENDING: 1 } })).toEqual([]);
});

test('what waits for a token that a person stripped waits with it', () => {
  const current = armed(1, { age: 40 * DAY, permissions: [] });
  expect(steps({ current, next: waiting(DAY) })).toEqual([]);
});

describe('a token that lost AWSPENDING because a person saved the secret', () => {
  const saved = { AWSCURRENT: SAVED, AWSPREVIOUS: 1 };
  const permissions: Permission[] = [...WRITE, { action: 'read', resource: 'telemetry' }];
  const both = {
    entry: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
    given: { permissions, marker: { grants: grantsHash(permissions) } },
  };
  interface Saved extends Partial<Pick<Around, 'document' | 'entry' | 'asked'>> {
    readonly current?: Token;
    readonly next?: Token;
    readonly labels?: Labels;
    /** When the versions of the token and of the save were made; the token's is gone where it is undefined. */
    readonly putAt?: number | undefined;
    readonly savedAt?: number;
  }
  function stepsAfterSave(world: Saved = {}) {
    const { current = due, next = waiting(DAY), labels = saved, savedAt = NOW - HOUR } = world;
    const putAt = 'putAt' in world ? world.putAt : NOW - DAY;
    const observation = observationOf({
      secrets: [secretOf(labels)],
      tokens: [current, next],
      strings: { [SAVED]: 1 },
      versionTimes: { [SAVED]: savedAt, ...(putAt !== undefined && { [version(2)]: putAt }) },
    });
    const request = world.asked ? { force: true, tokens: ['telegraf'] } : { force: false };
    const policy = policyOf(world.document, world.entry);
    return stepsOf(planRotation(policy, observation, request, LEARNT)).filter(
      (step) => !step.startsWith('recognise'),
    );
  }

  test('goes on like any that waits', () => {
    expect(stepsAfterSave()).toEqual(['resume Due 2']);
    expect(stepsAfterSave({ next: waiting(MINUTE) })).toEqual(['arm Due 2']);
    const entry = { windows: ['Sun 02:00-02:01'] };
    expect(stepsAfterSave({ entry })).toEqual(['arm Due 2']);
    expect(stepsAfterSave({ asked: true, next: waiting(MINUTE) })).toEqual(['resume Forced 2']);
    // RotateSecret leaves the label on what it promoted.
    const labels = { ...saved, AWSPENDING: 1 };
    expect(stepsAfterSave({ labels })).toEqual(['resume Due 2']);
    // A save is a save under a bare id, too, however often it is repeated.
    expect(stepsAfterSave({ labels: { AWSCURRENT: SAVED } })).toEqual(['resume Due 2']);
  });

  test('is not promoted where AWSCURRENT is not due', () => {
    expect(stepsAfterSave({ current: young, next: waiting(HOUR) })).toEqual([]);
  });

  test.each<readonly [string, Saved]>([
    ['took the label off before anything was saved', { savedAt: NOW - 2 * DAY }],
    ['took the label off and saved nothing', { labels: { AWSCURRENT: 1 } }],
    [
      'came back to a token that was replaced',
      { current: armed(1, { age: 30 * DAY, marker: { superseded: NOW - DAY } }) },
    ],
    ['rolled back from it', { labels: { AWSCURRENT: SAVED, AWSPREVIOUS: 2 } }],
    ['changed its permissions', { next: waiting(DAY, { marker: { grants: '00000000' } }) }],
    ['took its permissions', { next: waiting(DAY, { permissions: [] }) }],
  ])('is left where a person %s', (_what, world) => {
    expect(stepsAfterSave(world)).toEqual(['mint Due']);
  });

  test.each<readonly [string, Saved]>([
    ['older than AWSCURRENT', { next: waiting(40 * DAY) }],
    ['expired', { next: waiting(DAY, { expiresAt: NOW }) }],
    ['never armed', { next: inert(2, { age: DAY }) }],
    ['promoted before', { next: waiting(DAY, { marker: { promoted: NOW } }) }],
    ['superseded', { next: waiting(DAY, { marker: { superseded: NOW } }) }],
    ['quarantined', { next: waiting(DAY, { marker: { quarantined: NOW } }) }],
    ['frozen', { next: waiting(DAY, { marker: { frozen: NOW } }) }],
    ['of an order', { next: waiting(DAY, { marker: { order: 'abcdef' } }) }],
    ['of Secrets Manager’s own rotation', { next: waiting(DAY, { marker: { minted: id(80) } }) }],
    ['without its version', { putAt: undefined }],
    [
      'armed for another policy',
      { entry: both.entry, current: armed(1, { age: 30 * DAY, ...both.given }) },
    ],
  ])('is left if it is %s', (_what, world) => {
    expect(stepsAfterSave(world)).toEqual(['mint Due']);
  });
});
