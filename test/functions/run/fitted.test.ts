import { expect, test } from 'vitest';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import { RevocationError } from '../../../functions/revocation/run-revocation.ts';
import { fitted, MOST_BYTES } from '../../../functions/run/fitted.ts';
import { failureOf } from '../../../functions/run/outcome.ts';

const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const action = (n: number, kind = 'mint') => ({
  kind,
  reason: 'Due',
  token: `token-${n}`,
  secret: `keyturn/prod/token-${n}`,
});
const entry = (n: number, condition = 'works') => ({
  token: `token-${n}`,
  secret: `keyturn/prod/token-${n}`,
  condition,
  tokenId: '00000000-0000-4000-8000-000000000000',
  late: false,
});
const all = <T>(count: number, make: (n: number) => T) =>
  Array.from({ length: count }, (_, n) => make(n));

/** As `rotate` answers; the last action failed, and the last entry is refused. */
const rotated = (count: number) => ({
  plan: {
    job: 'rotate',
    owner: 'prod',
    actions: all(count, action),
    findings: [{ kind: 'UnknownVersion', message: 'x', fails: true }],
    limits: [],
    refusals: [{ hash: '0123456789abcdef', message: 'x', actions: all(count, (n) => n) }],
  },
  outcomes: all(count, (n) => ({
    action: action(n),
    result: n === count - 1 ? 'failed' : 'armed',
  })),
  entries: all(count, (n) => entry(n, n === count - 1 ? 'refused' : 'works')),
  schedule: { name: 'keyturn-prod-rotate', state: 'on' },
});

test('an answer that fits stays as it is', () => {
  const answer = rotated(1_000);
  expect(fitted(answer, MOST_BYTES)).toBe(answer);
  expect(fitted(undefined, MOST_BYTES)).toBeUndefined();
});

test.each([30_000, 100_000])('of %i actions as many are answered as Lambda passes on', (count) => {
  const answer = fitted(rotated(count), MOST_BYTES);
  expect(sizeOf(answer)).toBeLessThanOrEqual(MOST_BYTES);
  expect(sizeOf(answer)).toBeGreaterThan(MOST_BYTES * 0.95);
  const { plan, outcomes, entries, schedule, leftOut } = answer;
  expect(schedule).toEqual(rotated(1).schedule);
  // What a person should see stands first; actions stay where refusals say that they are.
  expect(outcomes[0]).toEqual({ action: action(count - 1), result: 'failed' });
  expect(entries[0]).toEqual(entry(count - 1, 'refused'));
  expect(plan.actions).toEqual(all(plan.actions.length, action));
  expect(plan.findings).toHaveLength(1);
  expect(leftOut).toEqual(
    expect.arrayContaining([
      { list: 'plan.actions', shown: plan.actions.length, of: count, kinds: { mint: count } },
      {
        list: 'outcomes',
        shown: outcomes.length,
        of: count,
        kinds: { 'mint: armed': count - 1, 'mint: failed': 1 },
      },
      {
        list: 'entries',
        shown: entries.length,
        of: count,
        kinds: { works: count - 1, refused: 1 },
      },
    ]),
  );
});

test('an order about thirty thousand tokens is answered, its failures first', () => {
  const count = 30_000;
  const known = (n: number) => ({ ...entry(n), state: 'current', description: 'ä'.repeat(40) });
  const report = {
    way: 'freeze',
    plan: {
      tokens: all(count, known),
      secrets: all(count, (n) => `keyturn/prod/token-${n}`),
      actions: all(count, (n) => action(n, 'strip')),
      hash: '0123456789abcdef',
    },
    tokens: all(count, (n) => ({
      tokenId: `${n}`,
      token: `token-${n}`,
      secret: 'x'.repeat(100),
      result: 'frozen',
      ...(n > count - 3 && { unconfirmed: 'nobody asked' }),
    })),
    unconfirmed: all(count, (n) => `token-${n} may work`),
    done: true,
    confirmed: false,
  };
  const answer = fitted(report, MOST_BYTES);
  expect(sizeOf(answer)).toBeLessThanOrEqual(MOST_BYTES);
  expect(answer).toMatchObject({ way: 'freeze', done: true, confirmed: false });
  expect(answer.plan.hash).toBe(report.plan.hash);
  expect(answer.tokens.slice(0, 2).every(({ unconfirmed }) => unconfirmed)).toBe(true);
});

test('one item that is longer than all there is room for is left out', () => {
  const answer = { unconfirmed: ['x'.repeat(2_000), 'y'], done: false };
  expect(fitted(answer, 1_000)).toEqual({
    unconfirmed: [],
    done: false,
    leftOut: [{ list: 'unconfirmed', shown: 0, of: 2, kinds: {} }],
  });
});

test('an error names a hundred of thirty thousand failures, and how many more there are', () => {
  const failed = all(30_000, (n) => ({
    action: action(n),
    result: 'failed' as const,
    error: new Error('x'.repeat(1_100)),
  }));
  const waiting = all(30_000, (n) => ({ action: action(n), result: 'armed' as const }));
  const { message = '' } = failureOf([...failed, ...waiting]) ?? {};
  expect(Buffer.byteLength(message)).toBeLessThan(150_000);
  expect(message).toContain('30000 of 60000 actions failed:');
  expect(message.match(/and 29900 more, each of which the log names/g)).toHaveLength(2);
});

/** As Lambda writes an error that a function throws: one line, with every field that the error has. */
const loggedOf = (error: Error) =>
  JSON.stringify({ errorMessage: error.message, stack: error.stack?.split('\n'), ...error });

test('a log takes in one line what Lambda writes of a run or an order that failed, about thirty thousand tokens', () => {
  const count = 30_000;
  const outcomes = all(count, (n) => ({
    action: action(n),
    result: 'failed' as const,
    error: new Error('x'.repeat(1_100)),
  }));
  const ofRun = failureOf(outcomes);
  expect(ofRun && loggedOf(ofRun).length).toBeLessThan(256_000);
  const tokens = all(count, (n) => ({
    tokenId: `${n}`,
    secret: 'x'.repeat(100),
    result: 'failed',
  }));
  const report = { way: 'freeze', plan: {}, tokens, unconfirmed: [], done: false };
  const ofOrder = new RevocationError(report as unknown as RevocationReport, [], new Set(['why']));
  expect(loggedOf(ofOrder).length).toBeLessThan(1_000_000);
});
