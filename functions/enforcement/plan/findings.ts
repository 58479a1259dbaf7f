import type { Database } from '../../management-api/database.ts';
import { formatTemplate } from '../../management-api/database.ts';
import { matchesGlob } from '../../policy/glob.ts';
import type { NamedDatabaseRule, Policy } from '../../policy/policy.ts';
import {
  formatRetention,
  INFINITE_RETENTION,
  SHORTEST_RETENTION_NS,
} from '../../policy/retention.ts';
import type { Finding } from '../../run/plan.ts';
import type { DatabaseAction, FieldChange } from './database-action.ts';
import { describeAction, sourceOf } from './describe-action.ts';
import { type NumberedRule, ruleOf } from './rules.ts';

/** The most names that a summary shows. */
const SHOWN = 20;

/** With `mode: report`: a change that is not made. */
export const reportedOnly = (change: FieldChange, { file }: Policy): Finding => ({
  kind: 'DatabaseDrift',
  database: change.database,
  message: `${describeAction(change, file)} is not done, because the rule only reports`,
});

/** A retention that is not shortened, because no approval is in force; the rest of the plan is applied. */
export function shorteningRefused(
  change: FieldChange,
  obstacle: string,
  { file }: Policy,
): Finding {
  const { database, from, to, rule } = change;
  const now = from === 'infinite' ? 'now nothing expires' : `now ${from} are kept`;
  return {
    kind: 'RetentionRefused',
    database,
    message:
      `${describeAction(change, file)} is refused: data older than ${to} would disappear from queries at once (${now}), and ${obstacle}. ` +
      `To approve it until the end of a day, write in rule ${rule} of ${file}: approve: {shortenRetentionUntil: <date>}`,
  };
}

/**
 * A new database with the name of a deleted one prevents its undelete, and tokens with permissions on the old
 * one can use it. https://docs.influxdata.com/influxdb3/clustered/admin/databases/delete/
 */
export function missingOf(numbered: NumberedRule<NamedDatabaseRule>, policy: Policy): Finding {
  const { name, ifMissing } = numbered.rule;
  const why =
    ifMissing === 'create'
      ? 'is not created, because the rule only reports'
      : 'is created only with ifMissing: create, which would prevent undeleting one of that name';
  return {
    kind: 'DatabaseMissing',
    database: name,
    message: `${name} (${sourceOf(numbered.number, policy.file)}) does not exist; it ${why}`,
  };
}

/** A template that differs; a database gets its template only when it is created. */
export function templateDrift(
  { name, partitionTemplate }: Database,
  numbered: NumberedRule,
  policy: Policy,
): Finding[] {
  const { rule } = numbered;
  if (!('name' in rule) || rule.partitionTemplate === undefined) return [];
  const declared = formatTemplate(rule.partitionTemplate);
  const present = partitionTemplate && formatTemplate(partitionTemplate);
  if (present === declared) return [];
  const message =
    `partition template ${name} ${present ?? '(the server shows none: its default)'} -> ${declared} ` +
    `(${sourceOf(numbered.number, policy.file)}) cannot be done: a database gets its template when it is created`;
  return [{ kind: 'PartitionTemplateDiffers', database: name, message }];
}

/** A glob that matches no database may be misspelt. */
export function unmatchedGlobs(
  databases: ReadonlyMap<string, Database>,
  policy: Policy,
): Finding[] {
  const names = [...databases.keys()];
  return policy.databases.flatMap((rule, index): Finding[] => {
    if ('name' in rule || names.some((name) => matchesGlob(rule.match, name))) return [];
    const source = sourceOf(index + 1, policy.file);
    return [
      { kind: 'RuleWithoutDatabase', message: `${rule.match} (${source}) matches no database` },
    ];
  });
}

/**
 * Databases that lose what is written to them at once, and that nothing in the plan lengthens: the API counts in
 * nanoseconds, and whoever took that for seconds has a week of less than a millisecond. No rule can say so short a
 * time, so of a database that one is about nobody has chosen it; of others, nothing is known.
 */
export function tooShortOf(
  databases: ReadonlyMap<string, Database>,
  actions: readonly DatabaseAction[],
  policy: Policy,
): Finding[] {
  const isLengthened = (name: string) =>
    actions.some(
      (each) => each.kind === 'change' && each.field === 'retention' && each.database === name,
    );
  return [...databases.values()].flatMap(({ name, retentionPeriod: period }): Finding[] => {
    const isShort = period !== INFINITE_RETENTION && period < SHORTEST_RETENTION_NS;
    if (!isShort || isLengthened(name)) return [];
    const kept = formatRetention(period);
    return [
      {
        kind: ruleOf(name, policy) ? 'RetentionTooShort' : 'UnmanagedTooShort',
        database: name,
        message: `${name} keeps what is written for ${kept}, under an hour, which is the shortest that InfluxDB documents: data may be gone at once; the Management API counts in nanoseconds. A rule that sets a longer retention, and is enforced, mends that`,
      },
    ];
  });
}

/** One summary of the databases without a rule, which are not changed. */
export function unmanagedOf(databases: ReadonlyMap<string, Database>, policy: Policy): Finding[] {
  const names = [...databases.keys()].filter((name) => !ruleOf(name, policy)).sort();
  if (names.length === 0) return [];
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  const message = `${names.length === 1 ? '1 database has no rule and is' : `${names.length} databases have no rule and are`} left alone: ${names.slice(0, SHOWN).join(', ')}${more}`;
  return [{ kind: 'UnmanagedDatabases', message }];
}
