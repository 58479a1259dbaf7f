import type { Database } from '../../management-api/database.ts';
import {
  type FieldValue,
  GOVERNED_FIELDS,
  type GovernedField,
  governedFields,
} from '../../policy/governed-fields.ts';
import type { FieldChange } from './database-action.ts';
import type { NumberedRule } from './rules.ts';

type Wanted =
  | FieldValue
  | { readonly min?: FieldValue | undefined; readonly max?: FieldValue | undefined };

interface Correction {
  readonly to: FieldValue;
  readonly reason: FieldChange['reason'];
}

/** What a declared value, or the nearest bound, asks for where the present one is not right. */
function correctionOf(
  field: GovernedField,
  present: FieldValue,
  wanted: Wanted,
): Correction | undefined {
  if (typeof wanted !== 'object') {
    return present === wanted ? undefined : { to: wanted, reason: 'Differs' };
  }
  const { compare } = GOVERNED_FIELDS[field];
  const { min, max } = wanted;
  if (min !== undefined && compare(present, min) < 0) return { to: min, reason: 'BelowMinimum' };
  if (max !== undefined && compare(present, max) > 0) return { to: max, reason: 'AboveMaximum' };
  return undefined;
}

/** Every declared field that differs. What a rule does not declare is nobody's business. */
export function differencesOf(database: Database, { rule, number }: NumberedRule): FieldChange[] {
  return governedFields.flatMap((field): FieldChange[] => {
    const { key, spell } = GOVERNED_FIELDS[field];
    const wanted: Wanted | undefined = rule[field];
    const correction =
      wanted === undefined ? undefined : correctionOf(field, database[key], wanted);
    if (!correction) return [];
    const about = { database: database.name, rule: number, field };
    const { to, reason } = correction;
    return [{ kind: 'change', ...about, from: spell(database[key]), to: spell(to), reason }];
  });
}
