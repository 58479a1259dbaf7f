import * as z from 'zod/mini';
import { type Hashes, hashesOf } from '../functions/policy/document-mark.ts';
import { formatDuration } from '../functions/policy/duration.ts';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { kmsKey } from '../functions/policy/schemas/aws-names.ts';
import { durationSchema } from '../functions/policy/schemas/duration.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * What CloudWatch Logs offers, in days.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
export const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

function nearestRetention(milliseconds: number): string {
  const distance = (days: number) => Math.abs(days * DAY_MS - milliseconds);
  const [nearest = 0] = RETENTION_DAYS.toSorted((a, b) => distance(a) - distance(b));
  return formatDuration(nearest * DAY_MS);
}

const retention = z.union([
  z.literal('forever'),
  durationSchema.check(
    z.refine((milliseconds) => RETENTION_DAYS.includes(milliseconds / DAY_MS), {
      error: ({ input }) =>
        `a retention that CloudWatch Logs offers, of which ${nearestRetention(Number(input))} is the nearest`,
    }),
  ),
]);

/** A text of a form; `what` says what was expected. */
const text = (pattern: RegExp, what: string) => z.string(what).check(z.regex(pattern, what));

const idOf = (prefix: string, what: string) =>
  text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `the id of ${what}, ${prefix}-0123456789abcdef0`);

/** Lambda takes no more: docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html */
const some = (most: number) =>
  [z.minLength(1), z.maxLength(most, `at most ${most}, which is what Lambda takes`)] as const;

const idsOf = (prefix: string, what: string, most: number) => {
  const expected = `a list of ids, such as [${prefix}-0123456789abcdef0]`;
  return z.array(idOf(prefix, what), expected).check(
    ...some(most),
    z.refine((ids) => new Set(ids).size === ids.length, 'each id once'),
  );
};

const MOST_SUBNETS = 16;
const MOST_GROUPS = 5;
const subnets = idsOf('subnet', 'a private subnet', MOST_SUBNETS);
const securityGroups = z.optional(idsOf('sg', 'a security group', MOST_GROUPS));

const VPC_TAGS = 'the tags of one VPC, {Name: prod}, or its id and subnets in place of them';
const vpc = z.union([
  z.strictObject({ id: idOf('vpc', 'a VPC'), subnets, securityGroups }),
  z.strictObject({
    /** Looked up when the stack is synthesized. */
    tags: z
      .record(z.string().check(z.minLength(1, 'the key of a tag')), z.string(), VPC_TAGS)
      .check(z.refine((tags) => Object.keys(tags).length > 0, VPC_TAGS)),
    /** Absent: its private subnets. */
    subnets: z.optional(subnets),
    securityGroups,
  }),
]);

// A dot would be of a FIFO topic, which no alarm can tell anything.
const TOPIC =
  'the ARN of an SNS topic, arn:aws:sns:eu-west-1:111122223333:on-call, which is not FIFO';
const topic = text(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, TOPIC);
const email = text(
  /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/u,
  'an e-mail address, on-call@example.com',
);
const emails = z.array(email, 'a list, [on-call@example.com]');

// CloudWatch Logs takes no alias: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
const logKey = text(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|mrk-[0-9a-f]{32})$/,
  'the ARN of a KMS key, arn:aws:kms:eu-west-1:111122223333:key/<id>',
);

/** As AWS names policies of its own: docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html */
const NAMED_BY_AWS =
  /^(?:(?:AWS|Amazon)[A-Z][\w-]*|(?:Administrator|PowerUser|ReadOnly|ViewOnly|IAMFull|IAMReadOnly)Access|SecurityAudit|SystemAdministrator)$/;

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const boundary = text(
  /^(?:arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/|(?!policy\/))(?:[\w.-]+\/)*[\w+=,.@-]{1,128}$/,
  'the name of a managed policy of this account without "policy/", or its ARN',
).check(
  z.refine((name) => !NAMED_BY_AWS.test(name), {
    error: ({ input }) =>
      `the ARN of a policy of AWS, arn:aws:iam::aws:policy/${input}, or of yours, arn:aws:iam::111122223333:policy/${input}: by its name alone it would be one of this account, which AWS has none of`,
  }),
);

/** Secrets Manager takes 50. Six more may be Keyturn's own on a secret that it made: owner, cluster, moved, ended, hold and lifted. */
const MOST_TAGS = 44;
/** They go into the environment of a function, which has 4 KB for all. */
const MOST_TAG_BYTES = 2_048;
const TAG_KEY =
  'at most 128 letters, digits, spaces and "_.:/=+-@", and neither "aws:" nor "keyturn:" in front';
/** CloudWatch takes no empty one: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Tag.html */
const TAG_VALUE = 'a text of 1 to 256 letters, digits, spaces and "_.:/=+-@"';

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const isOneInAnyCase = (tags: object) => {
  const keys = Object.keys(tags);
  return new Set(keys.map((key) => key.toLowerCase())).size === keys.length;
};

// Characters that every service takes: docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
const tags = z
  .record(
    text(/^(?!(?:aws|keyturn):)[\p{L}\p{N} _.:/=+@-]{1,128}$/iu, TAG_KEY),
    text(/^[\p{L}\p{N} _.:/=+@-]{1,256}$/u, TAG_VALUE),
  )
  .check(
    z.refine(
      (found) => Object.keys(found).length <= MOST_TAGS,
      `at most ${MOST_TAGS} tags, because Secrets Manager takes 50 and Keyturn sets some itself`,
    ),
    z.refine(
      (found) => bytesOf(found) <= MOST_TAG_BYTES,
      `tags of at most ${MOST_TAG_BYTES.toLocaleString('en')} bytes as JSON, because the environment of a function has little room; take some out, or shorten them`,
    ),
    z.refine(
      isOneInAnyCase,
      'keys that differ in more than capital letters, because IAM takes such for the same',
    ),
  );

/** With those of AWS's other partitions, `us-gov-west-1`, `eusc-de-east-1`; which Regions there will be, nobody knows. */
const REGION =
  /^[a-z]{2,4}-(?:[a-z]{2,4}-)?(?:central|east|west|(?:north|south)(?:east|west)?)-[0-9]{1,2}$/;
const REPLICA_REGION =
  'the name of a Region, eu-central-1, or {region: eu-central-1, encryptionKey: alias/tokens}';
const regionName = text(REGION, 'the name of a Region, such as eu-central-1');
const regionIn = (place: unknown) =>
  typeof place === 'string' ? place : (place as ReplicaRegion).region;
const replicaRegion = z.union(
  [
    text(REGION, REPLICA_REGION),
    z
      .strictObject({
        region: regionName,
        /** An alias, or the ARN of a key of that Region. Absent: AWS's own key there. */
        encryptionKey: z.optional(kmsKey),
      })
      .check(
        z.refine(
          ({ region, encryptionKey }) =>
            !encryptionKey?.startsWith('arn:') || encryptionKey.split(':')[3] === region,
          {
            path: ['encryptionKey'],
            error: 'a key of the same Region, which alone encrypts there',
          },
        ),
      ),
  ],
  REPLICA_REGION,
);
const replicaRegions = z
  .array(replicaRegion, 'a list, [eu-central-1]')
  .check(
    z.refine(
      (found) => new Set(found.map(regionIn)).size === found.length,
      'each Region once, because a secret has one replica in each',
    ),
  );

export type DeclaredRegions = readonly (string | ReplicaRegion)[];

/** As the functions are told of them. */
export const replicaRegionsIn = (declared: DeclaredRegions): readonly ReplicaRegion[] =>
  declared.map((place) => (typeof place === 'string' ? { region: place } : place));

const memory = z.int().check(z.minimum(512), z.maximum(10_240));
const reservedConcurrency = z.int().check(z.minimum(1), z.maximum(1_000));
const metrics = z.enum(['full', 'alarms', 'none']);

/** The rules that hold for an app's properties as well. */
export const FIELDS = {
  logKey,
  boundary,
  emails,
  tags,
  memory,
  reservedConcurrency,
  metrics,
  replicaRegions,
  securityGroups: some(MOST_GROUPS),
};

/** The section `deployment` of a policy file: where and how the functions are deployed. They themselves know nothing of it but hashes. */
export const deploymentSchema = z.strictObject({
  /** The private network in which the functions run. Absent: they reach what the internet reaches. */
  vpc: z.optional(vpc),
  /** Whom alarms tell. */
  alarms: z.optional(
    z.strictObject({
      /** An SNS topic that exists. */
      topic: z.optional(topic),
      /** A topic is made for them. Each address must confirm its subscription once. */
      emails: z.optional(emails.check(z.minLength(1))),
      /** Tells of the all-clear as well. */
      ok: z._default(z.boolean(), true),
    }),
  ),
  logs: z.optional(
    z.strictObject({
      retention: z.optional(retention),
      /** ARN of the KMS key that encrypts logs. Its policy must let CloudWatch Logs use it. */
      key: z.optional(logKey),
    }),
  ),
  /** Of every role. */
  permissionsBoundary: z.optional(boundary),
  /** On all resources of the stack, and on the secrets that Keyturn creates. */
  tags: z.optional(tags),
  /** Other Regions that get replicas of the secrets that Keyturn creates. Each costs as much as a secret. */
  replicaRegions: z.optional(replicaRegions),
  /** Of each function, in MB; more of it is more CPU too. */
  memory: z.optional(memory),
  /** The most runs of each function at once, taken from what the account may run. */
  reservedConcurrency: z.optional(reservedConcurrency),
  terminationProtection: z._default(z.boolean(), false),
  dashboard: z._default(z.boolean(), true),
  /** What becomes metrics of CloudWatch, which have their price; with "none", the alarms that look at them are missing. */
  metrics: z._default(metrics, 'full'),
});

export type Deployment = z.output<typeof deploymentSchema>;

/** In MB. */
export const DEFAULT_MEMORY = 512;
/** Of logs, in milliseconds. */
export const DEFAULT_RETENTION = 90 * DAY_MS;

/** A section with all that it means, in one form and one order: nothing in it depends on an order. */
const full = ({ replicaRegions, ...deployment }: Deployment) => ({
  ...deployment,
  alarms: { ok: true, ...deployment.alarms },
  logs: { retention: DEFAULT_RETENTION, ...deployment.logs },
  memory: deployment.memory ?? DEFAULT_MEMORY,
  tags: deployment.tags ?? {},
  ...(replicaRegions && { replicaRegions: replicaRegionsIn(replicaRegions) }),
});

const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder).sort(byText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inOrder(each)]));
};

function byText(a: unknown, b: unknown): number {
  const [one = '', other = ''] = [JSON.stringify(a), JSON.stringify(b)];
  return Number(one > other) - Number(one < other);
}

const hashesOfFull = (deployment: Deployment) => hashesOf(Object(inOrder(full(deployment))));

/** A hash of each key that says something else than its default: whoever writes one out, or in another form, changes nothing. */
export function deploymentHashes(deployment: Deployment): Hashes {
  const usual = hashesOfFull(z.parse(deploymentSchema, {}));
  const given = Object.entries(hashesOfFull(deployment));
  return Object.fromEntries(given.filter(([key, hash]) => hash !== usual[key]));
}

export type MetricsWanted = Deployment['metrics'];
