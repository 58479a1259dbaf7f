import * as z from 'zod/mini';
import { MINUTE_MS } from '../../time.ts';
import { visible } from '../../visible.ts';
import { MARKER_OPENING, OWNER_NAME } from '../names.ts';
import { eventBusName, kmsKey, secretName, secretReference } from './aws-names.ts';
import { grantedDatabase } from './database-name.ts';
import { databaseRuleSchema } from './database-rule.ts';
import { durationSchema } from './duration.ts';
import { textSchema } from './text.ts';
import { windowSchema } from './window.ts';

const OWNER =
  'a short name: lower-case letters, digits and "-", of which the first is a letter, at most 31';
const owner = z.string().check(z.regex(OWNER_NAME, OWNER));
const uuid = z
  .string()
  .check(
    z.regex(
      /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/,
      'a UUID such as 11111111-1111-4111-8111-111111111111',
    ),
  );
const JSON_PATH =
  'the JSON key of the token string, or a path such as db.token, without "$." and not into a list';
const jsonPath = textSchema(JSON_PATH).check(
  z.regex(/^(?!\$\.)[^.]+(?:\.[^.]+)*$/, { error: JSON_PATH, abort: true }),
  z.refine((path) => !/\[\d+\]/.test(path), JSON_PATH),
);
// Length of both: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
const timeZone = z.string().check(
  z.maxLength(50),
  z.refine(
    (name) => isTimeZone(name),
    'a time zone such as Europe/Berlin or America/Los_Angeles, by its name in the IANA database',
  ),
);
const schedule = z
  .string()
  .check(
    z.regex(
      /^(?:rate|cron)\(.+\)$/,
      'an EventBridge expression, rate(30 minutes) or cron(0 3 * * ? *)',
    ),
  );

/**
 * How names of the IANA database begin, and those without a slash: https://data.iana.org/time-zones/tzdb/backward
 * JavaScript knows others as well, as Java once did (PST, IST, ACT), and BST would be Bangladesh's time.
 */
const IANA =
  /^(?:(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)\/.+|CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT[+-]?0|Greenwich|HST|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu)$/;

/** A name of the IANA database, spelt as it is there: EventBridge Scheduler knows neither offsets nor `europe/berlin`. */
function isTimeZone(name: string): boolean {
  if (!IANA.test(name)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    return known === name || known.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}

/**
 * Without a slash at its end: the tag that names a secret's cluster is compared as text, and has at most 256 characters.
 * The URL goes into that tag, into logs and in front of every path, so it has neither a password nor a query.
 */
const URL_EXPECTED =
  'a URL such as https://influxdb.example.com, without a user name, a password, "?", "#" or "*"';
const clusterUrl = z.pipe(
  z.string(URL_EXPECTED).check(
    z.maxLength(256, `${URL_EXPECTED}, of at most 256 characters`),
    z.regex(/^https?:\/\/[^\s/?#@*\\]+(?:\/[^\s?#\\]*)?$/i, { error: URL_EXPECTED, abort: true }),
    z.refine((url) => visible(url) === url && URL.canParse(url), URL_EXPECTED),
    z.refine(
      (url) => !/[^/]\/(?:api\/v[0-9]+|query|write)(?:\/|$)/.test(url),
      'the URL without a path of the API, such as /api/v0 or /query, which the functions add',
    ),
  ),
  z.transform((url) => url.replace(/(?<!\/)\/+$/, '')),
);

/** What Keyturn itself puts into the request, and what belongs into a secret. */
const RESERVED = ['grant_type', 'client_id', 'client_secret', 'scope', 'audience'];
const PARAMETER =
  'the name of a parameter of the token request that no other key gives, such as resource';
const parameterValue = textSchema().check(z.maxLength(1_000));
const TOKEN_URL =
  'the address of a token endpoint, such as https://login.example.com/oauth2/token, without a user name, a password or "#"';
const tokenUrl = z.string(TOKEN_URL).check(
  z.maxLength(1_000, `${TOKEN_URL}, of at most 1000 characters`),
  z.regex(/^https?:\/\/[^\s/?#@\\]+(?:[/?][^\s#\\]*)?$/i, { error: TOKEN_URL, abort: true }),
  z.refine((url) => visible(url) === url && URL.canParse(url), TOKEN_URL),
);

const oauthSchema = z.strictObject({
  /** Address of the identity provider's token endpoint. https only. */
  tokenUrl,
  clientId: parameterValue,
  /** Name or ARN of the secret with the client's secret: a plain string, or JSON. */
  clientSecret: secretReference,
  /** Where the client's secret is in that JSON: a key, or a path of keys with dots between them. Absent: `clientSecret`. */
  clientSecretField: z.optional(jsonPath),
  /** As Entra and Okta need it; several with spaces between them. */
  scope: z.optional(parameterValue),
  /** As Auth0 needs it, lest the token be none that the cluster can check. */
  audience: z.optional(parameterValue),
  /** What else the provider wants in the request. */
  parameters: z._default(
    z.record(
      z.string().check(
        z.regex(/^[\w.-]{1,100}$/, PARAMETER),
        z.refine((name) => !RESERVED.includes(name) && !name.startsWith('client_'), PARAMETER),
      ),
      parameterValue,
    ),
    {},
  ),
  /** How the client's secret is sent: `post`, in the request's body, or `basic`, in its header. */
  authMethod: z._default(z.enum(['post', 'basic']), 'post'),
});

const clusterSchema = z.strictObject({
  /** URL of the Management API, and of the data plane unless `dataUrl` is set. */
  url: clusterUrl,
  /** URL of the data plane, if it is another host (Cloud Dedicated). */
  dataUrl: z.optional(clusterUrl),
  /** Allows URLs that send tokens unencrypted. Only for a trusted network, such as a mesh that encrypts. */
  allowPlainHttp: z._default(z.boolean(), false),
  /** Name or ARN of the secret with the management token. Either this or `oauth`. */
  managementToken: z.optional(secretReference),
  /** In place of a stored management token: an identity provider gives one that lives for minutes. Clustered only. */
  oauth: z.optional(oauthSchema),
  /** KMS key (ARN or alias) of the secret that one of the two names, if it is a customer managed key. */
  managementTokenKey: z.optional(kmsKey),
  /** PEM file of the authority that signed the cluster's certificate, in the folder of the policy file. */
  ca: z.optional(textSchema('a file name')),
  accountId: z.optional(uuid),
  clusterId: z.optional(uuid),
});

const ACCOUNT = 'the 12 digits of an AWS account';

const lifetimes = {
  rotateEvery: z.optional(durationSchema),
  renewBefore: z.optional(durationSchema),
  expiresAfter: z.optional(z.union([z.literal('never'), durationSchema])),
  gracePeriod: z.optional(durationSchema),
  quarantine: z.optional(durationSchema),
  windows: z.optional(z.array(windowSchema)),
};

const databaseNames = z._default(
  z.union([
    z.array(grantedDatabase),
    z.pipe(
      z.literal('*'),
      z.transform(() => ['*']),
    ),
  ]),
  [],
);
const tokenText = textSchema('a text', 0).check(
  z.maxLength(400),
  z.refine(
    (text) => !text.includes(MARKER_OPENING),
    `a text without "${MARKER_OPENING}", which begins a marker`,
  ),
);

/** What the name of an entry may be. */
export const TOKEN_NAME =
  'a token name: letters, digits, "_", "." and "-", of which the first is a letter or a digit, at most 64';

const tokenSchema = z.strictObject({
  ...lifetimes,
  /** For people; the text before the marker in the token's description. */
  description: z.optional(tokenText),
  permissions: z.strictObject(
    { read: databaseNames, write: databaseNames },
    'a mapping such as {read: [telemetry], write: [telemetry]}',
  ),
  /** Name of the secret that consumers read. Absent: `keyturn/<owner>/<name>`. */
  secret: z.optional(secretName),
  /** Takes over an existing token and its secret, without rotating them before they are due. */
  adopt: z.optional(
    z.strictObject({
      tokenId: uuid,
      /** Where the token string is in the secret's JSON: a key, or a path of keys with dots between them. */
      key: z.optional(jsonPath),
    }),
  ),
});

/** The policy file as plain data, with all defaults except those of `lifetimes` (parse-policy.ts). */
export const documentSchema = z.strictObject({
  owner,
  cluster: clusterSchema,
  timeZone: z._default(timeZone, 'UTC'),
  schedules: z._default(
    z.strictObject({
      rotate: z._default(schedule, 'rate(30 minutes)'),
      reap: z._default(schedule, 'rate(1 hour)'),
      enforce: z._default(schedule, 'rate(1 hour)'),
      paused: z._default(z.boolean(), false),
    }),
    { rotate: 'rate(30 minutes)', reap: 'rate(1 hour)', enforce: 'rate(1 hour)', paused: false },
  ),
  defaults: z._default(z.strictObject(lifetimes), {}),
  tokens: z.record(
    z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, TOKEN_NAME)),
    tokenSchema,
  ),
  databases: z._default(z.array(databaseRuleSchema), []),
  /** What happens to a token whose entry left the policy. */
  onRemoval: z._default(z.enum(['report', 'retire']), 'report'),
  expiredForeignTokens: z._default(z.enum(['report', 'delete']), 'report'),
  /** The most tokens that one run may take away without a proven successor, or databases that it may reduce; 0: none. */
  limits: z._default(
    z.strictObject({
      percent: z._default(z.int().check(z.minimum(0), z.maximum(100)), 30),
      tokens: z._default(z.int().check(z.minimum(0)), 3),
    }),
    { percent: 30, tokens: 3 },
  ),
  /** How long a new token may take until all routers accept it. */
  activationTimeout: z._default(durationSchema, 5 * MINUTE_MS),
  /** How long a new token waits, armed, before an ordinary rotation promotes it. */
  settle: z._default(durationSchema, 10 * MINUTE_MS),
  concurrency: z._default(z.int().check(z.minimum(1), z.maximum(100)), 10),
  /**
   * Of new versions and moves of labels together, of tags, and of new secrets, each: Secrets Manager allows 50 a second for the
   * whole account and Region.
   * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
   */
  secretWritesPerSecond: z._default(z.int().check(z.minimum(1), z.maximum(50)), 20),
  allowGracePeriodUnderAnHour: z._default(z.boolean(), false),
  /** KMS key (ARN or alias) for the secrets that Keyturn creates. */
  encryptionKey: z.optional(kmsKey),
  /** Ids of other AWS accounts that may read secrets which somebody else made for Keyturn. */
  trustedAccounts: z._default(
    z.array(
      z
        .string(`${ACCOUNT}, in quotes, because YAML takes zeros in front off a number`)
        .check(z.regex(/^[0-9]{12}$/, ACCOUNT)),
    ),
    [],
  ),
  /** Name or ARN of the bus for Keyturn's events. Absent: the default bus. */
  eventBus: z.optional(eventBusName),
});

export type Document = z.output<typeof documentSchema>;

/** Beginning of the keys at the top of a policy file that mean nothing: they hold what YAML anchors are for. */
export const EXTENSION = 'x-';
