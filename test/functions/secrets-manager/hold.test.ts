import { expect, test } from 'vitest';
import {
  describeHold,
  HOLD_LABELS,
  HOLD_TAG,
  hasOtherHold,
  holdOf,
  holdOrigin,
  holdText,
  missingTraces,
  tracesBelow,
  tracesOf,
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

test('keeps the hold of others in the same tag, whatever room it takes', () => {
  const alice = holdText('frozen', { at: AT, by: 'alice', reason: 'odd writes' });
  const both = holdText('frozen', { at: AT, by: 'bob', reason: 'legal' }, alice);
  expect(both).toBe(`${alice} + 2026-11-26T03:00:00Z by bob: legal`);
  const over = holdText('deleted', { at: AT, by: 'carol', reason: 'leaked' }, both);
  expect(tracesBelow(tracesOf(secretOf(over, 'deleted')))).toEqual({ tag: both, labels: [] });
  expect(missingTraces(secretOf(both, 'frozen'), 'frozen', { by: 'bob', reason: 'legal' })).toEqual(
    [],
  );
  let text: string | undefined;
  for (const hold of ['frozen', 'frozen', 'deleted', 'deleted', 'deleted'] as const) {
    const order = { by: 'somebody@a-long-name-of-a-laptop', reason: 'y'.repeat(300) };
    text = holdText(hold, { at: AT, ...order }, text);
    expect(text.length).toBeLessThanOrEqual(256);
    expect(missingTraces(secretOf(text, hold), hold, order)).toEqual([]);
    const below = hold === 'deleted' ? expect.stringMatching(/^frozen 2026/) : undefined;
    expect(tracesBelow(tracesOf(secretOf(text, hold))).tag).toEqual(below);
  }
});

const REASONS = [
  'moved + over: 3 sites',
  'moved + over:',
  '+ over: frozen',
  '+ + over: + over: x',
  'a + 2026-11-26T03:00:00Z by bob: legal',
  `${'y'.repeat(50)} + over: frozen`,
];
test.each(REASONS.flatMap((reason) => [{ reason }, { reason, by: 'alice' }]))(
  'no reason is read as a part of the tag: %j',
  (alice) => {
    const bob = { by: 'bob', reason: 'legal' };
    const frozen = holdText('frozen', { at: AT, ...alice });
    expect(missingTraces(secretOf(frozen, 'frozen'), 'frozen', alice)).toEqual([]);
    expect(missingTraces(secretOf(frozen, 'frozen'), 'frozen', bob)).toEqual(['tag']);
    const deleted = holdText('deleted', { at: AT, ...alice });
    expect(missingTraces(secretOf(deleted, 'deleted'), 'deleted', alice)).toEqual([]);
    expect(tracesBelow(tracesOf(secretOf(deleted, 'deleted')))).toEqual({ labels: [] });
    const both = holdText('deleted', { at: AT, ...bob }, deleted);
    expect(tracesBelow(tracesOf(secretOf(both, 'deleted')))).toEqual({ labels: [] });
    const over = holdText('deleted', { at: AT, ...alice }, frozen);
    expect(tracesBelow(tracesOf(secretOf(over, 'deleted')))).toEqual({ tag: frozen, labels: [] });
    const again = holdText('deleted', { at: AT, ...bob }, over);
    expect(tracesBelow(tracesOf(secretOf(again, 'deleted')))).toEqual({ tag: frozen, labels: [] });
  },
);

test.each(['???', '🔥🔥', '!', '?'.repeat(200), `${'y'.repeat(59)} ???`, ' + ', '-'])(
  'an order finds its own hold again, whatever its reason, beside any other: %j',
  (reason) => {
    const bob = { by: 'bob@laptop', reason };
    const alice = { by: 'alice', reason: 'leaked in the build' };
    for (const hold of ['frozen', 'deleted'] as const) {
      const standing = [
        ...[undefined, 'frozen', 'deleted', 'frozen INC-7'],
        ...(['frozen', 'deleted'] as const).map((kind) => holdText(kind, { at: AT, ...alice })),
      ].filter((text) => hold === 'deleted' || !text?.startsWith('deleted'));
      for (const text of standing) {
        const tagged = secretOf(holdText(hold, { at: AT, ...bob }, text), hold);
        expect(missingTraces(tagged, hold, bob)).toEqual([]);
      }
    }
  },
);

test.each(['frozen', 'deleted'] as const)(
  'words of a person in the tag are not read as a freeze below it: %s',
  (hold) => {
    const byHand = `${hold} INC-7 + over: 3 sites`;
    expect(tracesBelow(tracesOf(secretOf(byHand, hold)))).toEqual({ labels: [] });
    const bob = { by: 'bob', reason: 'legal' };
    const both = secretOf(holdText(hold, { at: AT, ...bob }, byHand), hold);
    expect(missingTraces(both, hold, bob)).toEqual([]);
    expect(tracesBelow(tracesOf(both))).toEqual({ labels: [] });
  },
);

test.each([
  ['the same', 'frozen a', ['frozen'], false],
  ['a part that is left', undefined, ['frozen'], false],
  ['nothing', undefined, [], false],
  ['another text', 'frozen a + b', ['frozen'], true],
  ['another label', 'frozen a', ['frozen', 'deleted'], true],
] as const)('tells another hold from one that was seen: %s', (_what, tag, labels, isOther) => {
  const known = tracesOf(secretOf('frozen a', 'frozen'));
  expect(hasOtherHold(secretOf(tag, ...labels), known)).toBe(isOther);
});
