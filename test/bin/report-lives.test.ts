import { expect, test } from 'vitest';
import type { Happening } from '../../bin/keyturn/history/happening.ts';
import { type Life, livesOf, type Present } from '../../bin/keyturn/report/lives.ts';

const SECRET = 'keyturn/prod/telegraf';
const NOW = 100;
const ALL_SEEN: Present = {
  now: NOW,
  living: new Set(['a', 'b']),
  current: new Set(),
  pending: new Set(),
};

/** In order of time: the first is at 0, the next at 1, and so on. */
const told = (
  ...those: readonly (readonly [tokenId: string, what: string, why?: string])[]
): readonly Happening[] =>
  those.map(([tokenId, what, why], at) => ({
    ...{ at, tokenId, what, why, secret: SECRET, by: 'schedule', sources: ['log of rotate'] },
    count: 1,
  }));

const spansOf = ({ spans }: Life) =>
  spans.map(({ state, from, until }) => `${state} ${from}-${until ?? ''}`);

function lifeOf(
  happenings: readonly Happening[],
  present: Partial<Present> = {},
  id = 'a',
): Life | undefined {
  const lives = livesOf(happenings, { ...ALL_SEEN, ...present });
  return lives.find(({ tokenId }) => tokenId === id);
}
const spans = (...given: Parameters<typeof lifeOf>) => {
  const life = lifeOf(...given);
  return life ? spansOf(life) : [];
};

test('a token is followed from its minting to its deletion', () => {
  const happenings = told(
    ['a', 'minted'],
    ['a', 'stored'],
    ['a', 'proven'],
    ['a', 'promoted'],
    ['b', 'promoted'],
    ['a', 'superseded'],
    ['a', 'grace period over'],
    ['a', 'quarantined'],
    ['a', 'deleted', 'QuarantineOver'],
  );
  expect(lifeOf(happenings)).toEqual({
    tokenId: 'a',
    secret: SECRET,
    mintedAt: 0,
    endedAt: 8,
    spans: [
      { state: 'inert', from: 0, until: 1 },
      { state: 'pending', from: 1, until: 3 },
      { state: 'current', from: 3, until: 4 },
      // AWSCURRENT left it when the next one got it.
      { state: 'superseded', from: 4, until: 7 },
      { state: 'quarantined', from: 7, until: 8 },
    ],
    notes: ['deleted: schedule; QuarantineOver'],
  });
});

test('a promotion takes nothing from the token of another secret', () => {
  const [first, second] = told(['a', 'promoted'], ['b', 'promoted']);
  const others = [first, { ...second, secret: 'keyturn/prod/grafana' }] as readonly Happening[];
  expect(spans(others)).toEqual(['current 0-']);
});

test('what is given back is again what it was, and after a rollback what consumers read', () => {
  const frozen = told(['a', 'promoted'], ['a', 'frozen'], ['a', 'permissions given back']);
  expect(spans(frozen)).toEqual(['current 0-1', 'frozen 1-2', 'current 2-']);
  const back = told(
    ['b', 'promoted'],
    ['a', 'superseded'],
    ['a', 'quarantined'],
    ['a', 'permissions given back', 'RolledBack'],
  );
  expect(spans(back)).toEqual(['superseded 1-2', 'quarantined 2-3', 'current 3-']);
  expect(spans(back, {}, 'b')).toEqual(['current 0-3', 'superseded 3-']);
});

test('what was never stored is inert to its end, and is not called superseded', () => {
  const orphan = told(['a', 'minted'], ['a', 'superseded']);
  expect(spans(orphan)).toEqual(['inert 0-1', 'unknown 1-']);
  const deleted = told(['a', 'minted'], ['a', 'superseded'], ['a', 'deleted', 'Orphan']);
  expect(spans(deleted)).toEqual(['inert 0-2']);
});

test('a marker that says again what is known is no step back', () => {
  const again = told(['a', 'promoted'], ['a', 'stored'], ['a', 'quarantined'], ['a', 'superseded']);
  expect(spans(again)).toEqual(['current 0-2', 'quarantined 2-']);
});

test('an expired token stays expired until it is deleted, whether or not it is listed', () => {
  const expired = told(['a', 'promoted'], ['a', 'expired']);
  expect(spans(expired, { living: new Set() })).toEqual(['current 0-1', 'expired 1-']);
});

test('of a token that is listed no more, and whose end nothing tells, nothing is claimed', () => {
  const happenings = told(['a', 'promoted'], ['a', 'superseded']);
  const life = lifeOf(happenings, { living: new Set() });
  expect(life && spansOf(life)).toEqual(['current 0-1', 'superseded 1-1', 'unknown 1-']);
  expect(life?.endedAt).toBeUndefined();
  expect(life?.notes).toEqual([
    'nothing tells when it was minted',
    'last told of as superseded; the cluster lists it no more as a token that works, and nothing tells when it ended',
  ]);
});

test('where the cluster was not asked, only what rotate sees under a label is known', () => {
  const { living, ...notAsked } = ALL_SEEN;
  const happenings = told(['a', 'promoted'], ['b', 'promoted']);
  const lives = livesOf(happenings, { ...notAsked, current: new Set(['b']) });
  expect(lives.map(spansOf)).toEqual([
    ['current 0-1', 'superseded 1-1', 'unknown 1-'],
    ['current 1-'],
  ]);
  expect(lives[0]?.notes.at(-1)).toMatch(/could not be asked/);
});

test('where history and status are at odds, it is said, and the time between is unknown', () => {
  const life = lifeOf(told(['a', 'minted'], ['a', 'stored']), { current: new Set(['a']) });
  expect(life && spansOf(life)).toEqual([
    'inert 0-1',
    'pending 1-1',
    `unknown 1-${NOW}`,
    `current ${NOW}-`,
  ]);
  expect(life?.notes).toEqual(['it is current now, and nothing tells since when']);
});

test('a token on hold under AWSCURRENT is shown as frozen, not as current', () => {
  const happenings = told(['a', 'promoted'], ['a', 'frozen']);
  expect(spans(happenings, { current: new Set(['a']) })).toEqual(['current 0-1', 'frozen 1-']);
});
