import * as z from 'zod/mini';
import { type GovernedField, governedFields } from '../governed-fields.ts';
import { retentionSchema } from './retention.ts';

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

const limit = (highest: number) => z.int().check(z.minimum(1), z.maximum(highest));

/** What a rule may say of each governed field. */
export const FIELD_SCHEMAS = {
  retention: retentionSchema,
  maxTables: limit(MOST_TABLES),
  maxColumnsPerTable: limit(MOST_COLUMNS),
} as const satisfies Record<GovernedField, z.ZodMiniType>;

/** One schema for each governed field, made from the field's own. */
export function schemasOf<Made extends Record<GovernedField, z.ZodMiniType>>(
  make: (schema: z.ZodMiniType) => z.ZodMiniType,
): Made {
  const made = governedFields.map((field) => [field, make(FIELD_SCHEMAS[field])]);
  return Object.fromEntries(made) as Made;
}
