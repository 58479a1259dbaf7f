import { MINUTE_MS } from '../../../functions/time.ts';

/** What AWSCURRENT got that is no token's: a string of that token, or one that nobody knows. */
export interface Gift {
  readonly tokenId?: string | undefined;
  /** `now`: its version has AWSCURRENT still. `perhaps`: its version has no label, and may never have had that one. */
  readonly is?: 'now' | 'perhaps';
}

/** What one source says of one thing that was done. */
export interface Fact {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** In the words that people read: `promoted`. */
  readonly what: string;
  readonly tokenId?: string | undefined;
  readonly secret?: string | undefined;
  /** Of the marker that tells it: another secret of that name, which is not listed as ours. */
  readonly home?: string;
  /** The entry, where its secret is not named. */
  readonly entry?: string | undefined;
  /** What it is about, if it is neither a token nor a secret nor an entry of ours. */
  readonly subject?: string | undefined;
  readonly gave?: Gift | undefined;
  /** Who did it, as far as the source says so. */
  readonly by?: string | undefined;
  readonly why?: string | undefined;
  /** `log of rotate`, `cluster`, `Secrets Manager`. */
  readonly source: string;
  /** The token in whose place this one came. */
  readonly formerId?: string | undefined;
  /** What tells it from another thing of the same words. Absent: its token, secret or subject. */
  readonly key?: string | undefined;
  /** Its instant is the right one, and a marker's may be of an earlier step. */
  readonly isExact?: boolean;
  /** Of a promotion: it was then or later. */
  readonly isOrLater?: boolean;
  /** Absent: other sources say the same thing within minutes of it. */
  readonly withinMs?: number;
  /** Every run says it again as long as it is so. */
  readonly isRepeated?: boolean;
  /** When the last run began that would have done something about it, or said it, and did not: it was not so yet. */
  readonly notYetAt?: number | undefined;
  /** Of what was saved, and may have been current: when the first run began after it that saw nothing of that. */
  readonly quietAt?: number | undefined;
  /** When the run before began, which would have said it. Absent: nothing tells of one. */
  readonly runBeforeAt?: number | undefined;
}

/** What tells whether two facts are one. */
type HowTold = 'key' | 'isExact' | 'withinMs' | 'isRepeated' | 'runBeforeAt';

/** One thing that was done, told once, whoever says it. */
export interface Happening extends Omit<Fact, 'source' | HowTold> {
  readonly sources: readonly string[];
  /** How often it was said as a thing that is so still. */
  readonly count: number;
  /** When that was last, or when a run noted what somebody had saved. */
  readonly untilAt?: number;
}

/** ` (3 times, until 2026-01-31T06:00:00Z)` */
export function timesText(
  { count, untilAt }: Pick<Happening, 'count' | 'untilAt'>,
  textOf: (at: number) => string,
): string {
  if (untilAt === undefined) return '';
  return count > 1 ? ` (${count} times, until ${textOf(untilAt)})` : ` (noted ${textOf(untilAt)})`;
}

/** Whether a log tells of it, beside or instead of what markers and versions show. */
export const isLogged = ({ sources }: Pick<Happening, 'sources'>): boolean =>
  sources.some((source) => source.startsWith('log '));

/** One secret: another one of its name, of which a marker alone tells, is told apart. */
export const secretNamed = ({ secret, home }: Pick<Fact, 'secret' | 'home'>): string | undefined =>
  home === undefined ? secret : `${secret}, another one of that name (home ${home})`;

/** A version of which no log says that our functions put it. */
export const SAVED = 'saved by others';

/** Of a version without a label, as far as Secrets Manager tells. */
export const A_PERSON_OR_ROTATION = 'a person, or Secrets Manager’s rotation';

/** What a run saw, and did not do. */
export const FOUND = 'found';
export const ROLLED_BACK = 'rolled back by hand';

/** Of a promotion that a marker alone tells of. */
export const OR_LATER = 'then or later: a marker may say when it was armed';

/** Of an order without its last line. */
export const NOT_ENDED = 'an order has not ended, as far as its log says';

/** Who did it, where nothing says who gave the order. */
export const AN_ORDER = 'an order';

/** Clocks of the cluster and of AWS may differ so much, and a line is written behind the work. */
const SECOND_MS = 1_000;
export const SAME_MS = 5 * MINUTE_MS;

const keyOf = ({ what, key, tokenId, secret, entry, subject }: Fact) =>
  `${what}:${key ?? tokenId ?? secret ?? entry ?? subject}`;

function isSame(a: Happening, b: Fact): boolean {
  if (b.isRepeated) {
    const { at, untilAt = at, why, by } = a;
    return why === b.why && by === b.by && untilAt >= (b.runBeforeAt ?? untilAt);
  }
  // A source says a thing once: what it says twice was done twice.
  if (b.withinMs === undefined && a.sources.includes(b.source)) return false;
  return Math.abs(a.at - b.at) <= (b.withinMs ?? SAME_MS);
}

/** Markers have whole seconds. */
const finer = (a: number, b: number) => (Math.abs(a - b) < SECOND_MS ? Math.max(a, b) : a);

/** Of what is told of the same instant, as far as it is in this order. */
const IN_ORDER = [
  ...['minted', 'stored', 'proven', 'promoted', 'superseded'],
  ...['grace period over', 'quarantined', 'deleted', 'string refused', NOT_ENDED],
];
const rankOf = ({ what }: Happening) => IN_ORDER.indexOf(what);
/** An instant without a fraction was cut to its second: within that it may be any, and what logs tell comes first. */
const latestOf = ({ at }: Happening) => (at % SECOND_MS === 0 ? at + SECOND_MS - 1 : at);

/**
 * When each is told: by the instants, but that a token was minted before all else of it, since its cluster's clock may be ahead
 * of ours.
 */
function toldAt(happenings: readonly Happening[]): (each: Happening) => number {
  const ofToken = Map.groupBy(happenings, ({ tokenId }) => tokenId);
  return (each) => {
    const at = latestOf(each);
    if (each.what !== 'minted') return at;
    const others = (ofToken.get(each.tokenId) ?? []).map(latestOf);
    return Math.min(
      at,
      ...others.filter((other) => at - other <= SAME_MS).map((other) => other - 1),
    );
  };
}

/** Some sources say only what it may have been, and others who did it. */
const moreOf = (by: string | undefined, other: string | undefined) =>
  by === AN_ORDER || by === A_PERSON_OR_ROTATION ? (other ?? by) : (by ?? other);

const merged = (
  known: Happening,
  { source, key, isExact, withinMs, isRepeated, runBeforeAt, ...fact }: Fact,
): Happening => ({
  ...fact,
  ...known,
  at: isExact ? fact.at : finer(known.at, fact.at),
  by: moreOf(known.by, fact.by),
  why: known.why ?? fact.why,
  secret: known.secret ?? fact.secret,
  formerId: known.formerId ?? fact.formerId,
  gave: known.gave?.tokenId === undefined ? (fact.gave ?? known.gave) : known.gave,
  sources: known.sources.includes(source) ? known.sources : [...known.sources, source],
  ...(isRepeated && { count: known.count + 1 }),
  ...((isRepeated || fact.what === SAVED) && { untilAt: fact.at }),
});

/** All facts in order of time, each thing once. */
export function happeningsOf(facts: readonly Fact[]): readonly Happening[] {
  const known = new Map<string, Happening[]>();
  for (const fact of facts.toSorted((a, b) => a.at - b.at)) {
    const alike = known.get(keyOf(fact)) ?? [];
    known.set(keyOf(fact), alike);
    const index = alike.findLastIndex((each) => isSame(each, fact));
    const found = alike[index];
    if (found) alike[index] = merged(found, fact);
    else {
      const { source, key, isExact, withinMs, isRepeated, runBeforeAt, ...told } = fact;
      alike.push({ ...told, sources: [source], count: 1 });
    }
  }
  const happenings = [...known.values()].flat();
  const when = toldAt(happenings);
  return happenings.sort((a, b) => when(a) - when(b) || rankOf(a) - rankOf(b));
}

const GETS_CURRENT = ['promoted', 'adopted', ROLLED_BACK];

/** Says of a promotion in place of another token than was told to have AWSCURRENT that somebody had moved it. */
export function withMoves(happenings: readonly Happening[]): readonly Happening[] {
  const holders = new Map<string | undefined, string | undefined>();
  return happenings.map((each) => {
    const { what, why, tokenId, formerId, gave } = each;
    const secret = secretNamed(each);
    const held = holders.get(secret);
    const isUnsure = gave || (each.isOrLater && !isLogged(each));
    if (gave || GETS_CURRENT.includes(what)) holders.set(secret, isUnsure ? undefined : tokenId);
    if (what !== 'promoted' || !formerId || !held || held === formerId) return each;
    const moved = `${formerId.slice(0, 8)} had AWSCURRENT by then, and nothing tells since when`;
    return { ...each, why: why === undefined ? moved : `${why}; ${moved}` };
  });
}
