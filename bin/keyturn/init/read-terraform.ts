import * as z from 'zod/mini';
import { redact } from '../../../functions/credentials.ts';
import { createHeldCredentials } from '../../../functions/held-credentials.ts';
import type { PartitionTemplatePart } from '../../../functions/management-api/database.ts';
import { redacted } from '../../../functions/redacted.ts';
import { counted } from '../../../functions/run/counted.ts';
import { CommandError } from '../failure.ts';
import type { Found, FoundDatabase, FoundToken } from './found.ts';
import { type KnownPlaces, nameOfSecret } from './secret-places.ts';
import { type Resource, type Resources, resourcesIn } from './terraform-resources.ts';

/** https://github.com/komminarlabs/terraform-provider-influxdb3 (docs/resources): both names of each. */
const TOKENS = ['influxdb3_token', 'influxdb3_cloud_token'];
const DATABASES = ['influxdb3_database', 'influxdb3_cloud_database'];
const PROVIDER = /^influxdb3_/;
const SECRET = 'aws_secretsmanager_secret';
const SECRET_VERSION = 'aws_secretsmanager_secret_version';

const text = () => z.optional(z.nullable(z.string()));
const integer = () => z.optional(z.nullable(z.union([z.int(), z.bigint()])));
const instant = () =>
  z.optional(
    z.nullable(
      z.string().check(z.refine((value) => value === '' || !Number.isNaN(Date.parse(value)))),
    ),
  );

const tokenSchema = z.object({
  id: text(),
  description: text(),
  permissions: z.array(z.object({ action: z.string(), resource: z.string() })),
  created_at: instant(),
  expires_at: instant(),
  revoked_at: instant(),
  access_token: text(),
});

const databaseSchema = z.object({
  name: z.string(),
  max_tables: integer(),
  max_columns_per_table: integer(),
  retention_period: integer(),
  partition_template: z.optional(
    z.nullable(z.array(z.object({ type: z.string(), value: z.string() }))),
  ),
});

const clusterSchema = z.object({ account_id: z.string(), cluster_id: z.string() });
const secretSchema = z.object({ arn: z.string(), name: z.string() });
const versionSchema = z.object({
  secret_id: z.string(),
  secret_string: z.string(),
  version_stages: z.optional(z.nullable(z.array(z.string()))),
});

/** @throws CommandError naming the resource and the attribute, and no value: they may be secret */
function read<T>(schema: z.ZodMiniType<T>, { address, values }: Resource): T {
  const result = z.safeParse(schema, values);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new CommandError(
    `--from-terraform: ${address}: ${where} is not as the provider of InfluxDB 3 writes it; take the resource out, and write its entry by hand. Nothing was written`,
  );
}

const FIRST_PLAUSIBLE = Date.UTC(1971, 0, 1);

/** Servers also say by 1970, or the year 1, that there is none. */
function instantOf(value: string | null | undefined): number | undefined {
  const at = value ? Date.parse(value) : 0;
  return at < FIRST_PLAUSIBLE ? undefined : at;
}

function tokenOf(resource: Resource): FoundToken {
  const { id, description, permissions, ...instants } = read(tokenSchema, resource);
  const [createdAt, expiresAt, revokedAt] = [
    instants.created_at,
    instants.expires_at,
    instants.revoked_at,
  ].map(instantOf);
  return {
    id: id || resource.address,
    description: description ?? '',
    permissions,
    calledThere: resource.name,
    ...(createdAt !== undefined && { createdAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...(!id && { isPlanned: true }),
  };
}

/** Of what a plan would make, Terraform may know some values only afterwards. */
const isSaid = ({ values }: Resource) => z.safeParse(tokenSchema, values).success;

/** A bucket is JSON in a string. What is none stays a part that no rule can say. */
function partOf({ type, value }: { type: string; value: string }): PartitionTemplatePart {
  if (type !== 'bucket') return { type, value } as PartitionTemplatePart;
  try {
    return { type, value: JSON.parse(value) };
  } catch {
    return { type: 'tag', value: '' };
  }
}

function databaseOf(resource: Resource): FoundDatabase {
  const found = read(databaseSchema, resource);
  const {
    name,
    max_tables: maxTables,
    max_columns_per_table: maxColumnsPerTable,
    retention_period: retention,
    partition_template: template,
  } = found;
  return {
    name,
    ...(maxTables != null && { maxTables: Number(maxTables) }),
    ...(maxColumnsPerTable != null && { maxColumnsPerTable: Number(maxColumnsPerTable) }),
    ...(retention != null && { retentionPeriod: BigInt(retention) }),
    ...(template != null && template.length > 0 && { partitionTemplate: template.map(partOf) }),
  };
}

/** Where a string is in a secret: `''`, as its whole text; else the key in its JSON. Undefined: in a place that no policy can name. */
type Key = string | undefined;

/** All places of a string in the JSON of a secret. A key with a dot in it cannot be named, nor what is in a list, or a part of a text. */
function* keysIn(value: unknown, string: string, path: readonly Key[] = []): Generator<Key> {
  if (typeof value === 'string' && value.includes(string)) {
    const isNamed = value === string && path.length > 0 && !path.includes(undefined);
    yield isNamed ? path.join('.') : undefined;
  }
  if (typeof value !== 'object' || value === null) return;
  const isNamed = (key: string) => key !== '' && !key.includes('.') && !Array.isArray(value);
  for (const [key, each] of Object.entries(value)) {
    yield* keysIn(each, string, [...path, isNamed(key) ? key : undefined]);
  }
}

function keysOf(text: string, string: string): readonly Key[] {
  if (text.trim() === string) return [''];
  return [...keysIn(jsonOf(text) ?? text, string)];
}

function jsonOf(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** What consumers get: a version that was superseded has an older string. */
const isCurrent = ({ version_stages: stages }: z.output<typeof versionSchema>) =>
  !stages || stages.length === 0 || stages.includes('AWSCURRENT');

/** Which secrets have the string of which token: Terraform put it there, and knows both. */
function secretsOf(resources: readonly Resource[]): KnownPlaces[] {
  const of = (types: readonly string[]) => resources.filter(({ type }) => types.includes(type));
  const names = new Map(
    of([SECRET]).flatMap(({ values }) => {
      const secret = z.safeParse(secretSchema, values);
      return secret.success ? [[secret.data.arn, secret.data.name] as const] : [];
    }),
  );
  const versions = of([SECRET_VERSION]).flatMap(({ values }) => {
    const version = z.safeParse(versionSchema, values);
    return version.success && isCurrent(version.data) ? [version.data] : [];
  });
  return of(TOKENS).flatMap((resource) => {
    const { id, access_token: string } = read(tokenSchema, resource);
    if (!id || !string) return [];
    const found = versions.flatMap(({ secret_id: secret, secret_string: text }) => {
      const name = names.get(secret) ?? nameOfSecret(secret);
      return keysOf(text, string).map((key) => ({
        name,
        ...(key && { key }),
        ...(key === undefined && { isUnsayable: true as const }),
      }));
    });
    // A secret may be named by its ARN here, and by its name there.
    const places = [...new Map(found.map((place) => [JSON.stringify(place), place])).values()];
    return places.length > 0 ? [{ tokenId: id.toLowerCase(), places }] : [];
  });
}

/** Account and cluster, if all resources say the same. */
function clusterIn(resources: readonly Resource[]) {
  const all = resources.flatMap(({ values }) => {
    const cluster = z.safeParse(clusterSchema, values);
    return cluster.success ? [cluster.data] : [];
  });
  const [first] = all;
  const isOne = all.every(
    (each) => each.account_id === first?.account_id && each.cluster_id === first.cluster_id,
  );
  return first && isOne && first.account_id !== ''
    ? { accountId: first.account_id, clusterId: first.cluster_id }
    : {};
}

export interface FromTerraform {
  readonly found: Found;
  readonly known: readonly KnownPlaces[];
  readonly accountId?: string;
  readonly clusterId?: string;
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

const listed = (resources: readonly { readonly address: string }[]) =>
  resources.map(({ address }) => address).join(', ');

function notesOf({ existing, planned }: Resources): string[] {
  const ours = [...TOKENS, ...DATABASES];
  const others = existing.filter(({ type }) => PROVIDER.test(type) && !ours.includes(type));
  const tokens = planned.filter(({ type }) => TOKENS.includes(type));
  const unsaid = tokens.filter((each) => !isSaid(each));
  const databases = planned.filter(({ type }) => DATABASES.includes(type));
  return [
    '! Terraform made these, and would undo what Keyturn does: take them out of its configuration and its state (removed blocks, or terraform state rm) before you deploy.',
    ...(others.length > 0 ? [`! Not understood, and left out: ${listed(others)}`] : []),
    ...(tokens.length > unsaid.length
      ? [
          `${counted(tokens.length - unsaid.length, 'token')} that Terraform would make: an entry each, as comments.`,
        ]
      : []),
    ...(unsaid.length > 0
      ? [`Tokens that Terraform would make, of which it does not say enough yet: ${listed(unsaid)}`]
      : []),
    ...(databases.length > 0
      ? [
          `Terraform would make these databases, which get a rule when they are there: ${listed(databases)}`,
        ]
      : []),
  ];
}

/**
 * The tokens and databases of the provider of InfluxDB 3 in what Terraform or OpenTofu wrote. No string of a token is in the answer.
 * @throws CommandError if the file is none, or has none of them
 */
export function readTerraform(file: string): FromTerraform {
  const resources = resourcesIn(file);
  const { existing, planned } = resources;
  const of = (all: readonly Resource[], types: readonly string[]) =>
    all.filter(({ type }) => types.includes(type));
  const ours = of([...existing, ...planned], [...TOKENS, ...DATABASES]);
  if (ours.length === 0) {
    throw new CommandError(
      `--from-terraform: found ${counted(existing.length + planned.length, 'resource')} and none of the types ${[...TOKENS, ...DATABASES].join(', ')}, expected tokens or databases of InfluxDB 3. Nothing was written`,
    );
  }
  const held = createHeldCredentials();
  for (const { values } of of(existing, TOKENS)) {
    if (typeof values.access_token === 'string') held.hold(values.access_token);
  }
  const answer: FromTerraform = {
    found: {
      tokens: [...of(existing, TOKENS), ...of(planned, TOKENS).filter(isSaid)].map(tokenOf),
      databases: of(existing, DATABASES).map(databaseOf),
    },
    known: secretsOf(existing),
    ...clusterIn(ours),
    notes: notesOf(resources),
  };
  return redacted(answer, (said) => held.redact(redact(said)));
}
