import { expect, test } from 'vitest';
import { rotationsOf } from '../../bin/keyturn/history/evidence.ts';
import { happeningsOf, SAVED } from '../../bin/keyturn/history/happening.ts';
import { logFacts } from '../../bin/keyturn/history/log-facts.ts';
import { pastFacts, readPast } from '../../bin/keyturn/history/past-facts.ts';
import type { LogLine } from '../../bin/keyturn/history/read-logs.ts';

const AT = Date.UTC(2026, 2, 2, 12);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SECRET = 'keyturn/prod/telegraf';
const NOON = '2026-03-02T12:00:00Z';
const LATER = '2026-03-04T06:00:00Z';

interface Listed {
  readonly tokenId: string;
  readonly home?: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
  readonly marks: Readonly<Record<string, string>>;
}

const past = (tokens: readonly Listed[], versions: readonly object[] = []) =>
  readPast({
    history: {
      tokens: tokens.map((each) => ({ secret: SECRET, createdAt: NOON, ...each })),
      secrets: [{ secret: SECRET, versions }],
      unseen: [],
    },
  });

const told = (...given: Parameters<typeof pastFacts>) => happeningsOf(pastFacts(...given));

test('what is armed was stored by then, also where its version is not told of any more', () => {
  const armed = { tokenId: 'a', marks: { armed: NOON, promoted: LATER } };
  const stored = (answer: ReturnType<typeof past>) =>
    told(answer, Date.parse(LATER)).filter(({ what }) => what === 'stored');
  expect(stored(past([armed]))).toMatchObject([{ at: AT, tokenId: 'a', sources: ['cluster'] }]);
  const version = { version: 'keyturn-a', createdAt: NOON, labels: ['AWSCURRENT'], tokenId: 'a' };
  const kept = past([armed], [{ ...version, putBy: 'keyturn' }]);
  expect(stored(kept)).toMatchObject([{ sources: ['Secrets Manager'] }]);
  // A permission that it got since says nothing of its storing.
  expect(stored(past([{ tokenId: 'a', marks: { armed: LATER, promoted: NOON } }]))).toEqual([]);
});

test('a token of another secret of that name replaced nobody here, unless a log counts it to the secret', () => {
  const ours = { tokenId: 'a', marks: { promoted: NOON } };
  const other = { tokenId: 'b', home: 'deadbeef', marks: { promoted: LATER } };
  const answer = past([ours, other]);
  const formerOf = (logged: ReadonlySet<string>) =>
    rotationsOf(told(answer, Date.parse(LATER), logged), answer, AT).find(
      ({ tokenId }) => tokenId === 'b',
    )?.formerId;
  expect(formerOf(new Set())).toBeUndefined();
  expect(formerOf(new Set(['b']))).toBe('a');
});

test('what a person saved says what it gave AWSCURRENT, unless it only waits', () => {
  const saved = (labels: readonly string[], tokenId?: string) =>
    told(
      past(
        [],
        [{ version: 'v', createdAt: NOON, labels, putBy: 'others', ...(tokenId && { tokenId }) }],
      ),
      AT,
    ).map(({ what, gave }) => [what, gave]);
  expect(saved(['AWSCURRENT'])).toEqual([[SAVED, { tokenId: undefined, is: 'now' }]]);
  expect(saved(['AWSPREVIOUS'])).toEqual([[SAVED, { tokenId: undefined }]]);
  expect(saved([])).toEqual([[SAVED, { tokenId: undefined, is: 'perhaps' }]]);
  expect(saved([], 'a')).toEqual([[SAVED, { tokenId: 'a' }]]);
  expect(saved(['AWSPENDING'], 'a')).toEqual([[SAVED, undefined]]);
});

test('what two did that failed alike is not told as of one', () => {
  const line = (minute: number, message: string, details: object): LogLine => {
    return { at: AT + minute * MINUTE, stream: 'one', message, details: { ...details } };
  };
  const failed = { kind: 'delete', secret: SECRET, tokenId: 'a' };
  const order = { way: 'delete', reason: 'leaked', by: 'ada' };
  const answered = { error: 'HTTP 503' };
  const lines = [60, 120].flatMap((minute) => [
    line(minute, 'planned', { job: 'reap', by: 'schedule', dryRun: false, refusals: [] }),
    { ...line(minute, 'failed', failed), ...answered },
  ]);
  const happenings = happeningsOf([
    ...logFacts({
      ...{ job: 'revoke', group: 'revoke' },
      lines: [{ ...line(0, 'failed', { ...failed, ...order }), ...answered }],
    }),
    ...logFacts({ job: 'reap', group: 'reap', lines }),
  ]);
  expect(
    happenings
      .filter(({ what }) => what === 'failed: delete')
      .map(({ by, count, sources }) => [by, count, sources]),
  ).toEqual([
    ['ada', 1, ['log of revoke']],
    ['schedule', 2, ['log of reap']],
  ]);
});

test('a promotion that has the instant of the arming was then or later, and another one has its own', () => {
  const promotion = (armed: string) =>
    told(past([{ tokenId: 'a', marks: { armed, promoted: LATER } }]), Date.parse(LATER)).find(
      ({ what }) => what === 'promoted',
    );
  expect(promotion(LATER)?.isOrLater).toBe(true);
  expect(promotion(NOON)?.isOrLater).toBe(false);
});

test('a token that had expired before it was deleted is told as expired, and one that had not is not', () => {
  const token = { tokenId: 'a', marks: {}, expiresAt: LATER };
  const of = (revokedAt: string) =>
    told(past([{ ...token, revokedAt }]), Date.parse(LATER) + DAY).map(({ what }) => what);
  expect(of('2026-03-04T07:00:00Z')).toEqual(['minted', 'expired', 'deleted']);
  expect(of('2026-03-04T05:00:00Z')).toEqual(['minted', 'deleted']);
});
