import { expect, test } from 'vitest';
import {
  describeHold,
  HOLD_LABELS,
  HOLD_TAG,
  holdOf,
  holdOrigin,
  holdText,
  missingTraces,
} from '../../../functions/secrets-manager/hold.ts';

const AT = Date.UTC(2026, 10, 26, 3);
const secretOf = (tag?: string, ...labels: ('frozen' | 'deleted')[]) => ({
  tags: tag === undefined ? {} : { [HOLD_TAG]: tag },
  labels: Object.fromEntries(labels.map((hold) => [HOLD_LABELS[hold], 'v1'])),
});

test('reads a hold from its tag, and any unknown value as a wish to stop', () => {
  const hold = (value?: string) => holdOf(secretOf(value));
  expect([hold(), hold('frozen'), hold('deleted'), hold('yes'), hold('')]).toEqual([
    undefined,
    'frozen',
    'deleted',
    'frozen',
    'frozen',
  ]);
});

test('either trace holds, and of two the harsher one', () => {
  expect(holdOf(secretOf(undefined, 'frozen'))).toBe('frozen');
  expect(holdOf(secretOf(undefined, 'deleted'))).toBe('deleted');
  expect(holdOf(secretOf('frozen', 'deleted'))).toBe('deleted');
  expect(holdOf(secretOf('deleted', 'frozen'))).toBe('deleted');
  expect(missingTraces(secretOf('deleted', 'frozen'), 'deleted')).toEqual(['label']);
  expect(missingTraces(secretOf('frozen', 'deleted'), 'deleted')).toEqual(['tag']);
  expect(missingTraces(secretOf(), 'frozen')).toEqual(['label', 'tag']);
});

test('says who, when and why, in what a tag takes', () => {
  const text = holdText('deleted', {
    at: AT,
    by: 'alice smith@laptop;rm',
    reason: `leaked ("in a log"), see https://example.com/a?b=c ${'x'.repeat(300)}`,
  });
  expect(text.length).toBeLessThanOrEqual(256);
  expect(text).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u);
  expect(holdOf(secretOf(text))).toBe('deleted');
  expect(holdOrigin(secretOf(text))).toMatchObject({
    at: AT,
    by: 'alice-smith@laptop-rm',
    reason: expect.stringContaining('leaked in a log'),
  });
  expect(describeHold(secretOf(text))).toMatch(
    /^on hold \(deleted\) since 2026-11-26T03:00:00Z, by alice-smith@laptop-rm: leaked/,
  );
});

test.each([
  [secretOf('frozen'), 'on hold (frozen); its tag does not say by whom or why'],
  [secretOf('do not touch'), 'on hold (frozen); its tag was written by hand: do not touch'],
  [secretOf(undefined, 'deleted'), 'on hold (deleted) by its label alone; its tag was taken away'],
  [secretOf(), undefined],
])('says of every hold what is known of it (%#)', (secret, words) => {
  expect(describeHold(secret)).toBe(words);
});
