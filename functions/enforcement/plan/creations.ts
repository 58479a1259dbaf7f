import { formatTemplate } from '../../management-api/partition-template.ts';
import type { NamedDatabaseRule } from '../../policy/database-rule.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../policy/duration.ts';
import { drawOf } from '../../policy/jitter.ts';
import type { Policy } from '../../policy/policy.ts';
import { formatRetention } from '../../policy/retention.ts';
import type { DatabaseCreation, TableCreation } from '../../run/plan.ts';
import { type NumberedRule, sourceOf } from './rules.ts';

const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const UNIT_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;

/** How many runs a day has; of a cron expression only that it has one. */
function runsPerDay(schedule: string): number {
  const [, count, unit] = RATE.exec(schedule) ?? [];
  if (!count || !unit) return 1;
  return Math.max(Math.floor(DAY_MS / (Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS])), 1);
}

/**
 * Whether it is this run's turn to create the declared tables of a database that exists. The API
 * lists no tables, so all a run can do is create them again and be told that they exist: each
 * database has one turn a day, drawn from a hash of its name (with a cron schedule, every run).
 */
export function isTablesTurn(database: string, at: number, { schedules }: Policy): boolean {
  const runs = runsPerDay(schedules.enforce);
  return Math.floor(((at % DAY_MS) / DAY_MS) * runs) === Math.floor(drawOf(database) * runs);
}

export function creationOf(
  numbered: NumberedRule<NamedDatabaseRule>,
  policy: Policy,
): DatabaseCreation {
  const { rule, number } = numbered;
  const { name, retention, maxTables, maxColumnsPerTable, partitionTemplate } = rule;
  const declared = [
    retention !== undefined && `retention ${formatRetention(retention)}`,
    maxTables !== undefined && `maxTables ${maxTables}`,
    maxColumnsPerTable !== undefined && `maxColumnsPerTable ${maxColumnsPerTable}`,
    partitionTemplate && `partitioned by ${formatTemplate(partitionTemplate)}`,
  ].filter(Boolean);
  const withWhat = declared.length > 0 ? ` with ${declared.join(', ')}` : '';
  return {
    kind: 'create-database',
    database: name,
    rule: number,
    text: `create database ${name}${withWhat} (${sourceOf(policy, numbered)})`,
    reason: 'DatabaseMissing',
  };
}

export function tableCreationsOf(
  numbered: NumberedRule<NamedDatabaseRule>,
  policy: Policy,
): TableCreation[] {
  const { rule, number } = numbered;
  return rule.tables.map(({ name }) => ({
    kind: 'create-table',
    database: rule.name,
    table: name,
    rule: number,
    text: `create table ${name} in ${rule.name} unless it exists (${sourceOf(policy, numbered)})`,
    reason: 'TableDeclared',
  }));
}
