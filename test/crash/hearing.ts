import { readMetrics } from '../world/metrics.ts';
import type { Answered } from '../world/world.ts';
import type { Rising } from './alarms.ts';

/** What people must be told of. */
export type Kind =
  /** There is no secret, or none with a value. */
  | 'missing'
  /** Its deletion is scheduled. */
  | 'deleted'
  /** Nobody can know whether consumers have something that works. */
  | 'unknown'
  | 'refused'
  | 'expiring'
  /** What consumers had before is refused, and they may still have it. */
  | 'bereft'
  /** A token works that no secret of ours has. */
  | 'strayed';

/** An entry as a run of `rotate` answers it. */
interface Entry {
  readonly secret: string;
  readonly condition: string;
  readonly heldSince?: number;
}

interface Row {
  readonly tellsOf: readonly Kind[];
  /** Whether an entry is one of those that the metric counts. Absent: the answer does not name them. */
  readonly counts?: (entry: Entry) => boolean;
}

/** Conditions that `UnusableTokens` does not count; docs/runbook.md has the others, by what people read there. */
const UNCOUNTED = ['works', 'held', 'deleted', 'replica', 'unadopted'];

/**
 * Which alarms tell of what, by their metrics. All others tell of something else: an overdue rotation of a token that may
 * well work, a refused plan of whatever it keeps back, a mended outage of what is over.
 */
const TELLS: Readonly<Record<string, Row>> = {
  // "Consumers are refused, or soon will be, or nobody can know": its page says what to do for each condition, of which
  // the entry's worst one is shown. It goes on ringing while there is any, so none of them can be told twice. Of a secret
  // that lost our tag nothing is seen but that it is missing, whether or not its deletion is scheduled.
  UnusableTokens: {
    tellsOf: ['missing', 'deleted', 'unknown', 'refused', 'expiring', 'bereft'],
    counts: ({ condition }) => !UNCOUNTED.includes(condition),
  },
  // Its page says that consumers cannot read the secret; what was wrong before is told once that is mended.
  DeletedSecrets: {
    tellsOf: ['deleted', 'missing', 'unknown', 'refused', 'expiring', 'bereft'],
    counts: ({ condition }) => condition === 'deleted',
  },
  // Its page says that consumers have had nothing that works since then, and how to end that.
  LongHolds: {
    tellsOf: ['missing', 'unknown', 'refused', 'expiring'],
    counts: ({ heldSince }) => heldSince !== undefined,
  },
  // Its page says how near the expiry is. Of what is refused already it says nothing.
  TokensNearExpiry: { tellsOf: ['expiring'] },
  WorkingStrays: { tellsOf: ['strayed'] },
};

/** What one run told people. */
export interface Heard {
  readonly tellsOf: (kind: Kind, secret: string | undefined) => boolean;
}

export const SILENCE: Heard = { tellsOf: () => false };

/** What one of several runs told. */
export const all = (runs: readonly Heard[]): Heard => ({
  tellsOf: (kind, secret) => runs.some(({ tellsOf }) => tellsOf(kind, secret)),
});

const hasMeasured = (lines: readonly string[]) =>
  readMetrics(lines).some((record) =>
    Object.keys(record).some((key) => key.endsWith(' UnusableTokens')),
  );

/**
 * What people heard of a run. One that failed before it could measure knows nothing, and its failure says so: that tells of
 * whatever there may be. Of a run that answers nothing else, the metric alone counts.
 */
export function hearing(
  { result, error, lines }: Answered & { readonly lines: readonly string[] },
  risen: Rising,
): Heard & { readonly rang: readonly string[] } {
  const rang = risen({ lines, ...(error && { error }) });
  const entries: readonly Entry[] | undefined = result?.entries;
  const isBlind = rang.includes('Errors') && !hasMeasured(lines);
  const tellsOf = (kind: Kind, secret: string | undefined) =>
    rang.some((metric) => {
      const { tellsOf: kinds = [], counts } = TELLS[metric] ?? {};
      if (!kinds.includes(kind)) return false;
      const entry = entries?.find((each) => each.secret === secret);
      return counts === undefined || entry === undefined || counts(entry);
    });
  return { rang, tellsOf: (kind, secret) => isBlind || tellsOf(kind, secret) };
}
