import {
  FOUND,
  type Gift,
  type Happening,
  isLogged,
  SAME_MS,
  secretNamed,
} from '../history/happening.ts';

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

const MADE = ['minted', 'made by others'];
const BACK = 'permissions given back';
const ENDED = 'deleted';
const SEEN_BACK = 'rolled back by hand';
/** Why permissions are given back to what somebody moved AWSCURRENT to. */
const ROLLED_BACK = 'RolledBack';

const BECOMES: ReadonlyMap<string, TokenState> = new Map([
  ['minted', 'inert'],
  ['made by others', 'live'],
  ['stored', 'pending'],
  ['promoted', 'current'],
  ['adopted', 'current'],
  [SEEN_BACK, 'current'],
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
const PROMOTED_OVER =
  'another token was promoted in its place then or later, and nothing tells since when';
const LOST = 'it was seen without AWSCURRENT, and nothing tells since when';
const GOT = 'it was seen with AWSCURRENT, and nothing tells since when';
const OR_LATER = 'it was promoted when it was armed or later, and nothing tells when';
const MAYBE_READ = 'it may have been current before it was superseded, and nothing tells when';
const WAS_WITHOUT =
  'it was without permissions before they were given back, and nothing tells since when';
const WAS_WITH =
  'it had its permissions before they were taken again, and nothing tells since when';
/** An order that is given again tells again what it finds done. */
const ORDERS = 'log of revoke';
/** Why a token is deleted that was never stored. */
const ORPHAN = 'Orphan';

/** What is told of one token, in order of time. */
export interface Told extends Omit<Life, 'spans' | 'notes'> {
  readonly spans: Span[];
  readonly notes: string[];
  /** Its secret is not listed as ours. */
  readonly isElsewhere?: boolean;
  /** Its permissions were given back before: they may be told of twice. */
  readonly isGivenBack?: boolean;
}

/** Who had AWSCURRENT when that was told last. Without a token: a string that nobody knows. */
interface Holder {
  readonly tokenId?: string | undefined;
  readonly at: number;
  /** What was saved then is there now. */
  readonly isNow?: boolean;
  /** Since then another may have it: somebody may have saved a string, or a token that waited may have been promoted. */
  readonly doubtAt?: number | undefined;
  /** That token, if nothing else may have it. */
  readonly nextId?: string | undefined;
  /** When its token was superseded, and nothing tells by which. */
  readonly leftAt?: number;
}

/** All that was told until then, by token and by secret. */
export interface Story {
  readonly lives: Map<string, Told>;
  readonly holders: Map<string, Holder>;
}

export const toldOf = ({ lives }: Story, tokenId: string): Told =>
  lives.get(tokenId) ?? { tokenId, spans: [], notes: [] };

export const isSuspended = ({ spans }: Pick<Told, 'spans'>) =>
  SUSPENDED.some((state) => state === spans.at(-1)?.state);

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
  if (what === BACK) return why?.includes(ROLLED_BACK) ? 'current' : before(told, holder);
  // It is read, and works only once its permissions are given back.
  if (what === SEEN_BACK && isSuspended(told)) return undefined;
  const state = BECOMES.get(what);
  if (state === undefined) return undefined;
  const last = told.spans.at(-1)?.state;
  // An orphan, or one of whose use nothing is told any more.
  if (state === 'superseded' && last === 'inert') return 'unknown';
  const from = ONLY_FROM[state];
  return !from || from.includes(last) ? state : undefined;
}

/** What has ended enters nothing. */
export function enter({ spans, endedAt }: Told, state: TokenState, at: number): void {
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

/** From then on it is not known whether it was current, as long as it was told to be. */
function doubt(story: Story, tokenId: string | undefined, from: number, note: string): void {
  const told = story.lives.get(tokenId ?? '');
  if (!told) return;
  const { spans, notes } = told;
  const index = spans.findLastIndex(({ state }) => state === 'current');
  const span = spans[index];
  if (!span || (span.until ?? Number.POSITIVE_INFINITY) <= from) return;
  const at = Math.max(from, span.from);
  spans.splice(index, 1, { ...span, until: at }, { ...span, state: 'unknown', from: at });
  notes.push(note);
}

const whyDoubted = ({ doubtAt, nextId }: Holder) =>
  doubtAt === undefined ? LOST : nextId === undefined ? SAVED_OVER : PROMOTED_OVER;

const doubtHolder = (story: Story, held: Holder) =>
  doubt(story, held.tokenId, held.doubtAt ?? held.at, whyDoubted(held));

/** AWSCURRENT leaves whoever had it, by then at the latest. */
function leave(story: Story, { tokenId }: Holder, at: number): void {
  const told = story.lives.get(tokenId ?? '');
  const state = told?.spans.at(-1)?.state;
  if (told && (state === 'current' || state === 'unknown')) enter(told, 'superseded', at);
}

/** AWSCURRENT is moved. */
function move(story: Story, each: Happening, tokenId: string | undefined): void {
  const secret = secretNamed(each);
  if (secret === undefined) return;
  const held = story.holders.get(secret);
  story.holders.set(secret, { tokenId, at: each.at, isNow: each.gave?.is === 'now' });
  if (!held || held.tokenId === tokenId) return;
  const isDoubtful = held.doubtAt !== undefined && each.formerId !== held.tokenId;
  if (isDoubtful || each.at - (held.leftAt ?? each.at) > SAME_MS) doubtHolder(story, held);
  leave(story, held, each.at);
}

/**
 * A run saw where AWSCURRENT is. Somebody moved it there, or saved over it, since it was last told where it was.
 * @param told absent: a string that nobody knows
 */
function see(story: Story, each: Happening, told?: Told): void {
  const secret = secretNamed(each);
  if (secret === undefined) return;
  const held = story.holders.get(secret);
  const tokenId = told?.tokenId;
  // The save tells since when.
  if (held && !tokenId && !held.tokenId) return;
  story.holders.set(secret, { tokenId, at: each.at });
  if (!held || held.tokenId === tokenId) return;
  const isEnded = story.lives.get(held.tokenId ?? '')?.endedAt !== undefined;
  // The string of what was deleted may be nobody's, too.
  if (told || !isEnded || held.doubtAt !== undefined) doubtHolder(story, held);
  leave(story, held, each.at);
  const last = told?.spans.at(-1);
  if (!told || !last || isSuspended(told)) return;
  enter(told, 'unknown', last.from);
  told.notes.push(GOT);
}

/** What had AWSCURRENT is superseded: the one that was armed in its place was promoted by then, or something else has it. */
function settle(story: Story, each: Happening, tokenId: string): void {
  const secret = secretNamed(each) ?? '';
  const held = story.holders.get(secret);
  if (held?.tokenId !== tokenId) return;
  const next = story.lives.get(held.nextId ?? '');
  if (next?.spans.at(-1)?.state !== 'unknown') {
    story.holders.set(secret, { leftAt: each.at, ...held });
    return;
  }
  doubtHolder(story, held);
  story.holders.set(secret, { tokenId: next.tokenId, at: each.at });
  enter(next, 'current', each.at);
}

/** Another token has AWSCURRENT, and a marker alone tells of this promotion, with the instant of an arming. */
function isUnsure(story: Story, each: Happening): boolean {
  const held = story.holders.get(secretNamed(each) ?? '');
  return !!held && held.tokenId !== each.tokenId && !!each.isOrLater && !isLogged(each);
}

/** Since then something else may have AWSCURRENT. */
function suspect(story: Story, each: Happening, nextId?: string): void {
  const secret = secretNamed(each) ?? '';
  const held = story.holders.get(secret);
  if (!held) return;
  const { doubtAt = each.at } = held;
  const isOnly = held.doubtAt === undefined;
  story.holders.set(secret, { ...held, doubtAt, nextId: isOnly ? nextId : undefined });
}

/** Where AWSCURRENT is by that. */
function followLabel(story: Story, told: Told, each: Happening): void {
  const { what, why, formerId } = each;
  if (what === 'superseded' && told.spans.at(-1)?.state === 'current')
    settle(story, each, told.tokenId);
  if (what === SEEN_BACK || (what === BACK && why?.includes(ROLLED_BACK))) see(story, each, told);
  if (BECOMES.get(what) !== 'current' || what === SEEN_BACK) return;
  if (isUnsure(story, each)) suspect(story, each, told.tokenId);
  else {
    if (formerId !== undefined) see(story, each, toldOf(story, formerId));
    move(story, each, told.tokenId);
  }
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

/** What becomes of tokens that were current, but for one that was never stored. */
const isPast = (state: TokenState | undefined, what: string, why: string | undefined) =>
  state === 'superseded' ||
  state === 'quarantined' ||
  (what === ENDED && why?.includes(ORPHAN) !== true);

/** What must have been done to it before, and nothing tells it. */
function untoldBefore(each: Happening, told: Told, state: TokenState | undefined) {
  const { what, why, at, sources } = each;
  const { state: last, from = at } = told.spans.at(-1) ?? {};
  if (last === undefined) return undefined;
  const isAnew = last === 'superseded' && state === last && at - from > SAME_MS;
  if (isAnew && !isLogged(each)) return MAYBE_READ;
  if (last === 'pending' && isPast(state, what, why)) return MAYBE_READ;
  if (!isSuspended(told)) return what === BACK && !told.isGivenBack ? WAS_WITHOUT : undefined;
  return state === last && sources.some((each) => each !== ORDERS) ? WAS_WITH : undefined;
}

/** What is told about it beside its state. */
function named(told: Told, each: Happening): Told {
  const { what, at, home } = each;
  const secret = told.secret ?? secretNamed(each);
  return {
    ...(MADE.includes(what) && { mintedAt: at }),
    ...told,
    ...(secret !== undefined && { secret }),
    ...(home !== undefined && { isElsewhere: true }),
  };
}

/** What a token was before, and what became of it by that. */
function follow(story: Story, told: Told, each: Happening): Told {
  const now = named(told, each);
  if (now.endedAt !== undefined) return now;
  const becomes = stateAfter(each, now, story.holders.get(now.secret ?? ''));
  const isOpen = becomes === 'current' && isUnsure(story, each);
  const untold = untoldBefore(each, now, becomes);
  if (untold) enter(now, 'unknown', now.spans.at(-1)?.from ?? each.at);
  now.notes.push(...(untold ? [untold] : []), ...(isOpen ? [OR_LATER] : []));
  if (each.what === ENDED) return end(now, each);
  followLabel(story, now, each);
  if (becomes !== undefined) enter(now, isOpen ? 'unknown' : becomes, each.at);
  return each.what === BACK ? { ...now, isGivenBack: true } : now;
}

/** What is told of a token, and of the one in whose place it came: until then that had AWSCURRENT, also if nothing else tells of it. */
function followBoth(story: Story, { formerId, ...each }: Happening, tokenId: string): void {
  const isOpen = each.what === 'promoted' && isUnsure(story, { ...each, tokenId });
  story.lives.set(tokenId, follow(story, toldOf(story, tokenId), { ...each, formerId }));
  if (formerId === undefined || isOpen) return;
  const superseded = { ...each, what: 'superseded' };
  story.lives.set(formerId, follow(story, toldOf(story, formerId), superseded));
}

/** Somebody saved a string over the current one: of a token, or one that nobody knows. */
function followSave(story: Story, each: Happening, tokenId: string | undefined): void {
  move(story, each, tokenId);
  if (tokenId === undefined) return;
  const told = toldOf(story, tokenId);
  if (!isSuspended(told)) enter(told, 'current', each.at);
  const secret = told.secret ?? secretNamed(each);
  story.lives.set(tokenId, { ...told, ...(secret !== undefined && { secret }) });
}

/** What AWSCURRENT got that was not promoted. */
function followGift(story: Story, each: Happening, { tokenId, is }: Gift): void {
  if (is === 'perhaps') suspect(story, each);
  else if (each.what === FOUND) see(story, each);
  else followSave(story, each, tokenId);
}

/** All that was told, in order of time. */
export function storyOf(told: readonly Happening[]): Story {
  const story: Story = { lives: new Map(), holders: new Map() };
  for (const each of told) {
    if (each.gave) followGift(story, each, each.gave);
    else if (each.tokenId !== undefined) followBoth(story, each, each.tokenId);
  }
  for (const held of story.holders.values())
    if (held.leftAt !== undefined) doubtHolder(story, held);
  return story;
}
