import { formatTemplate } from '../../management-api/database.ts';
import { GOVERNED_FIELDS, governedFields } from '../../policy/governed-fields.ts';
import { fractionOf } from '../../policy/jitter.ts';
import type { NamedDatabaseRule, Policy } from '../../policy/policy.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../time.ts';
import type { DatabaseCreation, TableCreation } from './database-action.ts';
import type { NumberedRule } from './rules.ts';

const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const UNIT_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;

/** How many runs a day has; for a cron expression 1 is assumed. */
function runsPerDay(schedule: string): number {
  const [, count, unit] = RATE.exec(schedule) ?? [];
  if (!count || !unit) return 1;
  return Math.max(Math.floor(DAY_MS / (Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS])), 1);
}

/**
 * Whether this run creates the declared tables of a database that exists. The API lists no tables, so a run
 * can only create them again and get 409. Each database therefore has one turn a day, which a hash of its
 * name decides (with a cron schedule, every run).
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/tables/
 */
export function isTablesTurn(database: string, at: number, { schedules }: Policy): boolean {
  const runs = runsPerDay(schedules.enforce);
  return Math.floor(((at % DAY_MS) / DAY_MS) * runs) === Math.floor(fractionOf(database) * runs);
}

const templateOf = ({ partitionTemplate }: Pick<NamedDatabaseRule, 'partitionTemplate'>) =>
  partitionTemplate && { partitionTemplate: formatTemplate(partitionTemplate) };

export function creationOf({ rule, number }: NumberedRule<NamedDatabaseRule>): DatabaseCreation {
  const declared = governedFields.flatMap((field) => {
    const value = rule[field];
    return value === undefined ? [] : [[field, GOVERNED_FIELDS[field].spell(value)] as const];
  });
  return {
    kind: 'create-database',
    database: rule.name,
    rule: number,
    fields: Object.fromEntries(declared),
    ...templateOf(rule),
    reason: 'DatabaseMissing',
  };
}

export const tableCreationsOf = ({
  rule,
  number,
}: NumberedRule<NamedDatabaseRule>): TableCreation[] =>
  rule.tables.map((table) => ({
    kind: 'create-table',
    database: rule.name,
    table: table.name,
    rule: number,
    ...templateOf(table),
    reason: 'TableDeclared',
  }));
