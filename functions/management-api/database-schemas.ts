import * as z from 'zod/mini';
import type { Database, PartitionTemplatePart, Table } from './database.ts';
import { parseExactJson } from './json.ts';
import { reader } from './reader.ts';

const int64 = z.pipe(
  z.union([z.bigint(), z.int()]),
  z.transform((value) => BigInt(value)),
);

const text = z.string().check(z.minLength(1));
const partSchema = (): z.ZodMiniType<PartitionTemplatePart> =>
  z.union([
    z.object({ type: z.literal('tag'), value: text }),
    z.object({ type: z.literal('time'), value: text }),
    z.object({
      type: z.literal('bucket'),
      value: z.object({ tagName: text, numberOfBuckets: z.int() }),
    }),
  ]);

// Templates are only reported. A kind of part that we do not know must not stop every run on the cluster.
const template = () => z.catch(z.optional(z.array(partSchema())), undefined);

// `GET /databases` documents no id. Undeleting takes an integer; anything else is ignored.
const id = () => z.catch(z.optional(int64), undefined);

const wireDatabase = () =>
  z.object({
    name: text,
    maxTables: z.int(),
    maxColumnsPerTable: z.int(),
    retentionPeriod: z.optional(z.nullable(int64)),
    partitionTemplate: template(),
    id: id(),
  });

const toDatabase = (wire: z.infer<ReturnType<typeof wireDatabase>>): Database => ({
  name: wire.name,
  maxTables: wire.maxTables,
  maxColumnsPerTable: wire.maxColumnsPerTable,
  retentionPeriod: wire.retentionPeriod ?? 0n,
  ...(wire.partitionTemplate && { partitionTemplate: wire.partitionTemplate }),
  ...(wire.id !== undefined && { id: wire.id }),
});

const databaseSchema = () => z.pipe(wireDatabase(), z.transform(toDatabase));

export const readDatabase = reader(databaseSchema, parseExactJson);

/** Some servers answer with `{"databases": [...]}`; InfluxData's MCP server (influxdb3_mcp_server) accepts both. */
const unwrapList = (body: unknown) =>
  typeof body === 'object' && body !== null && 'databases' in body ? body.databases : body;

export const readDatabases = reader(
  () => z.pipe(z.transform(unwrapList), z.array(databaseSchema())),
  parseExactJson,
);

const wireTable = () =>
  z.object({
    databaseName: text,
    name: text,
    partitionTemplate: template(),
    id: id(),
  });

const toTable = (wire: z.infer<ReturnType<typeof wireTable>>): Table => ({
  databaseName: wire.databaseName,
  name: wire.name,
  ...(wire.partitionTemplate && { partitionTemplate: wire.partitionTemplate }),
  ...(wire.id !== undefined && { id: wire.id }),
});

export const readTable = reader(() => z.pipe(wireTable(), z.transform(toTable)), parseExactJson);
