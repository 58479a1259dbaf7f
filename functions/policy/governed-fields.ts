import { compareRetention, formatRetention, parseRetention } from './retention.ts';

/** A field's value as the Management API has it: nanoseconds as a bigint, counts as a number. */
export type FieldValue = bigint | number;

/** The same value as the policy writes it: `90d`, `infinite`, `500`. */
export type Spelling = string | number;

/** A field that counts something, such as tables. */
const limitField = <Key extends string>(key: Key, whenLowered: string) => ({
  key,
  compare: (a: FieldValue, b: FieldValue) => Number(a) - Number(b),
  spell: (value: FieldValue): Spelling => Number(value),
  parse: (spelling: Spelling): number => Number(spelling),
  /** What a lower value does to existing tables, for people. */
  whenLowered,
  /** Whether a rule needs a dated approval to lower it. */
  needsApproval: false,
});

/**
 * The fields of a database that a rule can declare: one row each, from the rule's key to the
 * Management API's field. All other code uses these rows.
 */
export const GOVERNED_FIELDS = {
  retention: {
    key: 'retentionPeriod',
    compare: (a: FieldValue, b: FieldValue) => compareRetention(BigInt(a), BigInt(b)),
    spell: (value: FieldValue): Spelling => formatRetention(BigInt(value)),
    parse: (spelling: Spelling): bigint => parseRetention(String(spelling)),
    whenLowered: undefined,
    needsApproval: true,
  },
  maxTables: limitField(
    'maxTables',
    'existing tables stay and can be written to, however many there are; new ones beyond the limit are refused',
  ),
  maxColumnsPerTable: limitField(
    'maxColumnsPerTable',
    'existing tables stay and can be written to with the columns they have; new columns beyond the limit are refused, at least in tables that are made from now on',
  ),
} as const;

/** A field's key in a rule. */
export type GovernedField = keyof typeof GOVERNED_FIELDS;

export const governedFields = Object.keys(GOVERNED_FIELDS) as readonly GovernedField[];

/** The governed fields of a database, as the Management API has them. */
export type GovernedValues = {
  readonly [Field in GovernedField as (typeof GOVERNED_FIELDS)[Field]['key']]: Parsed<Field>;
};
type Parsed<Field extends GovernedField> = ReturnType<(typeof GOVERNED_FIELDS)[Field]['parse']>;

/** A field of a database, as the policy writes it. */
export const spelledField = (values: GovernedValues, field: GovernedField): Spelling =>
  GOVERNED_FIELDS[field].spell(values[GOVERNED_FIELDS[field].key]);

/** The body of the `PATCH` that sets one field. */
export const fieldBody = (field: GovernedField, to: Spelling): Partial<GovernedValues> => ({
  [GOVERNED_FIELDS[field].key]: GOVERNED_FIELDS[field].parse(to),
});

/** Whether a change takes something away: shorter retention, or a lower limit. */
export function lessens(field: GovernedField, from: Spelling, to: Spelling): boolean {
  const { compare, parse } = GOVERNED_FIELDS[field];
  return compare(parse(to), parse(from)) < 0;
}
