import * as z from 'zod/mini';
import type { GovernedField } from '../governed-fields.ts';
import { databaseGlob, databaseName } from './database-name.ts';
import { type FIELD_SCHEMAS, schemasOf } from './governed-fields.ts';
import { partitionTemplate } from './partition-template.ts';
import { textSchema } from './text.ts';

const bounds = <Output>(value: z.ZodMiniType<Output>) =>
  z
    .strictObject({ min: z.optional(value), max: z.optional(value) })
    .check(
      z.refine((found) => found.min !== undefined || found.max !== undefined, 'min, max or both'),
    );

const mode = z._default(z.enum(['enforce', 'report']), 'enforce');
const approve = z.optional(
  z.strictObject({ shortenRetentionUntil: z.iso.date('a date such as 2026-12-24') }),
);

type FieldSchema<Field extends GovernedField> = (typeof FIELD_SCHEMAS)[Field];
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
  partitionTemplate: z.optional(partitionTemplate),
  tables: z._default(
    z.array(
      z.strictObject({
        // https://docs.influxdata.com/influxdb3/clustered/admin/tables/create/#table-naming-restrictions
        name: textSchema('a table name').check(
          z.refine((name) => !name.startsWith('_'), 'a table name that does not begin with "_"'),
        ),
        partitionTemplate: z.optional(partitionTemplate),
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
