import type { Database } from '../../management-api/database.ts';
import {
  type FieldValue,
  GOVERNED_FIELDS,
  type GovernedField,
  governedFields,
} from '../../policy/governed-fields.ts';
import type { FieldChange } from './database-action.ts';
import type { NumberedRule } from './rules.ts';

type Declared =
  | FieldValue
  | { readonly min?: FieldValue | undefined; readonly max?: FieldValue | undefined };

interface Correction {
  readonly to: FieldValue;
  readonly reason: FieldChange['reason'];
}

/** The declared value, or the nearest bound, if the present value is not right. */
function correctionOf(
  field: GovernedField,
  present: FieldValue,
  declared: Declared,
): Correction | undefined {
  if (typeof declared !== 'object') {
    return present === declared ? undefined : { to: declared, reason: 'Differs' };
  }
  const { compare } = GOVERNED_FIELDS[field];
  const { min, max } = declared;
  if (min !== undefined && compare(present, min) < 0) return { to: min, reason: 'BelowMinimum' };
  if (max !== undefined && compare(present, max) > 0) return { to: max, reason: 'AboveMaximum' };
  return undefined;
}

/** Every field that the rule declares and that differs. All other fields are ignored. */
export function differencesOf(database: Database, { rule, number }: NumberedRule): FieldChange[] {
  return governedFields.flatMap((field): FieldChange[] => {
    const { key, spell } = GOVERNED_FIELDS[field];
    const declared: Declared | undefined = rule[field];
    const correction =
      declared === undefined ? undefined : correctionOf(field, database[key], declared);
    if (!correction) return [];
    const about = { database: database.name, rule: number, field };
    const { to, reason } = correction;
    return [{ kind: 'change', ...about, from: spell(database[key]), to: spell(to), reason }];
  });
}
