import type { Happening } from '../history/happening.ts';

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
  /** Absent: nothing tells it, as of a token of others. */
  readonly secret?: string;
  /** One behind the other, without gaps. */
  readonly spans: readonly Span[];
  /** Absent: nothing tells when it was minted; what is told begins with its first span. */
  readonly mintedAt?: number;
  readonly endedAt?: number;
  /** What is to be known beside the spans. */
  readonly notes: readonly string[];
}

/** What is known of now. */
export interface Present {
  readonly now: number;
  /** Ids of the tokens that the cluster lists as neither deleted nor expired. Absent: it was not asked. */
  readonly living?: ReadonlySet<string>;
  /** Tokens under AWSCURRENT, and those that wait under AWSPENDING, as `rotate` sees them. */
  readonly current: ReadonlySet<string>;
  readonly pending: ReadonlySet<string>;
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
/** Why a token is deleted that was never stored. */
const ORPHAN = 'Orphan';

/** The last state that was none of being suspended. */
const before = (spans: readonly Span[]): TokenState =>
  spans.findLast(({ state }) => !SUSPENDED.includes(state))?.state ?? 'unknown';

function stateAfter({ what, why }: Happening, spans: readonly Span[]): TokenState | undefined {
  if (what === BACK) return why?.includes('RolledBack') ? 'current' : before(spans);
  const state = BECOMES.get(what);
  if (state === undefined) return undefined;
  const last = spans.at(-1)?.state;
  // An orphan, or one of whose use nothing is told any more.
  if (state === 'superseded' && last === 'inert') return 'unknown';
  const from = ONLY_FROM[state];
  return !from || from.includes(last) ? state : undefined;
}

function enter(spans: Span[], state: TokenState, at: number): void {
  const last = spans.at(-1);
  if (last?.state === state) return;
  if (last) spans[spans.length - 1] = { ...last, until: Math.max(at, last.from) };
  spans.push({ state, from: Math.max(at, last?.from ?? at) });
}

/** What is told of one token, in order of time. */
interface Told extends Omit<Life, 'spans' | 'notes'> {
  readonly spans: Span[];
  /** By whom it was deleted, and why. */
  readonly ending?: string;
}

/** A label is moved: it leaves whoever had it. */
function leaveCurrent(all: Iterable<Told>, { tokenId, secret, at }: Happening): void {
  for (const other of all) {
    const isHolder = other.secret === secret && other.spans.at(-1)?.state === 'current';
    if (secret !== undefined && isHolder && other.tokenId !== tokenId)
      enter(other.spans, 'superseded', at);
  }
}

function end({ spans, ...told }: Told, { at, by, why }: Happening): Told {
  const [first] = spans;
  const last = spans.at(-1);
  if (first && why?.includes(ORPHAN))
    spans.splice(0, spans.length, { state: 'inert', from: first.from, until: at });
  else if (last) spans[spans.length - 1] = { ...last, until: Math.max(at, last.from) };
  const because = [by, why].filter(Boolean).join('; ');
  return { ...told, spans, endedAt: at, ...(because && { ending: `deleted: ${because}` }) };
}

/** What a token was before, and what became of it by that. */
function follow(others: Iterable<Told>, told: Told, each: Happening): Told {
  const { what, at, secret } = each;
  const now: Told = { ...told, ...(secret !== undefined && { secret: told.secret ?? secret }) };
  if (now.endedAt !== undefined) return now;
  if (what === ENDED) return end(now, each);
  const state = stateAfter(each, now.spans);
  if (state === 'current') leaveCurrent(others, each);
  if (state !== undefined) enter(now.spans, state, at);
  return MADE.includes(what) ? { mintedAt: at, ...now } : now;
}

const NOT_ASKED = 'the cluster could not be asked whether it still lists it';
const GONE = 'the cluster lists it no more as a token that works, and nothing tells when it ended';

/** Puts its end as what is seen now, and says what nobody saw. */
function untilNow({ ending, ...told }: Told, present: Present): Life {
  const { tokenId, mintedAt, endedAt, spans } = told;
  const notes = mintedAt === undefined ? ['nothing tells when it was minted'] : [];
  if (ending !== undefined) notes.push(ending);
  const last = spans.at(-1);
  const known = present.current.has(tokenId)
    ? 'current'
    : present.pending.has(tokenId)
      ? 'pending'
      : undefined;
  if (endedAt !== undefined || !last) return { ...told, notes };
  const isAtOdds = known !== undefined && ![...SUSPENDED, 'expired', known].includes(last.state);
  const isLost = known === undefined && last.state !== 'expired' && !present.living?.has(tokenId);
  if (isAtOdds || isLost) enter(spans, 'unknown', last.from);
  if (isAtOdds) {
    enter(spans, known, present.now);
    notes.push(`it is ${known} now, and nothing tells since when`);
  } else if (isLost) {
    notes.push(`last told of as ${last.state}; ${present.living ? GONE : NOT_ASKED}`);
  }
  return { ...told, notes };
}

/**
 * The lives of all tokens of which anything is told. Pure: what no source tells is not filled in.
 * @param told in order of time, also what was before the time that is shown
 */
export function livesOf(told: readonly Happening[], present: Present): readonly Life[] {
  const all = new Map<string, Told>();
  for (const each of told) {
    if (each.tokenId === undefined) continue;
    const known = all.get(each.tokenId) ?? { tokenId: each.tokenId, spans: [] };
    all.set(each.tokenId, follow(all.values(), known, each));
  }
  return [...all.values()].map((each) => untilNow(each, present));
}
