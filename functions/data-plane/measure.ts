/**
 * When enough bursts have agreed. Nobody says how many routers there are, nor how late the latest
 * learns of a change; a burst can miss one that has not. So the time that passed until bursts agreed
 * measures how slow this cluster is, and it is watched for as long again.
 */

/** What a burst says of the answer that is waited for. */
export type Verdict = 'agrees' | 'objects' | 'silent';

/** Instants are milliseconds since 1970. */
export interface Limits {
  /** When that changed of which the routers learn. */
  readonly changedAt: number;
  /** This long after the change no more waiting is needed, if no burst objected. */
  readonly settleMs: number;
  /** If no router has agreed by then, or one is stuck, the wait ends. */
  readonly firstBy: number;
  /** The wait ends before this instant, and as soon as it cannot be done before. */
  readonly deadline: number;
}

export interface Progress {
  readonly startedAt: number;
  /** When a burst objected last. */
  readonly objectedAt?: number;
  /** Whether any router agreed, in whatever burst. */
  readonly agreed: boolean;
  /** The first burst that agreed since the last that objected. */
  readonly since?: number;
  /** How many agreed in a row. */
  readonly inARow: number;
  /** How many did not agree. */
  readonly failed: number;
}

/** Since bursts agree: how long ago that began, and how long they must. */
export interface Watch {
  readonly passedMs: number;
  readonly ms: number;
}

export type Step =
  | { readonly kind: 'done' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'end'; readonly watch?: Watch | undefined };

const FASTEST_MS = 5_000;
const SLOWEST_MS = 30_000;
const SHORTEST_WATCH_MS = 15_000;
/**
 * Chosen by simulation. With 12 routers that learn within 240 s, their times drawn uniformly or
 * exponentially, fewer than 0.5 of 1,000 strings are taken too early, also by a run that begins in the
 * middle; with six bursts it would be 2. A string then costs about 100 probes, 80 of them for this.
 */
const BURSTS = 8;
/** Time tells nothing of a stuck router, only chance does: of one in twelve, 160 probes miss it once in a million times. */
const STUCK_BURSTS = 2 * BURSTS;

/** `wasRefused`: an earlier wait met an objection, or did not see the end of them. */
export const begun = (startedAt: number, wasRefused = false): Progress => ({
  startedAt,
  ...(wasRefused && { objectedAt: startedAt }),
  agreed: false,
  inARow: 0,
  failed: 0,
});

/**
 * The progress after a burst that ended at `now`. One that objects starts the measure anew. One from
 * which nothing was learnt leaves the time as it is, but the bursts are counted anew: a router behind an
 * outage must not be passed over. `anyAgreed`: a part of the burst did, if not the whole.
 */
export function noted(
  former: Progress,
  verdict: Verdict,
  now: number,
  anyAgreed = false,
): Progress {
  const progress = { ...former, agreed: former.agreed || anyAgreed };
  const { since, ...rest } = progress;
  if (verdict === 'agrees') {
    return { ...rest, agreed: true, since: since ?? now, inARow: progress.inARow + 1 };
  }
  const next = { ...rest, inARow: 0, failed: progress.failed + 1 };
  if (verdict === 'objects') return { ...next, objectedAt: now };
  return { ...next, ...(since !== undefined && { since }) };
}

const settledAt = ({ changedAt, settleMs }: Limits) => changedAt + settleMs;

/** Whether a router objected that should have known of the change by then: it is not slow, it is stuck. */
export const isStuck = ({ objectedAt }: Pick<Progress, 'objectedAt'>, limits: Limits): boolean =>
  objectedAt !== undefined && objectedAt >= settledAt(limits);

/** How long, and how many bursts in a row, must agree from `since` on. */
function required(progress: Progress, since: number, limits: Limits, now: number) {
  const { startedAt, objectedAt } = progress;
  if (objectedAt === undefined && now >= settledAt(limits)) return { ms: 0, bursts: 1 };
  const ms = Math.max(SHORTEST_WATCH_MS, Math.min(since - startedAt, settledAt(limits) - since));
  if (!isStuck(progress, limits)) return { ms, bursts: BURSTS };
  return { ms: Math.max(ms, 2 * SHORTEST_WATCH_MS), bursts: STUCK_BURSTS };
}

const afterFailure = ({ failed }: Progress) => Math.min(FASTEST_MS * 2 ** (failed - 1), SLOWEST_MS);

/** What follows a burst that ended at `now`. */
export function nextStep(progress: Progress, limits: Limits, now: number): Step {
  const { since, inARow } = progress;
  if (since === undefined) {
    const isComing = progress.agreed && !isStuck(progress, limits);
    const lastMs = isComing ? Number.POSITIVE_INFINITY : limits.firstBy - now;
    const ms = Math.min(afterFailure(progress), lastMs);
    return ms > 0 && now + ms < limits.deadline ? { kind: 'wait', ms } : { kind: 'end' };
  }
  const { ms: watchMs, bursts } = required(progress, since, limits, now);
  const watch = { passedMs: now - since, ms: watchMs };
  const leftMs = watch.ms - watch.passedMs;
  if (inARow >= bursts && leftMs <= 0) return { kind: 'done' };
  const evenlyMs = leftMs / Math.max(1, bursts - inARow);
  const shortestMs = SHORTEST_WATCH_MS / (BURSTS - 1);
  const ms = inARow === 0 ? afterFailure(progress) : Math.ceil(Math.max(shortestMs, evenlyMs));
  const canBeDone = now + Math.max(ms, leftMs) < limits.deadline;
  return canBeDone ? { kind: 'wait', ms } : { kind: 'end', watch };
}
