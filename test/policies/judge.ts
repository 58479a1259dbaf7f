import { firingsOf, gapsOf } from '../../lib/schedule/gaps.ts';
import { lengthOf } from '../soak/plan.ts';
import { DAY, MINUTE } from '../world/policy.ts';
import { type Case, isAdopted } from './draw.ts';
import type { Firing, Life, Refusal } from './live.ts';

const isoOf = (at: number) => new Date(at).toISOString();
const short = (id: string | undefined) => id?.slice(0, 8) ?? 'nothing';

/** After what is minted for a beginning was promoted, and a cluster that learns late has learned of it. */
const BEGINNING = 3;

/** For how long AWSCURRENT stays at most, where nothing goes wrong. */
function longestTerm({ lifetimes, rotate, timeZone }: Case): number {
  const third = firingsOf(rotate, timeZone).thirdInSeconds * 1_000;
  const gap = gapsOf(rotate, timeZone).longestOfOne * MINUTE;
  // Firings may meet a window every other week, and one in which a token waits for its proof is lost.
  const windowed = lifetimes.windows.length > 0 ? 15 * DAY : 0;
  return lengthOf(lifetimes.rotateEvery) + windowed + 2 * third + gap + DAY;
}

/** How long each token was AWSCURRENT, as far as firings tell. */
function terlengthOf(firings: readonly Firing[]) {
  const terms: { tokenId: string | undefined; from: number; until: number }[] = [];
  for (const { at, current } of firings) {
    const last = terms.at(-1);
    if (last) last.until = at;
    if (last?.tokenId !== current) terms.push({ tokenId: current, from: at, until: at });
  }
  return terms;
}

/** A time in which consumers may be refused, and a longer one in which a run may say so. */
interface Excuse {
  readonly from: number;
  readonly refusedUntil: number;
  readonly toldUntil: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The beginning, and firings that never came: the next one mends it, or, where routers learn late, the one after that. */
function excusesOf(
  { activationDelayMs, lifetimes, missed }: Case,
  firings: readonly Firing[],
): readonly Excuse[] {
  const atOf = (number: number) => firings[number]?.at ?? NEVER;
  const beginning = { from: 0, refusedUntil: atOf(BEGINNING), toldUntil: atOf(BEGINNING) };
  if (!missed) return [beginning];
  // What missed its window is late until the next one.
  const windowed = lifetimes.windows.length > 0 ? 8 * DAY : 0;
  const mended = missed.from + (activationDelayMs > 5 * MINUTE ? 2 : 0);
  const outage = {
    from: atOf(missed.from - 1),
    refusedUntil: atOf(mended),
    toldUntil: Math.max(atOf(mended + 2), atOf(missed.from) + windowed),
  };
  return [beginning, outage];
}

/** What went wrong in a life in which nothing went wrong outside of Keyturn but that firings never came; a line each. */
export function judge(about: Case, { firings, refusals, minted }: Life): readonly string[] {
  const excuses = excusesOf(about, firings);
  // Of what was replaced just before its expiry, since nothing ran before.
  const grace = lengthOf(about.lifetimes.gracePeriod);
  const mayRefuse = ({ at, isFormer }: Refusal) =>
    excuses.some(
      ({ from, refusedUntil }) => at >= from && at <= refusedUntil + (isFormer ? grace : 0),
    );
  const mayTell = (at: number) =>
    excuses.some(({ from, toldUntil }) => at >= from && at <= toldUntil);
  const terms = terlengthOf(firings);
  const given = new Set(terms.map(({ tokenId }) => tokenId));
  const became = isAdopted(about) ? given.size - 1 : given.size;
  const gap = gapsOf(about.rotate, about.timeZone).longestOfOne * MINUTE;
  const longest = longestTerm(about) + (about.missed?.count ?? 0) * gap;
  const days = (ms: number) => (ms / DAY).toFixed(1);
  return [
    ...firings.flatMap(({ at, error }) => (error ? [`${isoOf(at)} failed: ${error}`] : [])),
    ...refusals
      .filter((each) => !mayRefuse(each))
      .map(
        ({ at, tokenId, isFormer }) =>
          `${isoOf(at)} refused: ${short(tokenId)}, ${isFormer ? 'within its grace period' : 'AWSCURRENT'}`,
      ),
    ...firings
      .filter(({ at, condition, isLate }) => !mayTell(at) && (condition !== 'works' || isLate))
      .map(
        ({ at, condition, isLate }) =>
          `${isoOf(at)} false alarm: ${condition}${isLate ? ', late' : ''}`,
      ),
    ...terms
      .filter(({ from, until }) => until - from > longest)
      .map(
        ({ tokenId, from, until }) =>
          `${isoOf(until)} put off: ${short(tokenId)} is AWSCURRENT for ${days(until - from)} days, expected ${days(longest)} at most`,
      ),
    // One may wait at the end, and one waited for too long where firings never came.
    ...(minted > became + (about.missed ? 2 : 1)
      ? [`minted in vain: ${minted}, of which ${became} became AWSCURRENT`]
      : []),
  ];
}
