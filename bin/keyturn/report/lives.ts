import { LONGEST_LAG_MS } from '../../../functions/tokens/observation.ts';
import { type Happening, secretNamed } from '../history/happening.ts';
import type { History } from '../history/history-text.ts';
import {
  enter,
  isSuspended,
  type Life,
  type Span,
  type Story,
  type TokenState,
  type Told,
  toldOf,
} from './life.ts';
import { storyOf } from './story.ts';

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
  /** Whether all that tells of the past could be read. */
  readonly isWhole: boolean;
}

/** A life of which the beginning is not told may have begun at any time, and is unknown until something tells of it. */
function fromSince(told: Told, { since }: Present): Told {
  const { mintedAt, endedAt, spans } = told;
  const [first, ...others] = spans;
  const until = first?.from ?? endedAt;
  // The clock of its cluster may be ahead.
  if (mintedAt !== undefined) return { ...told, mintedAt: Math.min(mintedAt, until ?? mintedAt) };
  if (until !== undefined && until <= since) return told;
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

/** What it had once is taken, and no source tells of that. */
const isStripped = ({ tokenId }: Told, { state, from }: Span, present: Present) =>
  ['live', 'current', 'superseded'].includes(state) &&
  present.living?.get(tokenId) === 'without permissions' &&
  !isFresh(from, present);

const stripped = (last: Span, label: TokenState | undefined): Seen =>
  label === 'current'
    ? ['current', `it is without permissions, ${SINCE}`]
    : lastTold(last, `it is without permissions, ${SINCE}`);

function seenNow(told: Told, last: Span, present: Present): Seen {
  const { state } = last;
  if (state === 'expired') return undefined;
  const label = labelOf(told, present);
  const seen = label === 'none' ? undefined : label;
  if (!seen && !present.living?.has(told.tokenId)) return unlisted(told, last, present);
  if (isSuspended(told)) return suspended(told, last, seen ?? 'unknown', present);
  if (isStripped(told, last, present)) return stripped(last, seen);
  if (seen) return seen === state ? undefined : [seen, `it is ${seen} now, ${SINCE}`];
  if (state !== 'current' && state !== 'pending') return undefined;
  if (told.isElsewhere) return lastTold(last, ELSEWHERE);
  return label && lastTold(last, `rotate does not see it as that now, ${SINCE}`);
}

/** Puts its end as what is seen now, and says what nobody saw. */
function untilNow(all: Told, present: Present): Life {
  const { isElsewhere: _, isGivenBack: _back, ...told } = all;
  const { tokenId, mintedAt, endedAt, spans } = told;
  const notes = [...(mintedAt === undefined ? [NO_MINTING] : []), ...told.notes];
  const last = spans.at(-1);
  const seen = last && endedAt === undefined ? seenNow(all, last, present) : undefined;
  if (!seen || !last) {
    const isUnmarked = endedAt === undefined && present.living?.get(tokenId) === 'unmarked';
    return { ...told, notes: isUnmarked ? [...notes, NO_MARKER] : notes };
  }
  const [state, note] = seen;
  if (state === last.state) return { ...told, notes: [...notes, note] };
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

/** A run that may read it knows whose string is there now that the history has seen somebody save. */
function withOwner(each: Happening, { labels }: Present): Happening {
  const { gave } = each;
  const tokenId = labels.get(secretNamed(each) ?? '')?.current;
  const isOpen = gave?.is === 'now' && gave.tokenId === undefined;
  return isOpen && tokenId !== undefined ? { ...each, gave: { ...gave, tokenId } } : each;
}

/**
 * The lives of all tokens of which anything is told or seen. Pure: what no source tells is not filled in.
 * @param told in order of time, also what was before the time that is shown
 */
export function livesOf(told: readonly Happening[], present: Present): readonly Life[] {
  const withOwners = told.map((each) => withOwner(each, present));
  const story = storyOf(withOwners, present);
  seeLabelled(story, present);
  return [...story.lives.values()].map((each) => untilNow(fromSince(each, present), present));
}
