import { GOVERNED_FIELDS, type GovernedField, lessens } from '../../policy/governed-fields.ts';
import type { Without } from '../../run/plan.ts';
import type { DatabaseAction, DatabaseCreation } from './database-action.ts';

/** `policy keyturn.yaml, rule 2`, or `rule 2` without a file. */
export const sourceOf = (rule: number, file?: string) =>
  file === undefined ? `rule ${rule}` : `policy ${file}, rule ${rule}`;

function declaredBy({
  fields,
  partitionTemplate,
}: Pick<DatabaseCreation, 'fields' | 'partitionTemplate'>): string {
  const declared = [
    ...Object.entries(fields).map(([field, value]) => `${field} ${value}`),
    ...(partitionTemplate === undefined ? [] : [`partitioned by ${partitionTemplate}`]),
  ];
  return declared.length > 0 ? ` with ${declared.join(', ')}` : '';
}

/**
 * An action in words: `retention telemetry 30d -> 90d (policy keyturn.yaml, rule 2)`. `file`: name of the
 * policy file.
 */
export function describeAction(action: Without<DatabaseAction, 'reason'>, file?: string): string {
  const { database, rule } = action;
  const source = sourceOf(rule, file);
  switch (action.kind) {
    case 'change':
      return `${action.field} ${database} ${action.from} -> ${action.to} (${source})`;
    case 'create-database':
      return `create database ${database}${declaredBy(action)} (${source})`;
    case 'create-table':
      return `create table ${action.table} in ${database} unless it exists (${source})`;
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** What a change does to existing tables, for people. Undefined: nothing that they need to know. */
export function effectNote({
  field,
  from,
  to,
}: {
  readonly field: GovernedField;
  readonly from: string | number;
  readonly to: string | number;
}): string | undefined {
  return lessens(field, from, to) ? GOVERNED_FIELDS[field].whenLowered : undefined;
}
