import { expect, test } from 'vitest';
import { FOUND, type Gift, type Happening, SAVED } from '../../bin/keyturn/history/happening.ts';
import type { Life } from '../../bin/keyturn/report/life.ts';
import { type Labels, livesOf, type Present } from '../../bin/keyturn/report/lives.ts';
import { HOUR } from '../world/policy.ts';

const SECRET = 'keyturn/prod/telegraf';
/** Longer than a listing may be late. */
const STEP = 2 * HOUR;
const NOW = 100;
const listing = (...ids: readonly string[]) => new Map(ids.map((id) => [id, 'works' as const]));
const ALL_SEEN: Present = {
  ...{ now: NOW * STEP, since: 0 },
  ...{ living: listing('a', 'b'), labels: new Map(), isWhole: true },
};
/** What `rotate` sees under the labels of the secret. */
const seen = (labels: Labels): Pick<Present, 'labels'> => ({ labels: new Map([[SECRET, labels]]) });

/** In order of time: the first is at 0, the next at 1, and so on, in steps. */
const told = (
  ...those: readonly (readonly [tokenId: string, what: string, why?: string])[]
): readonly Happening[] =>
  those.map(([tokenId, what, why], index) => ({
    ...{
      at: index * STEP,
      tokenId,
      what,
      why,
      secret: SECRET,
      by: 'schedule',
      sources: ['log of rotate'],
    },
    count: 1,
  }));

const spansOf = ({ spans }: Life) =>
  spans.map(
    ({ state, from, until }) =>
      `${state} ${from / STEP}-${until === undefined ? '' : until / STEP}`,
  );

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
    endedAt: 8 * STEP,
    spans: [
      { state: 'inert', from: 0, until: STEP },
      { state: 'pending', from: STEP, until: 3 * STEP },
      { state: 'current', from: 3 * STEP, until: 4 * STEP },
      // AWSCURRENT left it when the next one got it.
      { state: 'superseded', from: 4 * STEP, until: 7 * STEP },
      { state: 'quarantined', from: 7 * STEP, until: 8 * STEP },
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
  expect(spans(back)).toEqual(['unknown 0-1', 'superseded 1-2', 'quarantined 2-3', 'current 3-']);
  // Somebody moved AWSCURRENT back before that was seen.
  expect(spans(back, {}, 'b')).toEqual(['current 0-0', 'unknown 0-3', 'superseded 3-']);
});

test('what was never stored is inert to its end, and is not called superseded', () => {
  const orphan = told(['a', 'minted'], ['a', 'superseded']);
  expect(spans(orphan)).toEqual(['inert 0-1', 'unknown 1-']);
  const deleted = told(['a', 'minted'], ['a', 'superseded'], ['a', 'deleted', 'Orphan']);
  expect(spans(deleted)).toEqual(['inert 0-2']);
});

test('a marker that says again what is known is no step back', () => {
  const again = told(['a', 'promoted'], ['a', 'stored'], ['a', 'quarantined'], ['a', 'superseded']);
  const living = new Map([['a', 'without permissions' as const]]);
  expect(spans(again, { living })).toEqual(['current 0-2', 'quarantined 2-']);
});

test('what waited and was frozen may have been promoted between, where no log tells of either', () => {
  const frozen = told(['a', 'minted'], ['a', 'stored'], ['a', 'frozen']);
  const living = new Map([['a', 'without permissions' as const]]);
  expect(spans(frozen, { living })).toEqual(['inert 0-1', 'pending 1-2', 'frozen 2-']);
  const unlogged = frozen.map((each) => ({ ...each, sources: ['cluster'] }));
  const open = ['inert 0-1', 'pending 1-1', 'unknown 1-2', 'frozen 2-'];
  expect(spans(frozen, { living, isWhole: false })).toEqual(open);
  expect(spans(unlogged, { living })).toEqual([
    'inert 0-1',
    'pending 1-1',
    'unknown 1-2',
    'frozen 2-',
  ]);
});

test('an expired token stays expired until it is deleted, whether or not it is listed', () => {
  const expired = told(['a', 'promoted'], ['a', 'expired']);
  expect(spans(expired, { living: listing() })).toEqual(['current 0-1', 'expired 1-']);
});

test('of a token that is listed no more, and whose end nothing tells, nothing is claimed', () => {
  const happenings = told(['a', 'promoted'], ['a', 'superseded']);
  const life = lifeOf(happenings, { living: listing() });
  expect(life && spansOf(life)).toEqual([
    'current 0-0',
    // It was superseded then or before.
    'unknown 0-1',
    'superseded 1-1',
    'unknown 1-',
  ]);
  expect(life?.endedAt).toBeUndefined();
  expect(life?.notes).toEqual([
    'nothing tells when it was minted',
    'it was seen without AWSCURRENT, and nothing tells since when',
    'last told of as superseded; the cluster lists it no more as a token that works, and nothing tells when it ended',
  ]);
});

test('where the cluster was not asked, only what rotate sees under a label is known', () => {
  const { living, ...notAsked } = ALL_SEEN;
  const happenings = told(['a', 'promoted'], ['b', 'promoted']);
  const lives = livesOf(happenings, { ...notAsked, ...seen({ current: 'b' }) });
  expect(lives.map(spansOf)).toEqual([
    ['current 0-1', 'superseded 1-1', 'unknown 1-'],
    ['unknown 0-1', 'current 1-'],
  ]);
  expect(lives[0]?.notes.at(-1)).toMatch(/could not be asked/);
});

test('where history and status are at odds, it is said, and the time between is unknown', () => {
  const life = lifeOf(told(['a', 'minted'], ['a', 'stored']), seen({ current: 'a' }));
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
  const living = new Map([['a', 'without permissions' as const]]);
  const now = { ...seen({ current: 'a' }), living };
  expect(spans(happenings, now)).toEqual(['current 0-1', 'frozen 1-']);
});

/** A version that a person saved, with the string of a token, or with one that nobody knows. */
const saved = (at: number, tokenId?: string, is?: Gift['is']): Happening => ({
  ...{ at: at * STEP, what: SAVED, secret: SECRET, sources: ['Secrets Manager'], count: 1 },
  gave: { tokenId, ...(is && { is }) },
});

test('what a person saves over the current string takes AWSCURRENT from it at once, unless it is its own', () => {
  const rotated = told(['a', 'promoted'], ['b', 'promoted']);
  const junk = [...rotated, saved(2, undefined, 'now')];
  const former = ['unknown 0-1', 'current 1-2', 'superseded 2-'];
  const open = ['unknown 0-1', 'current 1-2', 'unknown 2-'];
  expect(spans(junk, seen({}), 'b')).toEqual(open);
  // A run that reads it has found that it is no string of ours.
  expect(spans([...junk, found(3)], seen({}), 'b')).toEqual(former);
  const notesOf = (happenings: readonly Happening[]) => lifeOf(happenings, seen({}), 'b')?.notes;
  expect(notesOf(junk)?.at(-1)).toMatch(/^a string was saved over it, and nothing tells whether/);
  expect(notesOf([...junk, found(3)])).toEqual(['nothing tells when it was minted']);
  const byReap = { ...found(3), sources: ['log of reap'], gave: { is: 'perhaps' } as const };
  expect(spans([...junk, byReap], seen({}), 'b')).toEqual(open);
  expect(spans(junk, seen({ current: 'b' }), 'b')).toEqual(['unknown 0-1', 'current 1-']);
  const back = [...rotated, saved(2, 'a')];
  const now = seen({ current: 'a' });
  expect(spans(back, now)).toEqual(['current 0-1', 'superseded 1-2', 'current 2-']);
  expect(spans(back, now, 'b')).toEqual(former);
  expect(lifeOf(back, now)?.notes).toEqual(['nothing tells when it was minted']);
  // Rotate knows the string, and the history did not.
  expect(spans(junk, now)).toEqual(['current 0-1', 'superseded 1-2', 'current 2-']);
});

test('a string that has AWSCURRENT no more is not that of the token that has it now', () => {
  const life = lifeOf([...told(['a', 'promoted']), saved(1)], seen({ current: 'a' }));
  expect(life && spansOf(life)).toEqual(['current 0-1', `unknown 1-${NOW}`, `current ${NOW}-`]);
  expect(life?.notes.at(-1)).toBe('it is current now, and nothing tells since when');
});

/** What runs found from then on: a string of nobody under AWSCURRENT. */
const found = (at: number): Happening => ({
  ...saved(at),
  what: FOUND,
  sources: ['log of rotate'],
});

test('a version without a label was current if a run found it so, and perhaps if the next promotion names no other token', () => {
  const [first, second] = told(['a', 'promoted'], ['b', 'promoted']) as [Happening, Happening];
  const next = { ...second, at: 5 * STEP };
  const over = saved(2, undefined, 'perhaps');
  const note = /a string was saved that may have been current in its place/;

  const seenSo = lifeOf([first, over, found(3), next], seen({ current: 'b' }));
  expect(seenSo && spansOf(seenSo)).toEqual(['current 0-2', 'unknown 2-3', 'superseded 3-']);
  expect(seenSo?.notes.at(-1)).toMatch(note);
  expect(spans([first, found(3), next])).toEqual(['current 0-0', 'unknown 0-3', 'superseded 3-']);

  const notSeen = lifeOf([first, over, next], seen({ current: 'b' }));
  expect(notSeen && spansOf(notSeen)).toEqual(['current 0-2', 'unknown 2-5', 'superseded 5-']);
  expect(notSeen?.notes.at(-1)).toMatch(note);

  const named = { ...next, formerId: 'a' };
  expect(spans([first, over, named])).toEqual(['current 0-5', 'superseded 5-']);
  expect(spans([first, over], seen({ current: 'a' }))).toEqual(['current 0-']);
});

test('who saves the current string again may have saved another one before, of which no label tells', () => {
  const over = [...told(['a', 'promoted']), saved(2, undefined, 'perhaps')];
  const back = [...over, saved(3, 'a')];
  const now = seen({ current: 'a' });
  expect(spans(back, now)).toEqual(['current 0-2', 'unknown 2-3', 'current 3-']);
  expect(spans(over, now)).toEqual(['current 0-']);
  expect(spans([...told(['a', 'promoted']), saved(3, 'a')], now)).toEqual(['current 0-']);
});

test('what may have been saved in its place is in doubt until a run sees that all is well', () => {
  const first = told(['a', 'promoted']);
  const over = { ...saved(2, undefined, 'perhaps'), quietAt: 4 * STEP };
  const known = ['current 0-2', 'unknown 2-4', 'current 4-'];
  expect(spans([...first, over], seen({ current: 'a' }))).toEqual(known);
  const next = told(['b', 'promoted']).map((each) => ({ ...each, at: 6 * STEP, formerId: 'a' }));
  const superseded = ['current 0-2', 'unknown 2-4', 'current 4-6', 'superseded 6-'];
  expect(spans([...first, over, ...next], seen({ current: 'b' }))).toEqual(superseded);
  // It was promoted before a run saw that.
  const late = { ...over, quietAt: 8 * STEP };
  expect(spans([...first, late, ...next], seen({ current: 'b' }))).toEqual([
    ...['current 0-6', 'superseded 6-'],
  ]);
});

test('what a run finds of a string that was saved is no second save', () => {
  const happenings = [...told(['b', 'promoted']), saved(1, undefined, 'now'), found(3)];
  expect(spans(happenings, seen({ current: 'a' }))).toEqual(['unknown 0-1', 'current 1-']);
});

test('every token that anything names has a life: unknown, until something tells what it was', () => {
  const [promoted, deleted, refused] = told(
    ['b', 'promoted'],
    ['a', 'deleted', 'leaked'],
    ['c', 'string refused'],
  ) as [Happening, Happening, Happening];
  const since = -STEP;
  const replaced = [{ ...promoted, formerId: 'a' }, deleted];
  const life = lifeOf(replaced, { since });
  expect(life && spansOf(life)).toEqual(['unknown -1-0', 'superseded 0-1']);
  expect(life).toMatchObject({ secret: SECRET, endedAt: STEP });
  expect(life?.notes).toEqual(['nothing tells when it was minted', 'deleted: schedule; leaked']);
  expect(spans([deleted])).toEqual(['unknown 0-1']);
  expect(spans([refused], {}, 'c')).toEqual(['unknown 0-']);
});

test('what is given back was without permissions before, also if nothing tells that they were taken', () => {
  const happenings = told(['a', 'promoted'], ['a', 'proven'], ['a', 'permissions given back']);
  const twice = [...happenings, ...told(['a', 'permissions given back'])].map((each, index) => ({
    ...each,
    at: index * STEP,
  }));
  for (const each of [happenings, twice]) {
    const life = lifeOf(each, seen({ current: 'a' }));
    expect(life && spansOf(life)).toEqual(['current 0-0', 'unknown 0-2', 'current 2-']);
    expect(life?.notes.at(-1)).toBe(
      'it was without permissions before they were given back, and nothing tells since when',
    );
  }
});

test('what rotate sees now is never beside a second token that is called current', () => {
  const happenings = told(['a', 'promoted'], ['b', 'promoted']);
  for (const labels of [{ current: 'a' }, { current: 'c' }, {}]) {
    const lives = livesOf(happenings, { ...ALL_SEEN, ...seen(labels) });
    const current = lives.filter((each) => each.spans.at(-1)?.state === 'current');
    expect(current.map(({ tokenId }) => tokenId)).toEqual(Object.values(labels));
  }
  const later = lifeOf(happenings, seen({ current: 'a' }), 'b');
  expect(later && spansOf(later)).toEqual(['unknown 0-1', 'current 1-1', 'unknown 1-']);
  expect(later?.notes.at(-1)).toBe(
    'last told of as current; rotate does not see it as that now, and nothing tells since when',
  );
  const untold = lifeOf(happenings, seen({ current: 'c' }), 'c');
  expect(untold && spansOf(untold)).toEqual([`unknown 0-${NOW}`, `current ${NOW}-`]);
});

test('what is given back is not current, if AWSCURRENT has gone on to another token', () => {
  const happenings = told(
    ['a', 'promoted'],
    ['a', 'frozen'],
    ['b', 'promoted'],
    ['a', 'permissions given back'],
  );
  expect(spans(happenings).at(-1)).toBe('superseded 3-');
});

test('of a token younger than a listing may be late it is not said that it is listed no more', () => {
  const happenings = told(['b', 'promoted'], ['a', 'minted'], ['a', 'stored'], ['a', 'promoted']);
  const now = { ...seen({}), now: 1.2 * STEP, living: listing('b') };
  const young = happenings.map((each) => ({ ...each, at: Math.min(each.at, STEP) }));
  const life = lifeOf(young, now);
  expect(life?.spans.at(-1)?.state).toBe('unknown');
  expect(life?.notes).toEqual([
    'last told of as current; the cluster does not list it, or not yet: a listing may be late by an hour',
  ]);
});

test('a token that lost its marker lives on, and that is said', () => {
  const happenings = told(['a', 'minted'], ['a', 'stored'], ['a', 'promoted'], ['b', 'promoted']);
  const living = new Map([['a', 'unmarked' as const]]);
  const life = lifeOf(happenings, { living });
  expect(life && spansOf(life).at(-1)).toBe('superseded 3-');
  expect(life?.notes).toEqual(['the cluster lists it without a marker of ours']);
});

test('a freeze whose end is in no log is over once the token has its permissions', () => {
  const happenings = told(['a', 'promoted'], ['a', 'frozen']);
  const life = lifeOf(happenings, seen({ current: 'a' }));
  expect(life && spansOf(life)).toEqual([
    'current 0-1',
    'frozen 1-1',
    `unknown 1-${NOW}`,
    `current ${NOW}-`,
  ]);
  expect(life?.notes.at(-1)).toBe(
    'last told of as frozen; it has its permissions, and nothing tells since when',
  );
  // The listing may be older than the order.
  expect(spans(happenings, { ...seen({ current: 'a' }), now: 1.2 * STEP })).toEqual([
    'current 0-1',
    'frozen 1-',
  ]);
});

test('what was promoted was no longer inert before, and nothing tells since when', () => {
  expect(spans(told(['a', 'minted'], ['a', 'promoted']))).toEqual(['unknown 0-1', 'current 1-']);
});

test('a token of another secret of that name takes AWSCURRENT from nobody', () => {
  const [first, second] = told(['a', 'promoted'], ['b', 'promoted']);
  const other = { ...second, home: 'deadbeef' } as Happening;
  const now = seen({ current: 'a' });
  expect(spans([first as Happening, other], now)).toEqual(['current 0-']);
  const life = lifeOf([first as Happening, other], now, 'b');
  expect(life?.secret).toBe(`${SECRET}, another one of that name (home deadbeef)`);
  expect(life?.spans.at(-1)?.state).toBe('unknown');
});

test('the bar of a token never goes on after it ended, whoever gets AWSCURRENT then', () => {
  const ended = told(['a', 'promoted'], ['a', 'deleted', 'leaked'], ['b', 'promoted']);
  const named = ended.map((each) => (each.tokenId === 'b' ? { ...each, formerId: 'a' } : each));
  const pasted = [...ended.slice(0, 2), saved(2, 'b'), saved(3, 'a')];
  for (const happenings of [ended, named, pasted])
    expect(spans(happenings, seen({ current: 'b' }))).toEqual(['current 0-1']);
});

test('what was frozen and is frozen again had its permissions between, and nothing tells since when', () => {
  const again = (source: string) =>
    told(['a', 'promoted'], ['a', 'frozen', 'freeze: odd'], ['a', 'frozen']).map(
      (each, index): Happening => (index === 2 ? { ...each, sources: [source] } : each),
    );
  const living = new Map([['a', 'without permissions' as const]]);
  for (const source of ['log of reap', 'cluster']) {
    const life = lifeOf(again(source), { living });
    expect(life && spansOf(life)).toEqual([
      'current 0-1',
      'frozen 1-1',
      'unknown 1-2',
      'frozen 2-',
    ]);
    expect(life?.notes.at(-1)).toBe(
      'it had its permissions before they were taken again, and nothing tells since when',
    );
  }
  // An order that is given again tells again what it finds done.
  expect(spans(again('log of revoke'), { living })).toEqual(['current 0-1', 'frozen 1-']);
});

const LOST = 'it was seen without AWSCURRENT, and nothing tells since when';
const GOT = 'it was seen with AWSCURRENT, and nothing tells since when';

test('between a move by hand and what saw it, nothing tells who had AWSCURRENT', () => {
  const rotated = told(['a', 'promoted'], ['b', 'promoted']);
  const at = 5 * STEP;
  const back = told(['a', 'rolled back by hand']).map((each) => ({ ...each, at }));
  const replaced = told(['c', 'promoted']).map((each) => ({ ...each, at, formerId: 'a' }));
  for (const seenBy of [back, replaced]) {
    const all = [...rotated, ...seenBy];
    const ids = seenBy === back ? { current: 'a' } : { current: 'c' };
    const [a, b] = ['a', 'b'].map((id) => lifeOf(all, seen(ids), id));
    const until = seenBy === back ? 'current 5-' : 'superseded 5-';
    expect(a && spansOf(a)).toEqual(['current 0-1', 'superseded 1-1', 'unknown 1-5', until]);
    expect(a?.notes.at(-1)).toBe(GOT);
    expect(b && spansOf(b)).toEqual([
      ...['unknown 0-1', 'current 1-1', 'unknown 1-5'],
      'superseded 5-',
    ]);
    expect(b?.notes.at(-1)).toBe(LOST);
  }
  // A run that saw nothing tells until when nobody had moved it, unless it had the listing of before.
  const notYet = (at: number) => [...rotated, ...back.map((each) => ({ ...each, notYetAt: at }))];
  expect(spans(notYet(4 * STEP), seen({ current: 'a' }))).toEqual([
    ...['current 0-1', 'superseded 1-4', 'unknown 4-5', 'current 5-'],
  ]);
  expect(spans(notYet(4 * STEP), seen({ current: 'a' }), 'b')).toEqual([
    ...['unknown 0-1', 'current 1-4', 'unknown 4-5', 'superseded 5-'],
  ]);
  expect(spans(notYet(1.2 * STEP), seen({ current: 'a' }))[2]).toBe('unknown 1-5');
  const named = told(['a', 'promoted'], ['b', 'promoted']).map((each) =>
    each.tokenId === 'b' ? { ...each, formerId: 'a' } : each,
  );
  expect(spans(named, seen({ current: 'b' }))).toEqual(['current 0-1', 'superseded 1-']);
});

test('what was deleted while a string may have been saved over it was not known to be current to its end', () => {
  const ended = told(['a', 'promoted'], ['a', 'deleted', 'leaked']);
  const late = ended.map((each) => (each.what === 'deleted' ? { ...each, at: 3 * STEP } : each));
  const [first, deleted] = late as [Happening, Happening];
  const over = saved(2, undefined, 'perhaps');
  expect(spans([first, over, deleted, found(4)])).toEqual(['current 0-2', 'unknown 2-3']);
  // Its own string is nobody's, once it is deleted.
  expect(spans([first, deleted, found(4)])).toEqual(['current 0-3']);
});

test('a quarantined token that AWSCURRENT was moved to is quarantined until its permissions are back', () => {
  const happenings = told(
    ['b', 'promoted'],
    ['a', 'quarantined'],
    ['a', 'rolled back by hand'],
    ['a', 'permissions given back', 'RolledBack'],
  );
  const now = seen({ current: 'a' });
  expect(spans(happenings, now)).toEqual(['unknown 0-1', 'quarantined 1-3', 'current 3-']);
  expect(spans(happenings, now, 'b')).toEqual(['current 0-0', 'unknown 0-2', 'superseded 2-']);
});

test('a promotion of which a marker alone tells, with the instant of the arming, was then or later', () => {
  const all = told(['a', 'promoted'], ['b', 'minted'], ['b', 'stored'], ['b', 'promoted']);
  const marked = all.map((each) =>
    each.tokenId === 'b' && each.what === 'promoted'
      ? { ...each, sources: ['cluster'], isOrLater: true, formerId: 'a' }
      : each,
  );
  const [superseded] = told(['a', 'superseded']) as [Happening];
  const later = [...marked, { ...superseded, at: 7 * STEP, sources: ['cluster'] }];
  const now = seen({ current: 'b' });
  const a = lifeOf(later, now);
  expect(a && spansOf(a)).toEqual(['current 0-3', 'unknown 3-7', 'superseded 7-']);
  expect(a?.notes.at(-1)).toMatch(/^another token was promoted in its place then or later/);
  const b = lifeOf(later, now, 'b');
  expect(b && spansOf(b)).toEqual(['inert 1-2', 'pending 2-3', 'unknown 3-7', 'current 7-']);
  expect(b?.notes).toEqual(['it was promoted when it was armed or later, and nothing tells when']);
  expect(spans(marked, now, 'b')).toEqual([
    ...['inert 1-2', 'pending 2-3', `unknown 3-${NOW}`],
    `current ${NOW}-`,
  ]);
  // An order may delete it at once, and then no run calls it superseded.
  const deleted = [...marked, { ...superseded, what: 'deleted', at: 7 * STEP }];
  expect(spans(deleted, now)).toEqual(['current 0-3', 'unknown 3-7']);
  expect(spans(deleted, now, 'b')).toEqual(spans(later, now, 'b'));
  // A log has the right instant, and what nobody had before it was the first.
  const logged = marked.map((each) => ({ ...each, sources: ['cluster', 'log of rotate'] }));
  expect(spans(logged, now, 'b').at(-1)).toBe('current 3-');
  expect(spans(marked.slice(1), now, 'b').at(-1)).toBe('current 3-');
});

test('what is superseded was current before, and that alone does not tell until when', () => {
  const alone = told(['a', 'promoted'], ['b', 'minted'], ['a', 'superseded']);
  expect(spans(alone)).toEqual(['current 0-0', 'unknown 0-2', 'superseded 2-']);
  const behind = told(['a', 'promoted'], ['b', 'promoted'], ['a', 'superseded']);
  const clocks = behind.map((each) => (each.what === 'superseded' ? { ...each, at: STEP } : each));
  expect(spans(clocks)).toEqual(['current 0-1', 'superseded 1-']);
  // The clock of the marker is behind.
  const [first, second, marker] = clocks as [Happening, Happening, Happening];
  const early = [first, { ...marker, at: STEP - 60_000 }, second];
  expect(lifeOf(early)?.spans.map(({ state }) => state)).toEqual(['current', 'superseded']);
  for (const what of ['superseded', 'quarantined', 'deleted']) {
    const life = lifeOf(told(['a', 'minted'], ['a', 'stored'], ['a', what]));
    expect(life && spansOf(life).slice(0, 3)).toEqual(['inert 0-1', 'pending 1-1', 'unknown 1-2']);
    expect(life?.notes[0]).toMatch(/^it may have been current before/);
  }
});

test('a current token that is listed without permissions is that with a note, and a superseded one does not work', () => {
  const living = new Map([['a', 'without permissions' as const]]);
  const current = lifeOf(told(['a', 'promoted']), { ...seen({ current: 'a' }), living });
  expect(current && spansOf(current)).toEqual(['current 0-']);
  expect(current?.notes.at(-1)).toBe('it is without permissions, and nothing tells since when');
  const former = lifeOf(told(['a', 'promoted'], ['b', 'promoted']), { living });
  expect(former && spansOf(former)).toEqual(['current 0-1', 'superseded 1-1', 'unknown 1-']);
  // The listing may be older than what was done.
  const young = { ...seen({ current: 'a' }), living, now: 0.2 * STEP };
  expect(lifeOf(told(['a', 'promoted']), young)?.notes).toHaveLength(1);
});

test('what a string was saved over is superseded since then, however often a run writes that down', () => {
  const renewed = (at: number): Happening => ({
    ...(told(['a', 'superseded'])[0] as Happening),
    ...{ at: at * STEP, sources: ['cluster'] },
  });
  const rotated = told(['b', 'promoted'], ['a', 'promoted']);
  const next = told(['c', 'promoted']).map((each) => ({ ...each, at: 4 * STEP }));
  const junk = [...rotated, saved(2), found(3), ...next, renewed(9)];
  expect(spans(junk)).toEqual(['unknown 0-1', 'current 1-2', 'superseded 2-']);
  // Until something else has AWSCURRENT, that may be its own string.
  const open = [...rotated, saved(2), ...next, renewed(9)];
  expect(spans(open)).toEqual(['unknown 0-1', 'current 1-2', 'unknown 2-4', 'superseded 4-']);
  expect(spans([...rotated, saved(2, 'b'), renewed(3)])).toEqual([
    ...['unknown 0-1', 'current 1-2', 'superseded 2-'],
  ]);
  // Grace periods of all begin again, also of what was superseded before.
  const former = [...rotated, saved(2), ...next, { ...renewed(9), tokenId: 'b' }];
  expect(spans(former, {}, 'b')).toEqual(['current 0-1', 'superseded 1-']);
  // Nothing but the marker tells of that.
  const unsaved = [...rotated, ...next, renewed(9)];
  expect(spans(unsaved)).toEqual([
    ...['unknown 0-1', 'current 1-4', 'superseded 4-4', 'unknown 4-9'],
    'superseded 9-',
  ]);
});
