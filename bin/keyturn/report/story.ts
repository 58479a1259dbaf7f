import {
  FOUND,
  type Gift,
  type Happening,
  isLogged,
  SAME_MS,
  ROLLED_BACK as SEEN_BACK,
  secretNamed,
} from '../history/happening.ts';
import { doubtHolder, isUnsure, move, quieted, see, settle, suspect } from './holder.ts';
import {
  enter,
  type Holder,
  isSuspended,
  type Story,
  SUSPENDED,
  type TokenState,
  type Told,
  toldOf,
} from './life.ts';

const MADE = ['minted', 'made by others'];
const BACK = 'permissions given back';
const ENDED = 'deleted';
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
/** What is stored again, or marked again, is no step back. */
const ONLY_FROM: Readonly<Partial<Record<TokenState, readonly (TokenState | undefined)[]>>> = {
  inert: [undefined],
  live: [undefined],
  pending: [undefined, 'inert'],
  superseded: [undefined, 'pending', 'live', 'current', 'superseded', 'unknown'],
};
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

/** What becomes of tokens that were current, but for one that was never stored. What waits is frozen, too. */
const isPast = (state: TokenState | undefined, each: Happening, isWhole: boolean) =>
  state === 'superseded' ||
  state === 'quarantined' ||
  (state === 'frozen' && !(isWhole && isLogged(each))) ||
  (each.what === ENDED && each.why?.includes(ORPHAN) !== true);

/** A run writes down later that a string was saved over it, and again, as long as nobody knows that string. */
function isOfSave({ secret = '', spans }: Told, saves: Story['saves']): boolean {
  const savedAt = saves.get(secret) ?? Number.NEGATIVE_INFINITY;
  const before = spans.at(-2);
  const left = before?.state === 'unknown' ? before : spans.at(-1);
  return left !== undefined && savedAt >= left.from;
}

/** What must have been done to it before, and nothing tells it. */
function untoldBefore(
  each: Happening,
  told: Told,
  state: TokenState | undefined,
  { saves, isWhole }: Pick<Story, 'saves' | 'isWhole'>,
) {
  const { what, at, sources } = each;
  const { state: last, from = at } = told.spans.at(-1) ?? {};
  if (last === undefined) return undefined;
  const isAnew = last === 'superseded' && state === last && at - from > SAME_MS;
  if (isAnew && !isOfSave(told, saves) && !isLogged(each)) return MAYBE_READ;
  if (last === 'pending' && isPast(state, each, isWhole)) return MAYBE_READ;
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
  const untold = untoldBefore(each, now, becomes, story);
  if (untold) enter(now, 'unknown', now.spans.at(-1)?.from ?? each.at);
  now.notes.push(...(untold ? [untold] : []), ...(isOpen ? [OR_LATER] : []));
  if (each.what === ENDED) {
    settle(story, each, now.tokenId);
    return end(now, each);
  }
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
  if (is === 'perhaps') {
    suspect(story, each);
    return;
  }
  story.saves.set(secretNamed(each) ?? '', each.at);
  if (each.what === FOUND) see(story, each);
  else followSave(story, each, tokenId);
}

/** All that was told, in order of time. */
export function storyOf(told: readonly Happening[], { isWhole }: Pick<Story, 'isWhole'>): Story {
  const story: Story = { lives: new Map(), holders: new Map(), saves: new Map(), isWhole };
  for (const each of told) {
    if (each.gave) followGift(story, each, each.gave);
    else if (each.tokenId !== undefined) followBoth(story, each, each.tokenId);
  }
  for (const each of story.holders.values()) {
    const held = quieted(story, each);
    if (held.leftAt !== undefined) doubtHolder(story, held);
  }
  return story;
}
