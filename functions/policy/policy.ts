import * as z from 'zod/mini';
import type { Permission } from '../management-api/token.ts';
import { secretPrefix } from '../secrets-manager/secret.ts';
import { isMarked } from '../tokens/marker.ts';
import { contradictions } from './contradictions.ts';
import { databaseRuleSchema } from './database-rule.ts';
import { DAY_MS, durationSchema, HOUR_MS, MINUTE_MS } from './duration.ts';
import { explainIssues, PolicyError } from './policy-error.ts';
import { type Window, windowSchema } from './window.ts';

const nonEmpty = (what: string) => z.string().check(z.minLength(1, what));
const secretName = z
  .string()
  .check(z.regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, 'a secret name: letters, digits and /_+=.@-'));
const owner = z
  .string()
  .check(z.regex(/^[a-z][a-z0-9-]{0,30}$/, 'a short name: lower-case letters, digits and "-"'));
const uuid = z.string().check(z.regex(/^[0-9a-fA-F-]{36}$/, 'a UUID'));
const timeZone = z
  .string()
  .check(z.refine((name) => isTimeZone(name), 'a time zone such as Europe/Berlin'));
const schedule = z
  .string()
  .check(
    z.regex(
      /^(?:rate|cron)\(.+\)$/,
      'an EventBridge expression, rate(5 minutes) or cron(0 3 * * ? *)',
    ),
  );

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Without a last slash: the tag that names a secret's cluster is compared as text. */
const clusterUrl = z.pipe(
  z.url({ protocol: /^https?$/, error: 'a URL such as https://influxdb.example.com' }),
  z.transform((url) => url.replace(/\/+$/, '')),
);

const clusterSchema = z.strictObject({
  /** Where the Management API and the data plane answer. */
  url: clusterUrl,
  /** Where consumers and probes write and query, if it is another host (Cloud Dedicated). */
  dataUrl: z.optional(clusterUrl),
  /** Tokens travel in clear: only where the network between is trusted, such as a mesh that encrypts. */
  allowPlainHttp: z._default(z.boolean(), false),
  /** Name or ARN of the secret with the management token. */
  managementToken: nonEmpty('the name or ARN of a secret'),
  /** PEM file with the authority that signed the cluster's certificate, beside the policy file. */
  ca: z.optional(nonEmpty('a file name')),
  accountId: z.optional(uuid),
  clusterId: z.optional(uuid),
});

const lifetimes = {
  rotateEvery: z.optional(durationSchema),
  renewBefore: z.optional(durationSchema),
  expiresAfter: z.optional(z.union([z.literal('never'), durationSchema])),
  gracePeriod: z.optional(durationSchema),
  quarantine: z.optional(durationSchema),
  windows: z.optional(z.array(windowSchema)),
};

const databaseNames = z._default(z.array(nonEmpty('a database name or "*"')), []);
const tokenText = z.string().check(
  z.maxLength(400),
  z.refine((text) => !isMarked(text), 'a text without "[keyturn:", which marks what is owned'),
);

const tokenSchema = z.strictObject({
  ...lifetimes,
  /** For people; stands before the marker in the token's description. */
  description: z.optional(tokenText),
  permissions: z.strictObject({ read: databaseNames, write: databaseNames }),
  /** Name of the secret that consumers read; `keyturn/<owner>/<name>` where absent. */
  secret: z.optional(secretName),
  /** Take over an existing token and its secret without rotating them before they are due. */
  adopt: z.optional(
    z.strictObject({
      tokenId: uuid,
      key: z.optional(nonEmpty('the JSON key of the token string')),
    }),
  ),
});

const documentSchema = z.strictObject({
  owner,
  cluster: clusterSchema,
  timeZone: z._default(timeZone, 'UTC'),
  schedules: z._default(
    z.strictObject({
      rotate: z._default(schedule, 'rate(5 minutes)'),
      reap: z._default(schedule, 'rate(1 hour)'),
      enforce: z._default(schedule, 'rate(1 hour)'),
      paused: z._default(z.boolean(), false),
    }),
    { rotate: 'rate(5 minutes)', reap: 'rate(1 hour)', enforce: 'rate(1 hour)', paused: false },
  ),
  defaults: z._default(z.strictObject(lifetimes), {}),
  tokens: z.record(
    z
      .string()
      .check(
        z.regex(
          /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
          'a token name: letters, digits, "_", "." and "-"',
        ),
      ),
    tokenSchema,
  ),
  databases: z._default(z.array(databaseRuleSchema), []),
  /** What becomes of a token whose entry left the policy. */
  onRemoval: z._default(z.enum(['report', 'retire']), 'report'),
  expiredForeignTokens: z._default(z.enum(['report', 'delete']), 'report'),
  /** The most tokens that one run may take away without a proven successor, or databases that it may leave with less; 0 means none. */
  limits: z._default(
    z.strictObject({
      percent: z._default(z.int().check(z.minimum(0), z.maximum(100)), 30),
      tokens: z._default(z.int().check(z.minimum(0)), 3),
    }),
    { percent: 30, tokens: 3 },
  ),
  /** How long a new token may take to be accepted everywhere. */
  activationTimeout: z._default(durationSchema, 5 * MINUTE_MS),
  concurrency: z._default(z.int().check(z.minimum(1), z.maximum(100)), 10),
  /** Secrets Manager allows 50 a second for the whole account and Region. */
  secretWritesPerSecond: z._default(z.int().check(z.minimum(1), z.maximum(50)), 20),
  allowGracePeriodUnderAnHour: z._default(z.boolean(), false),
  /** KMS key (ARN or alias) for the secrets that Keyturn creates. */
  encryptionKey: z.optional(nonEmpty('a KMS key ARN or alias')),
  /** Name or ARN of the bus for Keyturn's events; the default bus where absent. */
  eventBus: z.optional(nonEmpty('a bus name or ARN')),
});

const DEFAULT_LIFETIMES = {
  rotateEvery: 30 * DAY_MS,
  renewBefore: 14 * DAY_MS,
  expiresAfter: 90 * DAY_MS,
  gracePeriod: 24 * HOUR_MS,
  quarantine: 7 * DAY_MS,
  windows: [],
} as const;

type Document = z.output<typeof documentSchema>;

/** When a token rotates, expires and is retired. */
export interface Lifetimes {
  readonly rotateEvery: number;
  readonly renewBefore: number;
  /** Absent: minted without an expiry. */
  readonly expiresAfter?: number;
  readonly gracePeriod: number;
  readonly quarantine: number;
  readonly windows: readonly Window[];
}

/** One token that the policy asks for, with every default filled in. */
export interface TokenPolicy extends Lifetimes {
  readonly name: string;
  /** Name of its secret, which is the token's identity. */
  readonly secret: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly adopt?: { readonly tokenId: string; readonly key?: string | undefined };
}

/** A checked policy with its defaults filled in; durations in milliseconds. */
export interface Policy extends Omit<Document, 'tokens' | 'defaults'> {
  /** Name of the file that it was written in, for whoever reads a plan. */
  readonly file: string;
  /** For owned tokens whose entry left the policy. */
  readonly defaults: Lifetimes;
  readonly tokens: readonly TokenPolicy[];
}

type Declared = Document['defaults'];

function lifetimesOf(declared: Declared): Lifetimes {
  const { expiresAfter, ...rest } = { ...DEFAULT_LIFETIMES, ...declared };
  return { ...rest, ...(expiresAfter !== 'never' && { expiresAfter }) } as Lifetimes;
}

function permissionsOf({ read, write }: { read: string[]; write: string[] }): Permission[] {
  const grants = (action: string, databases: string[]) =>
    [...new Set(databases)].sort().map((resource) => ({ action, resource }));
  return [...grants('read', read), ...grants('write', write)];
}

function resolveTokens({ tokens, defaults, owner }: Document): TokenPolicy[] {
  return Object.entries(tokens).map(([name, entry]) => {
    const { description = name, permissions, secret, adopt, ...declared } = entry;
    return {
      name,
      secret: secret ?? `${secretPrefix(owner)}${name}`,
      description,
      permissions: permissionsOf(permissions),
      ...lifetimesOf({ ...defaults, ...declared }),
      ...(adopt && { adopt }),
    };
  });
}

const entries = new WeakMap<Policy, ReadonlyMap<string, TokenPolicy>>();

/** The entry whose secret this is; undefined: none, or none any longer. */
export function entryOf(policy: Policy, secret: string): TokenPolicy | undefined {
  const known = entries.get(policy) ?? new Map(policy.tokens.map((each) => [each.secret, each]));
  entries.set(policy, known);
  return known.get(secret);
}

/**
 * Checks a policy document (the YAML file as plain data) and fills in its defaults.
 * @param file its name, as plans should call it
 * @throws PolicyError naming every key that is wrong, what was found and what was expected
 */
export function parsePolicy(document: unknown, file = 'keyturn.yaml'): Policy {
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) {
    throw new PolicyError(explainIssues(documentSchema, parsed.error.issues, document));
  }
  const { data } = parsed;
  const defaults = lifetimesOf(data.defaults);
  const policy = { ...data, file, defaults, tokens: resolveTokens(data) };
  const issues = contradictions(policy);
  if (issues.length > 0) throw new PolicyError(issues);
  return policy;
}

/** JSON Schema of the policy file, for editors. */
export const policyJsonSchema = () => z.toJSONSchema(documentSchema, { io: 'input' });
