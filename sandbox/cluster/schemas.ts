import * as z from 'zod';
import { stringifyJson } from './json.ts';

// Bounds and defaults are of the Management API's specification,
// influxdata/docs-v2: api-docs/influxdb3/clustered/management/openapi.yml, unless a source is named.

const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

const integer = (minimum: bigint, maximum: bigint) =>
  z
    .bigint('must be an integer')
    .min(minimum, `must be at least ${minimum}`)
    .max(maximum, `must be at most ${maximum}`);

/** influxdata/influxdb3_core: data_types/src/namespace_name.rs */
const databaseName = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= 64, 'must be at most 64 bytes long')
  .regex(/^[\p{Alphabetic}\p{N}_\-/]*$/u, 'must consist of alphanumerics, "_", "-" and "/"');

const tableName = z.string().min(1);
const maxTables = integer(1n, INT32_MAX).transform(Number);
/** 1000: influxdata/influxdb3_core: data_types/src/service_limits.rs */
const maxColumnsPerTable = integer(1n, INT32_MAX)
  .refine(
    (count) => count <= 1000n,
    'per-table column limits are restricted to a maximum value of 1000 for system performance purposes',
  )
  .transform(Number);
const retentionPeriod = integer(0n, INT64_MAX);

const partitionTemplatePart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tag'), value: z.string().min(1) }),
  z.object({ type: z.literal('time'), value: z.string().min(1) }),
  z.object({
    type: z.literal('bucket'),
    value: z.object({
      tagName: z.string().min(1),
      numberOfBuckets: integer(1n, 100_000n).transform(Number),
    }),
  }),
]);

export type PartitionTemplatePart = z.infer<typeof partitionTemplatePart>;

const partitionTemplate = z
  .array(partitionTemplatePart)
  .min(1)
  .max(8)
  .refine(
    (parts) => new Set(parts.map(stringifyJson)).size === parts.length,
    'must not contain a part twice',
  );

const permission = z.object({
  action: z.string().optional(),
  resource: z.union([z.literal('*'), databaseName]).optional(),
});

/**
 * To milliseconds since 1970. Fractions of seconds: komminarlabs/terraform-provider-influxdb3
 * refuses them.
 */
const expiresAt = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date-time' })
  .regex(/T\d\d:\d\d:\d\d/, 'must be an RFC 3339 date-time')
  .transform((text) => Date.parse(text))
  .refine((instant) => instant % 1_000 === 0, 'must not include fractions of seconds');

export const databaseToCreate = z.object({
  name: databaseName,
  maxTables: maxTables.default(500),
  maxColumnsPerTable: maxColumnsPerTable.default(200),
  retentionPeriod: retentionPeriod.default(0n),
  partitionTemplate: partitionTemplate.optional(),
});

export const databaseUpdate = z.object({
  maxTables: maxTables.optional(),
  maxColumnsPerTable: maxColumnsPerTable.optional(),
  retentionPeriod: retentionPeriod.optional(),
});

export const databaseRename = z.object({ name: databaseName });

export const tableToCreate = z.object({
  name: tableName,
  partitionTemplate: partitionTemplate.optional(),
});

export const tableRename = z.object({ name: tableName });

export const tokenToCreate = z.object({
  description: z.string(),
  permissions: z.array(permission).default([]),
  expiresAt: expiresAt.optional(),
});

export const tokenUpdate = z.object({
  description: z.string().optional(),
  permissions: z.array(permission).optional(),
});
