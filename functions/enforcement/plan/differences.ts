import type { Database } from '../../management-api/database.ts';
import type { Policy } from '../../policy/policy.ts';
import { compareRetention, formatRetention } from '../../policy/retention.ts';
import type { FieldChange } from '../../run/plan.ts';
import { type NumberedRule, sourceOf } from './rules.ts';

type Wanted<T> = T | { readonly min?: T | undefined; readonly max?: T | undefined } | undefined;

interface Correction<T> {
  readonly to: T;
  readonly reason: FieldChange['reason'];
}

/** What a declared value, or the nearest bound, asks for where the present one is not right. */
function correctionOf<T extends bigint | number>(
  present: T,
  wanted: Wanted<T>,
  compare: (a: T, b: T) => number,
): Correction<T> | undefined {
  if (wanted === undefined) return undefined;
  if (typeof wanted !== 'object') {
    return present === wanted ? undefined : { to: wanted, reason: 'Differs' };
  }
  const { min, max } = wanted;
  if (min !== undefined && compare(present, min) < 0) return { to: min, reason: 'BelowMinimum' };
  if (max !== undefined && compare(present, max) > 0) return { to: max, reason: 'AboveMaximum' };
  return undefined;
}

/** A field that is not as its rule says, and whether correcting it takes something away. */
export interface Difference {
  readonly change: FieldChange;
  readonly lessens: boolean;
}

const LOWERED = {
  maxTables:
    'existing tables stay and can be written to, however many there are; new ones beyond the limit are refused',
  maxColumnsPerTable:
    'existing tables stay and can be written to with the columns they have; new columns beyond the limit are refused, in tables made from now on at least',
} as const;

/** Every declared field that differs. What a rule does not declare is nobody's business. */
export function differencesOf(
  database: Database,
  numbered: NumberedRule,
  policy: Policy,
): Difference[] {
  const { rule, number } = numbered;
  const { name, retentionPeriod } = database;
  const describe = (field: string, from: string | number, to: string | number) => ({
    database: name,
    rule: number,
    text: `${field} ${name} ${from} -> ${to} (${sourceOf(policy, numbered)})`,
  });
  const differences: Difference[] = [];
  const period = correctionOf(retentionPeriod, rule.retention, compareRetention);
  if (period) {
    const [from, to] = [formatRetention(retentionPeriod), formatRetention(period.to)];
    const about = describe('retention', from, to);
    differences.push({
      change: { kind: 'change', ...about, field: 'retention', from, to, reason: period.reason },
      lessens: compareRetention(period.to, retentionPeriod) < 0,
    });
  }
  for (const field of ['maxTables', 'maxColumnsPerTable'] as const) {
    const from = database[field];
    const limit = correctionOf(from, rule[field], (a, b) => a - b);
    if (!limit) continue;
    const { to, reason } = limit;
    const lessens = to < from;
    const about = { ...describe(field, from, to), ...(lessens && { note: LOWERED[field] }) };
    differences.push({ change: { kind: 'change', ...about, field, from, to, reason }, lessens });
  }
  return differences;
}
