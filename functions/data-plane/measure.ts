/**
 * When enough bursts have agreed. Nobody says how many routers there are, nor how late the latest
 * learns of a change; a burst can miss one that has not. So the time that passed until bursts agreed
 * measures how slow this cluster is, and as much again is watched.
 */

/** What a burst says of the answer that is waited for. */
export type Verdict = 'agrees' | 'objects' | 'unknown';

/** The change that routers learn of. Instants are milliseconds since 1970. */
export interface Change {
  readonly at: number;
  /** After this time no more waiting is needed. */
  readonly settleMs: number;
}

export interface Progress {
  readonly startedAt: number;
  /** Whether any burst objected. */
  readonly objected: boolean;
  /** Whether any burst agreed. */
  readonly agreed: boolean;
  /** The first burst that agreed since the last that objected. */
  readonly since?: number;
  /** How many agreed in a row. */
  readonly inARow: number;
  /** How many did not agree. */
  readonly failed: number;
}

const FASTEST_MS = 5_000;
const SLOWEST_MS = 30_000;
const SHORTEST_WATCH_MS = 15_000;
/**
 * Chosen by simulation. With 12 routers that learn within 240 s, uniformly or exponentially, fewer than
 * 0.5 of 1,000 strings are taken too early, also by a run that begins in the middle; with six bursts,
 * 2 of 1,000. It costs about 100 probes, and fewer bursts would save a tenth for each.
 */
const BURSTS = 8;

export const begun = (startedAt: number): Progress => ({
  startedAt,
  objected: false,
  agreed: false,
  inARow: 0,
  failed: 0,
});

/**
 * The progress after a burst that ended at `now`. One that objects starts the measure anew. One from
 * which nothing was learnt leaves the time as it is, but the bursts are counted anew: a router behind an
 * outage must not be passed over.
 */
export function noted(progress: Progress, verdict: Verdict, now: number): Progress {
  const { since, ...rest } = progress;
  if (verdict === 'agrees') {
    return { ...rest, agreed: true, since: since ?? now, inARow: progress.inARow + 1 };
  }
  const next = { ...rest, inARow: 0, failed: progress.failed + 1 };
  if (verdict === 'objects') return { ...next, objected: true };
  return { ...next, ...(since !== undefined && { since }) };
}

/** How long, and how many bursts in a row, must agree from `since` on. */
function required({ startedAt, objected }: Progress, since: number, change: Change, now: number) {
  const settledAt = change.at + change.settleMs;
  if (!objected && now >= settledAt) return { ms: 0, bursts: 1 };
  const ms = Math.max(SHORTEST_WATCH_MS, Math.min(since - startedAt, settledAt - since));
  return { ms, bursts: BURSTS };
}

/** What follows a burst that ended at `now`. */
export function nextStep(
  progress: Progress,
  change: Change,
  now: number,
): {
  readonly done: boolean;
  /** Until the next burst. */
  readonly waitMs: number;
  /** The watch, once bursts agree: how much is over, and how long it is in all. */
  readonly watch?: { readonly passedMs: number; readonly ms: number };
} {
  const { since, inARow, failed } = progress;
  const failedMs = Math.min(FASTEST_MS * 2 ** (failed - 1), SLOWEST_MS);
  if (since === undefined) return { done: false, waitMs: failedMs };
  const { ms, bursts } = required(progress, since, change, now);
  const passedMs = now - since;
  const evenlyMs = (ms - passedMs) / Math.max(1, bursts - inARow);
  return {
    done: inARow >= bursts && passedMs >= ms,
    waitMs:
      inARow === 0 ? failedMs : Math.ceil(Math.max(SHORTEST_WATCH_MS / (BURSTS - 1), evenlyMs)),
    watch: { passedMs, ms },
  };
}
