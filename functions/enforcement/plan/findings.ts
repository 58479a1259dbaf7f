import type { Database } from '../../management-api/database.ts';
import { formatTemplate } from '../../management-api/database.ts';
import type { NamedDatabaseRule } from '../../policy/database-rule.ts';
import { matchesGlob } from '../../policy/glob.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import type { FieldChange } from './database-action.ts';
import { describeAction, sourceOf } from './describe-action.ts';
import { type NumberedRule, ruleOf } from './rules.ts';

/** The most names that a summary shows. */
const SHOWN = 20;

/** `mode: report`: what would be changed, and is not. */
export const withMode = (change: FieldChange, { file }: Policy): Finding => ({
  kind: 'DatabaseDrift',
  database: change.database,
  message: `${describeAction(change, file)} is due, and not done: the rule only reports`,
});

/** One difference left as it is, beside a plan of which all else is applied. */
export function shorteningRefused(
  change: FieldChange,
  obstacle: string,
  { file }: Policy,
): Finding {
  const { database, from, to, rule } = change;
  const now = from === 'infinite' ? 'where nothing ever expires now' : `where ${from} are kept now`;
  return {
    kind: 'RetentionRefused',
    database,
    message:
      `${describeAction(change, file)} is refused: everything older than ${to} would vanish from queries at once, ${now}; ${obstacle}. ` +
      `To approve it until the end of a day, write in rule ${rule} of ${file}: approve: {shortenRetentionUntil: <date>}`,
  };
}

/** Re-creating what somebody deleted would block its undelete and revive old grants. */
export function missingOf(numbered: NumberedRule<NamedDatabaseRule>, policy: Policy): Finding {
  const { name, ifMissing } = numbered.rule;
  const why =
    ifMissing === 'create'
      ? 'is not created, because the rule only reports'
      : 'is created only with ifMissing: create, which would block undeleting one of that name';
  return {
    kind: 'DatabaseMissing',
    database: name,
    message: `${name} (${sourceOf(numbered.number, policy.file)}) does not exist; it ${why}`,
  };
}

/** A template can be given to a database only when it is created. */
export function templateDrift(
  { name, partitionTemplate }: Database,
  numbered: NumberedRule,
  policy: Policy,
): Finding[] {
  const { rule } = numbered;
  if (!('name' in rule) || rule.partitionTemplate === undefined) return [];
  const wanted = formatTemplate(rule.partitionTemplate);
  const present = partitionTemplate && formatTemplate(partitionTemplate);
  if (present === wanted) return [];
  const message =
    `partition template ${name} ${present ?? '(the server shows none: its default)'} -> ${wanted} ` +
    `(${sourceOf(numbered.number, policy.file)}) cannot be: a template is given at creation and never changed`;
  return [{ kind: 'PartitionTemplateDiffers', database: name, message }];
}

/** A glob that takes no database may be misspelt. */
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

/** One summary of what no rule is about, and nobody touches. */
export function unmanagedOf(databases: ReadonlyMap<string, Database>, policy: Policy): Finding[] {
  const names = [...databases.keys()].filter((name) => !ruleOf(name, policy)).sort();
  if (names.length === 0) return [];
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  const message = `${names.length} databases have no rule and are left alone: ${names.slice(0, SHOWN).join(', ')}${more}`;
  return [{ kind: 'UnmanagedDatabases', message }];
}
