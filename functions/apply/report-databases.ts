import type { DatabaseAction, Finding, Plan } from '../model/plan.ts';
import type { Outcome } from './outcome.ts';
import type { Tools } from './tools.ts';

/** The most sentences that one event carries. */
const SHOWN = 20;
/** Findings that say how a database differs from its rule and will go on to. */
const DRIFT = ['DatabaseDrift', 'DatabaseMissing', 'PartitionTemplateDiffers'];
const REFUSED = 'RetentionRefused';

/** How many differences a plan leaves as they are, and how many of them it was not allowed to end. */
export function countDrift({ findings }: { readonly findings: readonly Finding[] }) {
  const refused = findings.filter(({ kind }) => kind === REFUSED);
  const drifted = findings.filter(({ kind }) => DRIFT.includes(kind));
  return { drifted: drifted.length + refused.length, refused: refused.length };
}

/** Tells, once a run, of what differs and is not being corrected. */
export function reportDrift(plan: Plan<DatabaseAction>, { publish }: Pick<Tools, 'publish'>): void {
  const counts = countDrift(plan);
  if (counts.drifted === 0) return;
  const drift = plan.findings.filter(({ kind }) => kind === REFUSED || DRIFT.includes(kind));
  publish({
    type: 'Database Drift Detected',
    detail: { ...counts, findings: drift.slice(0, SHOWN) },
  });
}

/** Tells of databases of which a part is changed and a part is not; the next run does the rest. */
export function reportHalfApplied(
  outcomes: readonly Outcome<DatabaseAction>[],
  { log, publish }: Pick<Tools, 'log' | 'publish'>,
): void {
  for (const [database, all] of Map.groupBy(outcomes, ({ action }) => action.database)) {
    const texts = (results: readonly Outcome['result'][]) =>
      all.filter(({ result }) => results.includes(result)).map(({ action }) => action.text);
    const half = { database, done: texts(['done']), open: texts(['failed', 'postponed']) };
    if (half.done.length === 0 || half.open.length === 0) continue;
    log.warn('half applied', half);
    publish({ type: 'Database Drift Detected', detail: { kind: 'HalfApplied', ...half } });
  }
}
