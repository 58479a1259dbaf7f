import { expect, test } from 'vitest';
import type { Happening } from '../../bin/keyturn/history/happening.ts';
import type { Span, TokenState } from '../../bin/keyturn/report/life.ts';
import { HOUR } from '../world/policy.ts';
import type { Question } from './draw.ts';
import { falseBars, falseLines, needlessDoubts } from './judge.ts';
import type { Looked } from './look.ts';
import { type Held, type Lived, PERSON, type Truth } from './truth.ts';

const SECRET = 'keyturn/prod/telegraf';
const LAST = 48;
const WHOLE: Question = { denied: [] };

const held = (hour: number, tokenId: string, more: Partial<Held> = {}): Held => ({
  ...{ at: hour * HOUR, by: 'rotate', secret: SECRET, tokenId, version: tokenId, isMoved: true },
  ...more,
});
const lived = (hour: number, tokenId: string, more: Partial<Lived> = {}): Lived => ({
  ...{ at: hour * HOUR, by: 'rotate', tokenId, hasPermissions: true, isDeleted: false },
  ...more,
});

/** The token a for ten hours, then b; a is quarantined at 20 and deleted at 30. */
const TRUTH: Truth = {
  held: [held(0, 'a'), held(10, 'b')],
  lived: [
    ...[lived(0, 'a'), lived(9, 'b'), lived(20, 'a', { hasPermissions: false })],
    lived(30, 'a', { hasPermissions: false, isDeleted: true }),
  ],
  looks: [],
};

/** `current 0-10` */
const spansOf = (...drawn: readonly string[]): readonly Span[] =>
  drawn.map((each) => {
    const [, state, from, until] = /^(\w+) (\d+)-(\d*)$/.exec(each) ?? [];
    const span = { state: state as TokenState, from: Number(from) * HOUR };
    return until ? { ...span, until: Number(until) * HOUR } : span;
  });
const A = ['current 0-10', 'superseded 10-20', 'quarantined 20-30'];
const B = ['pending 9-10', 'current 10-'];

const told = (hour: number, what: string, more: Partial<Happening> = {}): Happening => ({
  ...{ at: hour * HOUR, what, tokenId: 'a', by: 'schedule', sources: ['log of rotate'], count: 1 },
  ...more,
});

interface Drawn {
  readonly a?: readonly string[];
  readonly b?: readonly string[];
  readonly question?: Question;
  readonly happenings?: readonly Happening[];
}

function looked({ a = A, b = B, question = WHOLE, happenings = [] }: Drawn): Looked {
  const lives = [
    { tokenId: 'a', spans: spansOf(...a), notes: [] },
    { tokenId: 'b', spans: spansOf(...b), notes: [] },
  ];
  return {
    ...{ question, since: 0 },
    page: { now: LAST * HOUR, groups: [{ name: 'telegraf', lives, marks: [] }] },
    history: { happenings },
  } as unknown as Looked;
}

test('bars that are as it was are right, and so is one that says nothing', () => {
  expect(falseBars(looked({}), TRUTH)).toEqual([]);
  expect(falseBars(looked({ a: ['unknown 0-48'], b: ['unknown 0-'] }), TRUTH)).toEqual([]);
});

test.each<[string, Drawn, RegExp]>([
  ['too long', { a: ['current 0-15', 'superseded 15-20', A[2] ?? ''] }, /a: drawn as current, and/],
  ['too late', { b: ['pending 9-15', 'current 15-'] }, /b: drawn as pending, current$/],
  ['as working', { a: ['current 0-10', 'superseded 10-30'] }, /a: .*superseded, without permis/],
  ['as dead', { a: [A[0] ?? '', 'quarantined 10-30'] }, /a: drawn as quarantined, and works$/],
  ['beyond its end', { a: [...A.slice(0, 2), 'quarantined 20-'] }, /a: .*quarantined, deleted$/],
  ['before its time', { b: ['pending 3-10', 'current 10-'] }, /b: .* before it was minted$/],
  ['with a gap', { a: ['current 0-5', ...A.slice(1)] }, /a: not drawn, and lives$/],
])('a bar that is drawn %s is told', (_, drawn, said) => {
  expect(falseBars(looked(drawn), TRUTH)).toEqual([expect.stringMatching(said)]);
});

test('who took permissions is not asked where nobody may read its log, or only of later', () => {
  const a = ['current 0-10', 'superseded 10-30'];
  const asked = (denied: string, more: object = {}) =>
    falseBars({ ...looked({ a, question: { denied: [denied] } }), ...more }, TRUTH);
  expect(asked('revoke')).toHaveLength(1);
  expect(asked('rotate')).toEqual([]);
  expect(asked('revoke', { since: 21 * HOUR })).toEqual([]);
});

test('a move by hand is an excuse until a run looks at the secret', () => {
  const back = held(36, 'a', { by: PERSON });
  const alive = TRUTH.lived.filter(({ at }) => at < 20 * HOUR);
  const moved = { ...TRUTH, lived: alive, held: [...TRUTH.held, back] };
  const drawn = looked({ a: ['current 0-10', 'superseded 10-'] });
  expect(falseBars(drawn, moved)).toEqual([]);
  const seen = { ...moved, looks: [{ at: 39 * HOUR, secret: SECRET }] };
  expect(falseBars(drawn, seen)).toHaveLength(2);
  // Then it is known that it was moved before, and nothing else may be claimed of that time.
  expect(falseBars(drawn, seen)[0]).toMatch(/^1970-01-02T12:/);
  expect(falseBars({ ...drawn, question: { denied: ['reap'] } }, seen)[0]).toMatch(
    /^1970-01-02T15:/,
  );
  const saved = { ...moved, held: [...TRUTH.held, { ...back, isMoved: false }] };
  expect(falseBars(drawn, saved)).toHaveLength(2);
  // What is told begins later.
  expect(falseBars({ ...drawn, since: 37 * HOUR }, saved)).toEqual([]);
});

test('a doubt is needless where Keyturn gave consumers what they had, and took it again', () => {
  const drawn = looked({ a: ['unknown 0-10', ...A.slice(1)] });
  expect(needlessDoubts(drawn, TRUTH)).toEqual([expect.stringMatching(/^.* a: current, drawn as/)]);
  const taken = { ...TRUTH, held: [held(0, 'a'), held(10, 'b', { by: PERSON })] };
  expect(needlessDoubts(drawn, taken)).toEqual([]);
});

test.each<[string, Happening, boolean]>([
  ['promoted when it was', told(0, 'promoted'), true],
  ['promoted at another time', told(5, 'promoted'), false],
  ['promoted then or later', told(5, 'promoted', { why: 'then or later' }), true],
  ['deleted when it was', told(30, 'deleted'), true],
  ['deleted at another time', told(25, 'deleted'), false],
  ['deleted by others, and we did', told(30, 'deleted', { by: 'not Keyturn' }), false],
  ['perhaps by us', told(30, 'deleted', { by: 'not Keyturn, or a run that died there' }), true],
  ['refused when it was', told(25, 'string refused'), true],
  ['refused while it worked', told(15, 'string refused'), false],
])('a line that says %s is right: %#', (_, each, isRight) => {
  expect(falseLines(looked({ happenings: [each] }), TRUTH)).toHaveLength(isRight ? 0 : 1);
});

test('what a person did is not told as ours, and steps are told in the order in which they can be', () => {
  const deleted = { ...lived(30, 'a', { isDeleted: true }), by: PERSON };
  const byHand = { ...TRUTH, lived: [lived(0, 'a'), deleted] };
  expect(falseLines(looked({ happenings: [told(30, 'deleted')] }), byHand)).toHaveLength(1);
  const steps = [told(0, 'promoted'), told(0, 'minted')];
  expect(falseLines(looked({ happenings: steps }), TRUTH)).toEqual(['a: told as promoted, minted']);
});
