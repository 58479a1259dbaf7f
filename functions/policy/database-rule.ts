import * as z from 'zod/mini';
import { type GOVERNED_FIELDS, type GovernedField, schemasOf } from './governed-fields.ts';

const bounds = <Output>(value: z.ZodMiniType<Output>) =>
  z
    .strictObject({ min: z.optional(value), max: z.optional(value) })
    .check(
      z.refine((found) => found.min !== undefined || found.max !== undefined, 'min, max or both'),
    );

// Letters of any script, and bytes instead of characters: so InfluxDB's source (influxdb3_core, data_types)
// reads its rules. https://docs.influxdata.com/influxdb3/clustered/admin/databases/create/
const databaseName = z.string().check(
  z.regex(
    /^[\p{L}\p{N}/-][\p{L}\p{N}_/-]*$/u,
    'letters, digits, "_", "-" and "/", not beginning with "_"',
  ),
  z.refine((name) => new TextEncoder().encode(name).length <= 64, 'at most 64 bytes'),
);

/** A glob for database names: `*` matches any characters, `?` matches one. */
const databaseGlob = z
  .string()
  .check(
    z.regex(/^[\p{L}\p{N}_/*?-]{1,64}$/u, 'a database name with * (any text) and ? (one letter)'),
  );

// Bounds of `partitionTemplate` in the specification of `POST /databases`.
// https://docs.influxdata.com/influxdb3/clustered/api/management-api/databases/
const templateParts = z
  .array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('tag'), value: z.string().check(z.minLength(1)) }),
      z.strictObject({ type: z.literal('time'), value: z.string().check(z.minLength(1)) }),
      z.strictObject({
        type: z.literal('bucket'),
        value: z.strictObject({
          tagName: z.string().check(z.minLength(1)),
          numberOfBuckets: z.int().check(z.minimum(1), z.maximum(100_000)),
        }),
      }),
    ]),
  )
  .check(z.minLength(1), z.maxLength(8));

const mode = z._default(z.enum(['enforce', 'report']), 'enforce');
const approve = z.optional(
  z.strictObject({ shortenRetentionUntil: z.iso.date('a date such as 2026-12-24') }),
);

type FieldSchema<Field extends GovernedField> = (typeof GOVERNED_FIELDS)[Field]['schema'];
/** An optional value for every governed field. */
type Exact = { [Field in GovernedField]: z.ZodMiniOptional<FieldSchema<Field>> };
/** An optional value, or bounds, for every governed field. */
type Bounded = {
  [Field in GovernedField]: z.ZodMiniOptional<
    z.ZodMiniUnion<[FieldSchema<Field>, ReturnType<typeof bounds<z.output<FieldSchema<Field>>>>]>
  >;
};

const exactRule = z.strictObject({
  name: databaseName,
  ...schemasOf<Exact>((schema) => z.optional(schema)),
  ifMissing: z._default(z.enum(['report', 'create']), 'report'),
  partitionTemplate: z.optional(templateParts),
  tables: z._default(
    z.array(
      z.strictObject({
        name: z.string().check(z.minLength(1)),
        partitionTemplate: z.optional(templateParts),
      }),
    ),
    [],
  ),
  mode,
  approve,
});

const globRule = z.strictObject({
  match: databaseGlob,
  ...schemasOf<Bounded>((schema) => z.optional(z.union([schema, bounds(schema)]))),
  mode,
  approve,
});

/** One rule of a policy's `databases`: for one database by its name, or for many by a glob. */
export const databaseRuleSchema = z.union([exactRule, globRule]);

export type DatabaseRule = z.output<typeof databaseRuleSchema>;
export type NamedDatabaseRule = z.output<typeof exactRule>;
