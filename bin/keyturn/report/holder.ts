import { LONGEST_LAG_MS } from '../../../functions/tokens/observation.ts';
import { FOUND, type Happening, isLogged, SAME_MS, secretNamed } from '../history/happening.ts';
import { enter, type Holder, isSuspended, type Story, type Told } from './life.ts';

const SAVED = 'a string was saved over it, and nothing tells whether it is its own';
const SAVED_OVER =
  'a string was saved that may have been current in its place, and nothing tells since when';
const PROMOTED_OVER =
  'another token was promoted in its place then or later, and nothing tells since when';
const LOST = 'it was seen without AWSCURRENT, and nothing tells since when';
const GOT = 'it was seen with AWSCURRENT, and nothing tells since when';

/** From then on it is not known whether it was current, until it was seen to be, or as long as it was told to be. */
function doubt(
  story: Story,
  tokenId: string | undefined,
  { from, until }: { readonly from: number; readonly until?: number },
  note: string,
): void {
  const told = story.lives.get(tokenId ?? '');
  if (!told) return;
  const { spans, notes } = told;
  const index = spans.findLastIndex(({ state }) => state === 'current');
  const span = spans[index];
  if (!span || (span.until ?? Number.POSITIVE_INFINITY) <= from) return;
  const at = Math.max(from, span.from);
  const open = { ...span, state: 'unknown', from: at } as const;
  const seen =
    until === undefined
      ? [open]
      : [
          { ...open, until },
          { ...span, from: until },
        ];
  spans.splice(index, 1, { ...span, until: at }, ...seen);
  notes.push(note);
}

const whyDoubted = ({ doubtAt, nextId }: Holder) =>
  doubtAt === undefined ? LOST : nextId === undefined ? SAVED_OVER : PROMOTED_OVER;

export const doubtHolder = (story: Story, held: Holder) =>
  doubt(story, held.tokenId, { from: held.doubtAt ?? held.at }, whyDoubted(held));

/** By then a run had seen that who was in doubt still had AWSCURRENT, or again. */
export function quieted(story: Story, held: Holder, by = Number.POSITIVE_INFINITY): Holder {
  const { doubtAt, quietAt, nextId, ...known } = held;
  if (doubtAt === undefined || quietAt === undefined || quietAt > by) return held;
  doubt(story, held.tokenId, { from: doubtAt, until: quietAt }, SAVED_OVER);
  return { ...known, at: quietAt };
}

/** Who had AWSCURRENT when that was done. */
function heldAt(story: Story, secret: string, at: number): Holder | undefined {
  const held = story.holders.get(secret);
  const known = held && quieted(story, held, at);
  if (known) story.holders.set(secret, known);
  return known;
}

/** AWSCURRENT leaves whoever had it, by then at the latest. */
function leave(story: Story, { tokenId, overId = tokenId }: Holder, at: number): void {
  const told = story.lives.get(overId ?? '');
  const state = told?.spans.at(-1)?.state;
  if (told && (state === 'current' || state === 'unknown')) enter(told, 'superseded', at);
}

/** A string was saved over it, and perhaps its own. */
function leaveOpen(story: Story, overId: string | undefined, at: number): void {
  const told = story.lives.get(overId ?? '');
  if (told?.spans.at(-1)?.state !== 'current') return;
  enter(told, 'unknown', at);
  told.notes.push(SAVED);
}

/** A run has read it: what was saved over it is another string. */
function settleSave(story: Story, { tokenId, overId, at }: Holder): void {
  const told = tokenId === undefined ? story.lives.get(overId ?? '') : undefined;
  const last = told?.spans.at(-1);
  if (!told || last?.state !== 'unknown') return;
  told.spans.pop();
  if (last.from < at) told.spans.push({ ...last, until: at });
  told.spans.push({ ...last, state: 'superseded', from: Math.max(at, last.from) });
  const noted = told.notes.lastIndexOf(SAVED);
  if (noted >= 0) told.notes.splice(noted, 1);
}

/** AWSCURRENT is moved. */
export function move(story: Story, each: Happening, tokenId: string | undefined): void {
  const secret = secretNamed(each);
  if (secret === undefined) return;
  const { at, gave, formerId } = each;
  const held = heldAt(story, secret, at);
  const overId = gave && tokenId === undefined ? (held?.tokenId ?? held?.overId) : undefined;
  story.holders.set(secret, { tokenId, at, gave, overId });
  if (!held) return;
  if (held.tokenId === tokenId) {
    // Nobody saves it over itself but to take away what was saved between.
    if (gave && held.doubtAt !== undefined) doubtHolder(story, held);
    return;
  }
  const isDoubtful = held.doubtAt !== undefined && formerId !== held.tokenId;
  if (isDoubtful || at - (held.leftAt ?? at) > SAME_MS) doubtHolder(story, held);
  if (overId === undefined) leave(story, held, at);
  else leaveOpen(story, overId, at);
}

/** When a run saw after that that nobody had moved it yet. What it saw of the tokens may have been of an hour before. */
const notYet = ({ notYetAt = 0 }: Happening, { at, doubtAt }: Holder): number | undefined =>
  doubtAt === undefined && notYetAt - at >= LONGEST_LAG_MS ? notYetAt : undefined;

/**
 * A run saw where AWSCURRENT is. Somebody moved it there, or saved over it, since it was last told where it was.
 * @param told absent: a string that nobody knows
 */
export function see(story: Story, each: Happening, told?: Told): void {
  const secret = secretNamed(each);
  if (secret === undefined) return;
  const held = heldAt(story, secret, each.at);
  const tokenId = told?.tokenId;
  if (held && !tokenId && (!held.tokenId || held.gave?.is === 'now')) {
    settleSave(story, held);
    return;
  }
  story.holders.set(secret, { tokenId, at: each.at });
  if (!held || held.tokenId === tokenId) return;
  const isEnded = story.lives.get(held.tokenId ?? '')?.endedAt !== undefined;
  const since = notYet(each, held) ?? held.at;
  // The string of what was deleted may be nobody's, too.
  if (told || !isEnded || held.doubtAt !== undefined) doubtHolder(story, { ...held, at: since });
  leave(story, held, each.at);
  const last = told?.spans.at(-1);
  if (!told || !last || isSuspended(told)) return;
  enter(told, 'unknown', since > held.at ? since : last.from);
  told.notes.push(GOT);
}

/** What had AWSCURRENT is superseded, or has ended: the one that was armed in its place was promoted by then, or something else has it. */
export function settle(story: Story, each: Happening, tokenId: string): void {
  const secret = secretNamed(each) ?? '';
  const held = heldAt(story, secret, each.at);
  if (held?.tokenId !== tokenId) return;
  const next = story.lives.get(held.nextId ?? '');
  if (next?.spans.at(-1)?.state !== 'unknown') {
    // The string of what was deleted keeps it.
    if (each.what !== 'deleted') story.holders.set(secret, { leftAt: each.at, ...held });
    return;
  }
  doubtHolder(story, held);
  story.holders.set(secret, { tokenId: next.tokenId, at: each.at });
  enter(next, 'current', each.at);
}

/** Another token has AWSCURRENT, and a marker alone tells of this promotion, with the instant of an arming. */
export function isUnsure(story: Story, each: Happening): boolean {
  const held = story.holders.get(secretNamed(each) ?? '');
  return !!held && held.tokenId !== each.tokenId && !!each.isOrLater && !isLogged(each);
}

/** Since then something else may have AWSCURRENT. */
export function suspect(story: Story, each: Happening, nextId?: string): void {
  const secret = secretNamed(each) ?? '';
  const held = heldAt(story, secret, each.at);
  // The save tells of the string that a run does not know.
  if (!held || (held.gave && each.what === FOUND)) return;
  const { doubtAt = each.at } = held;
  const isOnly = held.doubtAt === undefined;
  const { quietAt } = each;
  story.holders.set(secret, { ...held, doubtAt, quietAt, nextId: isOnly ? nextId : undefined });
}
