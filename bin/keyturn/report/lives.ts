import { LONGEST_LAG_MS } from '../../../functions/tokens/observation.ts';
import { FOUND, type Gift, type Happening, secretNamed } from '../history/happening.ts';
import type { History } from '../history/history-text.ts';

/** As docs/glossary.md calls the states of a token. `unknown`: nothing tells what it is. */
export type TokenState =
  | ('inert' | 'pending' | 'live' | 'current' | 'superseded')
  | ('quarantined' | 'frozen' | 'expired' | 'unknown');

/** A token in one state. Instants are milliseconds since 1970. */
export interface Span {
  readonly state: TokenState;
  readonly from: number;
  /** Absent: it is so now. */
  readonly until?: number;
}

/** One token, from its minting to its deletion, as far as anything tells of them. */
export interface Life {
  readonly tokenId: string;
  /** Absent: nothing tells it, as of a token of others. Another one of a name says so. */
  readonly secret?: string;
  /** One behind the other, without gaps. */
  readonly spans: readonly Span[];
  /** Absent: nothing tells when it was minted; what is told begins with its first span. */
  readonly mintedAt?: number;
  readonly endedAt?: number;
  /** What is to be known beside the spans. */
  readonly notes: readonly string[];
}

/** Ids of the tokens that `rotate` sees under the labels of one secret. Absent: nothing that is known. */
export interface Labels {
  readonly current?: string;
  readonly pending?: string;
}

/** What is known of now, looked at after all that is told. */
export interface Present {
  readonly now: number;
  /** Where what is shown begins. Of before that nothing but markers and versions tells. */
  readonly since: number;
  /** Absent: the cluster was not asked. */
  readonly living?: History['living'];
  /** By secret. One that is not in it was not looked at. */
  readonly labels: ReadonlyMap<string, Labels>;
}

const MADE = ['minted', 'made by others'];
const BACK = 'permissions given back';
const ENDED = 'deleted';

const BECOMES: ReadonlyMap<string, TokenState> = new Map([
  ['minted', 'inert'],
  ['made by others', 'live'],
  ['stored', 'pending'],
  ['promoted', 'current'],
  ['adopted', 'current'],
  ['rolled back by hand', 'current'],
  ['superseded', 'superseded'],
  ['quarantined', 'quarantined'],
  ['frozen', 'frozen'],
  ['expired', 'expired'],
]);
/** Without permissions for now; what it was before it is again when they are given back. */
const SUSPENDED: readonly TokenState[] = ['quarantined', 'frozen'];
/** What is stored again, or marked again, is no step back. */
const ONLY_FROM: Readonly<Partial<Record<TokenState, readonly (TokenState | undefined)[]>>> = {
  inert: [undefined],
  live: [undefined],
  pending: [undefined, 'inert'],
  superseded: [undefined, 'pending', 'live', 'current', 'superseded', 'unknown'],
};
const SAVED_OVER =
  'a string was saved that may have been current in its place, and nothing tells since when';
const WAS_WITHOUT =
  'it was without permissions before they were given back, and nothing tells since when';
const WAS_WITH =
  'it had its permissions before they were taken again, and nothing tells since when';
/** An order that is given again tells again what it finds done. */
const ORDERS = 'log of revoke';
/** Why a token is deleted that was never stored. */
const ORPHAN = 'Orphan';

/** What is told of one token, in order of time. */
interface Told extends Omit<Life, 'spans'> {
  readonly spans: Span[];
  /** Its secret is not listed as ours. */
  readonly isElsewhere?: boolean;
  /** Its permissions were given back before: they may be told of twice. */
  readonly isGivenBack?: boolean;
}

/** Who got AWSCURRENT last. Without a token: a string that nobody knows. */
interface Holder {
  readonly tokenId?: string | undefined;
  readonly at: number;
  /** What was saved then is there now. */
  readonly isNow?: boolean;
  /** Since then somebody may have saved a string over it. */
  readonly doubtAt?: number | undefined;
}

/** All that was told until then, by token and by secret. */
interface Story {
  readonly lives: Map<string, Told>;
  readonly holders: Map<string, Holder>;
}

const toldOf = ({ lives }: Story, tokenId: string): Told =>
  lives.get(tokenId) ?? { tokenId, spans: [], notes: [] };

const isSuspended = ({ spans }: Told) => SUSPENDED.some((state) => state === spans.at(-1)?.state);

/** The last state that was none of being suspended; AWSCURRENT may have come and gone since. */
function before({ tokenId, spans }: Told, holder: Holder | undefined): TokenState {
  const state = spans.findLast((each) => !SUSPENDED.includes(each.state))?.state ?? 'unknown';
  if (!holder) return state;
  if (holder.tokenId === tokenId) return 'current';
  return state === 'current' ? 'superseded' : state;
}

function stateAfter(
  { what, why }: Happening,
  told: Told,
  holder: Holder | undefined,
): TokenState | undefined {
  if (what === BACK) return why?.includes('RolledBack') ? 'current' : before(told, holder);
  const state = BECOMES.get(what);
  if (state === undefined) return undefined;
  const last = told.spans.at(-1)?.state;
  // An orphan, or one of whose use nothing is told any more.
  if (state === 'superseded' && last === 'inert') return 'unknown';
  const from = ONLY_FROM[state];
  return !from || from.includes(last) ? state : undefined;
}

/** What has ended enters nothing. */
function enter({ spans, endedAt }: Told, state: TokenState, at: number): void {
  const last = spans.at(-1);
  if (endedAt !== undefined || last?.state === state) return;
  if (last) {
    // It was stored and armed before it was promoted, and nothing tells when.
    const was = last.state === 'inert' && state === 'current' ? 'unknown' : last.state;
    // The clock of its cluster may be ahead: what comes behind its minting has an instant of ours.
    const from = last.state === 'inert' ? Math.min(at, last.from) : last.from;
    spans[spans.length - 1] = { state: was, from, until: Math.max(at, from) };
  }
  spans.push({ state, from: Math.max(at, spans.at(-1)?.from ?? at) });
}

/** A label is moved: it leaves whoever had it. */
function giveCurrent(story: Story, each: Happening, tokenId: string | undefined) {
  const secret = secretNamed(each);
  if (secret === undefined) return;
  const held = story.holders.get(secret);
  // Found, not done: the save tells when.
  if (each.what === FOUND && held && held.tokenId === undefined) return;
  story.holders.set(secret, { tokenId, at: each.at, isNow: each.gave?.is === 'now' });
  const former = story.lives.get(held?.tokenId ?? '');
  if (former?.spans.at(-1)?.state !== 'current' || former.tokenId === tokenId) return;
  if (held?.doubtAt !== undefined && each.formerId !== former.tokenId) {
    enter(former, 'unknown', held.doubtAt);
    const notes = [...former.notes, SAVED_OVER];
    story.lives.set(former.tokenId, { ...former, notes });
  }
  enter(former, 'superseded', each.at);
}

function end({ spans, notes, ...told }: Told, { at, by, why }: Happening): Told {
  const [first] = spans;
  const last = spans.at(-1);
  if (first && why?.includes(ORPHAN))
    spans.splice(0, spans.length, { state: 'inert', from: first.from, until: at });
  else if (last) spans[spans.length - 1] = { ...last, until: Math.max(at, last.from) };
  const because = [by, why].filter(Boolean).join('; ');
  const ending = because ? [`deleted: ${because}`] : [];
  return { ...told, spans, endedAt: at, notes: [...notes, ...ending] };
}

/** What must have been done to its permissions before, and nothing tells it. */
function untoldBefore({ what, sources }: Happening, told: Told, state: TokenState | undefined) {
  const last = told.spans.at(-1);
  if (!isSuspended(told))
    return what === BACK && last && !told.isGivenBack ? WAS_WITHOUT : undefined;
  const isAgain = state === last?.state && sources.some((each) => each !== ORDERS);
  return isAgain ? WAS_WITH : undefined;
}

/** What a token was before, and what became of it by that. */
function follow(story: Story, told: Told, each: Happening): Told {
  const { what, at, home } = each;
  const secret = told.secret ?? secretNamed(each);
  const now: Told = {
    ...told,
    ...(secret !== undefined && { secret }),
    ...(home !== undefined && { isElsewhere: true }),
  };
  if (now.endedAt !== undefined) return now;
  if (what === ENDED) return end(now, each);
  const state = stateAfter(each, now, story.holders.get(secret ?? ''));
  const last = now.spans.at(-1);
  const untold = untoldBefore(each, now, state);
  if (untold && last) enter(now, 'unknown', last.from);
  if (state === 'current') giveCurrent(story, each, now.tokenId);
  if (state !== undefined) enter(now, state, at);
  const mintedAt = now.mintedAt ?? (MADE.includes(what) ? at : undefined);
  return {
    ...now,
    ...(mintedAt !== undefined && { mintedAt: Math.min(mintedAt, now.spans[0]?.from ?? at) }),
    ...(what === BACK && { isGivenBack: true }),
    ...(untold && { notes: [...now.notes, untold] }),
  };
}

/** What is told of a token, and of the one in whose place it came: until then that had AWSCURRENT, also if nothing else tells of it. */
function followBoth(story: Story, { formerId, ...each }: Happening, tokenId: string): void {
  story.lives.set(tokenId, follow(story, toldOf(story, tokenId), { ...each, formerId }));
  if (formerId === undefined) return;
  const superseded = { ...each, what: 'superseded' };
  story.lives.set(formerId, follow(story, toldOf(story, formerId), superseded));
}

/** Somebody saved a string over the current one: of a token, or one that nobody knows. */
function followSave(story: Story, each: Happening, { tokenId, is }: Gift): void {
  const name = secretNamed(each);
  const held = story.holders.get(name ?? '');
  if (is === 'perhaps') {
    if (held) story.holders.set(name ?? '', { doubtAt: each.at, ...held });
    return;
  }
  giveCurrent(story, each, tokenId);
  if (tokenId === undefined) return;
  const told = toldOf(story, tokenId);
  if (!isSuspended(told)) enter(told, 'current', each.at);
  const secret = told.secret ?? name;
  story.lives.set(tokenId, { ...told, ...(secret !== undefined && { secret }) });
}

/** A life of which the beginning is not told may have begun at any time, and is unknown until something tells of it. */
function fromSince(told: Told, { since }: Present): Told {
  const { mintedAt, endedAt, spans } = told;
  const [first, ...others] = spans;
  const until = first?.from ?? endedAt;
  if (mintedAt !== undefined || (until ?? Number.POSITIVE_INFINITY) <= since) return told;
  if (first?.state === 'unknown') return { ...told, spans: [{ ...first, from: since }, ...others] };
  const before: Span = { state: 'unknown', from: since, ...(until !== undefined && { until }) };
  return { ...told, spans: [before, ...spans] };
}

const NO_MINTING = 'nothing tells when it was minted';
const NOT_ASKED = 'the cluster could not be asked whether it still lists it';
const GONE = 'the cluster lists it no more as a token that works, and nothing tells when it ended';
const NOT_YET = 'the cluster does not list it, or not yet: a listing may be late by an hour';
const NO_MARKER = 'the cluster lists it without a marker of ours';
const SINCE = 'and nothing tells since when';
const ELSEWHERE = 'its secret is not listed as ours, and nothing tells what that has now';

/** Which label it has. `none`: its secret was looked at. Undefined: it was not. */
function labelOf({ tokenId, secret = '' }: Told, { labels }: Present) {
  const all = [...labels.values()];
  if (all.some(({ current }) => current === tokenId)) return 'current';
  if (all.some(({ pending }) => pending === tokenId)) return 'pending';
  return labels.has(secret) ? 'none' : undefined;
}

/** A state, and what is to be said of it. Undefined: as it was told last. */
type Seen = readonly [state: TokenState, note: string] | undefined;

const isFresh = (at: number, { now }: Present) => now - at < LONGEST_LAG_MS;

const lastTold = ({ state }: Span, why: string): Seen => [
  'unknown',
  `last told of as ${state}; ${why}`,
];

function unlisted({ spans }: Told, last: Span, present: Present): Seen {
  if (!present.living) return lastTold(last, NOT_ASKED);
  const first = spans.find(({ state }) => state !== 'unknown') ?? last;
  return lastTold(last, isFresh(first.from, present) ? NOT_YET : GONE);
}

/** Its permissions tell whether it is suspended: what gave them back may be in no log. */
function suspended({ tokenId }: Told, last: Span, label: TokenState, present: Present): Seen {
  const listed = present.living?.get(tokenId);
  if (listed === 'unmarked') return lastTold(last, NO_MARKER);
  if (listed !== 'works' || isFresh(last.from, present)) return undefined;
  return [label, `last told of as ${last.state}; it has its permissions, ${SINCE}`];
}

function seenNow(told: Told, last: Span, present: Present): Seen {
  const { state } = last;
  if (state === 'expired') return undefined;
  const label = labelOf(told, present);
  const seen = label === 'none' ? undefined : label;
  if (!seen && !present.living?.has(told.tokenId)) return unlisted(told, last, present);
  if (SUSPENDED.includes(state)) return suspended(told, last, seen ?? 'unknown', present);
  if (seen) return seen === state ? undefined : [seen, `it is ${seen} now, ${SINCE}`];
  if (state !== 'current' && state !== 'pending') return undefined;
  if (told.isElsewhere) return lastTold(last, ELSEWHERE);
  return label && lastTold(last, `rotate does not see it as that now, ${SINCE}`);
}

/** Puts its end as what is seen now, and says what nobody saw. */
function untilNow(all: Told, { holders }: Story, present: Present): Life {
  const { isElsewhere: _, isGivenBack: _back, ...told } = all;
  const { tokenId, secret = '', mintedAt, endedAt, spans } = told;
  const notes = [...(mintedAt === undefined ? [NO_MINTING] : []), ...told.notes];
  const last = spans.at(-1);
  const seen = last && endedAt === undefined ? seenNow(all, last, present) : undefined;
  if (!seen || !last) {
    const isUnmarked = endedAt === undefined && present.living?.get(tokenId) === 'unmarked';
    return { ...told, notes: isUnmarked ? [...notes, NO_MARKER] : notes };
  }
  const [state, note] = seen;
  const holder = holders.get(secret);
  // Who had AWSCURRENT since was a string of which the history knew not whose it is.
  if (state === 'current' && holder?.isNow && !holder.tokenId && !isSuspended(told)) {
    enter(told, 'current', holder.at);
    return { ...told, notes };
  }
  enter(told, 'unknown', last.from);
  if (state !== 'unknown') enter(told, state, present.now);
  return { ...told, notes: [...notes, note] };
}

/** Tokens under a label of which nothing is told live, too. */
function seeLabelled(story: Story, { labels }: Present): void {
  for (const [secret, ids] of labels)
    for (const tokenId of Object.values(ids) as readonly string[])
      story.lives.set(tokenId, { secret, ...toldOf(story, tokenId) });
}

/**
 * The lives of all tokens of which anything is told or seen. Pure: what no source tells is not filled in.
 * @param told in order of time, also what was before the time that is shown
 */
export function livesOf(told: readonly Happening[], present: Present): readonly Life[] {
  const story: Story = { lives: new Map(), holders: new Map() };
  for (const each of told) {
    if (each.gave) followSave(story, each, each.gave);
    else if (each.tokenId !== undefined) followBoth(story, each, each.tokenId);
  }
  seeLabelled(story, present);
  return [...story.lives.values()].map((each) =>
    untilNow(fromSince(each, present), story, present),
  );
}
