/**
 * What samples of probes say of how a change spread over the routers. A balancer chooses the router of each connection, and
 * nobody says how many there are: what all of so many probes agree on is taken for what every router says.
 */

/** One sample: probes on connections of their own. Instants are milliseconds since 1970, from its first probe to its last answer. */
export interface Sample {
  readonly from: number;
  readonly to: number;
  /** Probes that were answered as the change will have it. */
  readonly agreed: number;
  /** The kinds of requests, by number, of which one was. */
  readonly kinds: readonly number[];
  /** Those that were answered as it was before. */
  readonly objected: number;
  /** Those from which nothing was learnt. */
  readonly silent: number;
}

/** When the request of the change was sent, and when it was answered. */
export interface Change {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds after the change: the truth is not before `from`, nor after `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Spread {
  /** When the first router knew of it. Absent: none was met that did. */
  readonly first?: Range;
  /** When each kind of request had met one that did: reads may know of a token before writes do. Absent: one had not. */
  readonly usable?: Range;
  /** When every router did. Absent: that was not seen to its end. */
  readonly all?: Range;
  /** Until so long after the change, in milliseconds, a router was met that did not know of it. */
  readonly lastObjection: number;
  readonly probes: number;
  /** Of those, from which nothing was learnt. */
  readonly silent: number;
}

/** Of twelve routers, so many probes miss one less than once in a thousand times. */
export const ENOUGH_PROBES = 80;

const SHORTEST_MS = 500;
const LONGEST_MS = 5_000;
/** What is measured in minutes need not be known to the second. */
const SHARE_OF_PASSED = 1 / 20;
/** So long nobody must object, and a quarter of what it took. */
const QUIET_MS = 10_000;

/** The first sample, from there on, up to which so many probes are counted; undefined: there were not so many. */
function whenEnough(
  samples: readonly Sample[],
  countOf: (sample: Sample) => number,
): Sample | undefined {
  let counted = 0;
  return samples.find((sample) => {
    counted += countOf(sample);
    return counted >= ENOUGH_PROBES;
  });
}

const lastObjecting = (samples: readonly Sample[]) =>
  samples.findLastIndex(({ objected }) => objected > 0);

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** The first sample by which each kind of request was answered as the change will have it. */
function whenUsable(samples: readonly Sample[], kinds: number): Sample | undefined {
  const met = new Set<number>();
  return samples.find((sample) => {
    for (const kind of sample.kinds) met.add(kind);
    return met.size >= kinds;
  });
}

/** @param kinds how many kinds of requests were sent */
export function spreadOf(change: Change, samples: readonly Sample[], kinds: number): Spread {
  const after = (instant: number) => Math.max(0, instant - change.to);
  const until = (sample: Sample) => sample.to - change.from;
  const firstAt = samples.findIndex(({ agreed }) => agreed > 0);
  const first = samples[firstAt];
  const before = samples.slice(0, Math.max(0, firstAt)).reverse();
  const unmet = whenEnough(before, ({ objected }) => objected);
  const lastAt = lastObjecting(samples);
  const last = samples[lastAt];
  const settled = whenEnough(samples.slice(lastAt + 1), ({ agreed }) => agreed);
  const lastObjection = last ? after(last.from) : 0;
  const usable = whenUsable(samples, kinds);
  const from = unmet ? after(unmet.from) : 0;
  return {
    ...(first && { first: { from, to: until(first) } }),
    ...(usable && { usable: { from, to: until(usable) } }),
    ...(settled && { all: { from: lastObjection, to: until(settled) } }),
    lastObjection,
    probes: sum(samples.map(({ agreed, objected, silent }) => agreed + objected + silent)),
    silent: sum(samples.map(({ silent }) => silent)),
  };
}

/** How long to wait, in milliseconds, before the next sample; undefined: what was to be seen has been. */
export function nextSample(
  change: Change,
  samples: readonly Sample[],
  now: number,
): number | undefined {
  const lastAt = lastObjecting(samples);
  const objectedAt = samples[lastAt]?.to ?? change.to;
  const quietMs = Math.max(QUIET_MS, (objectedAt - change.to) / 4);
  const isSeen = whenEnough(samples.slice(lastAt + 1), ({ agreed }) => agreed) !== undefined;
  if (isSeen && now - objectedAt >= quietMs) return undefined;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now - change.to) * SHARE_OF_PASSED));
}

/** Of several tokens that were changed alike: the first router of any, and the last of all; usable is the slowest. */
export function together(spreads: readonly Spread[]): Spread {
  const firsts = spreads.flatMap(({ first }) => first ?? []);
  const usables = spreads.flatMap(({ usable }) => usable ?? []);
  const alls = spreads.flatMap(({ all }) => all ?? []);
  const latest = (ranges: readonly Range[]): Range => ({
    from: Math.max(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
  });
  const least = (of: (range: Range) => number) => Math.min(...firsts.map(of));
  return {
    ...(firsts.length > 0 && {
      first: { from: least(({ from }) => from), to: least(({ to }) => to) },
    }),
    ...(usables.length === spreads.length && { usable: latest(usables) }),
    ...(alls.length === spreads.length && { all: latest(alls) }),
    lastObjection: Math.max(...spreads.map((each) => each.lastObjection)),
    probes: sum(spreads.map(({ probes }) => probes)),
    silent: sum(spreads.map(({ silent }) => silent)),
  };
}
