import type { Outcome, Result } from '../run/outcome.ts';
import type { Finding, Plan } from '../run/plan.ts';
import type { Tools } from '../run/tools.ts';
import type { DatabaseAction } from './plan/database-action.ts';
import { describeAction } from './plan/describe-action.ts';

/** The most findings in one event. */
const SHOWN = 20;
/** Findings about a database that differs from its rule and is not corrected. */
const DRIFT = ['DatabaseDrift', 'DatabaseMissing', 'PartitionTemplateDiffers'];
const REFUSED = 'RetentionRefused';

const isDrift = ({ kind }: Finding) => kind === REFUSED || DRIFT.includes(kind);

/** How many databases differ from their rule and are not corrected by this plan. */
export const countDrifted = ({ findings }: { readonly findings: readonly Finding[] }) =>
  new Set(findings.filter(isDrift).map(({ database }) => database)).size;

/** Publishes, once in a run, which databases differ from their rules and are not corrected. */
export function reportDrift(plan: Plan<DatabaseAction>, { publish }: Pick<Tools, 'publish'>): void {
  const drift = plan.findings.filter(isDrift);
  if (drift.length === 0) return;
  const refused = drift.filter(({ kind }) => kind === REFUSED).length;
  publish({
    type: 'Database Drift Detected',
    detail: { drifted: drift.length, refused, findings: drift.slice(0, SHOWN) },
  });
}

/** Reports databases of which only a part of the changes was made; the next run does the rest. */
export function reportHalfApplied(
  outcomes: readonly Outcome<DatabaseAction>[],
  { log, publish, policy }: Pick<Tools, 'log' | 'publish' | 'policy'>,
): void {
  for (const [database, all] of Map.groupBy(outcomes, ({ action }) => action.database)) {
    const texts = (results: readonly Result[]) =>
      all
        .filter(({ result }) => results.includes(result))
        .map(({ action }) => describeAction(action, policy.file));
    const half = { database, done: texts(['done']), open: texts(['failed', 'postponed']) };
    if (half.done.length === 0 || half.open.length === 0) continue;
    log.warn('half applied', half);
    publish({ type: 'Database Drift Detected', detail: { kind: 'HalfApplied', ...half } });
  }
}
