import * as z from 'zod/mini';
import { compareRetention, formatRetention, parseRetention, retentionSchema } from './retention.ts';

/** A field's value as the Management API has it: nanoseconds as a bigint, counts as a number. */
export type FieldValue = bigint | number;

/** The same value as the policy writes it: `90d`, `infinite`, `500`. */
export type Spelling = string | number;

/**
 * `maxTables` is an int32 in the specification, and no document gives it an upper bound.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/databases/
 */
const MOST_TABLES = 2_147_483_647;

/**
 * More columns are refused by the server, when the limit is set.
 * https://docs.influxdata.com/influxdb3/clustered/admin/databases/#column-limit
 */
const MOST_COLUMNS = 1_000;

/** A field that counts something, such as tables. */
const limitField = <Key extends string>(key: Key, highest: number, whenLowered: string) => ({
  key,
  schema: z.int().check(z.minimum(1), z.maximum(highest)),
  compare: (a: FieldValue, b: FieldValue) => Number(a) - Number(b),
  spell: (value: FieldValue): Spelling => Number(value),
  parse: (spelling: Spelling): FieldValue => Number(spelling),
  /** What a lower value does to existing tables, for people. */
  whenLowered,
  /** Whether a rule needs a dated approval to lower it. */
  needsApproval: false,
});

/**
 * The fields of a database that a rule can declare: one row each, from the rule's key and schema to the
 * Management API's field. All other code uses these rows.
 */
export const GOVERNED_FIELDS = {
  retention: {
    key: 'retentionPeriod',
    schema: retentionSchema,
    compare: (a: FieldValue, b: FieldValue) => compareRetention(BigInt(a), BigInt(b)),
    spell: (value: FieldValue): Spelling => formatRetention(BigInt(value)),
    parse: (spelling: Spelling): FieldValue => parseRetention(String(spelling)),
    whenLowered: undefined,
    needsApproval: true,
  },
  maxTables: limitField(
    'maxTables',
    MOST_TABLES,
    'existing tables stay and can be written to, however many there are; new ones beyond the limit are refused',
  ),
  maxColumnsPerTable: limitField(
    'maxColumnsPerTable',
    MOST_COLUMNS,
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
type Parsed<Field extends GovernedField> = z.output<(typeof GOVERNED_FIELDS)[Field]['schema']>;

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

/** One schema for each governed field, made from the field's own. */
export function schemasOf<Made extends Record<GovernedField, z.ZodMiniType>>(
  make: (schema: z.ZodMiniType) => z.ZodMiniType,
): Made {
  const made = governedFields.map((field) => [field, make(GOVERNED_FIELDS[field].schema)]);
  return Object.fromEntries(made) as Made;
}
