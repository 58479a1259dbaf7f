import { Token } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import * as z from 'zod/mini';
import { kmsKey } from '../functions/policy/aws-names.ts';
import { explainIssues, formatPath, UNEXPLAINED } from '../functions/policy/policy-error.ts';
import { closestOf } from '../functions/policy/suggestion.ts';
import { FIELDS, type MetricsWanted } from './deployment.ts';
import { keyNamedBy } from './kms-key.ts';
import type { NetworkProps } from './network.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import type { RecipientProps } from './recipients.ts';

/** What an app says here goes before what the policy file says. */
export interface KeyturnProps extends NetworkProps, RecipientProps {
  /**
   * Path of the policy file, which describes one cluster.
   * @example 'keyturn.yaml'
   */
  readonly policy: string;
  /**
   * Key for the secrets that Keyturn creates; used instead of the policy's `encryptionKey`.
   * @example new Key(stack, 'Tokens', { enableKeyRotation: true })
   */
  readonly encryptionKey?: IKey;
  /**
   * Key of the secret with the management token, or with the OAuth client's secret, if it is a customer managed key;
   * used instead of the policy's.
   * @example Key.fromKeyArn(stack, 'Management', 'arn:aws:kms:eu-west-1:111122223333:key/<id>')
   */
  readonly managementTokenKey?: IKey;
  /**
   * How long logs are kept; absent in both: three months.
   * @example RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * Encrypts logs. CloudWatch Logs may use a key that an app makes; the policy of any other one must say so already.
   * @example new Key(stack, 'Logs', { enableKeyRotation: true })
   */
  readonly logKey?: IKey;
  /**
   * The permissions boundary of every role. It must allow all that the roles do.
   * @example ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers')
   */
  readonly boundary?: IManagedPolicy;
  /**
   * On all resources, and on the secrets that Keyturn creates, not on adopted ones; beside the policy's tags.
   * @example { team: 'plant' }
   */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Other Regions that get replicas of the secrets that Keyturn creates; used instead of the policy's. With a key of its own, an alias or
   * the ARN of one of that Region, where AWS's own is not wanted.
   * @example ['eu-central-1', { region: 'eu-north-1', encryptionKey: 'alias/tokens' }]
   */
  readonly replicaRegions?: readonly (
    | string
    | { readonly region: string; readonly encryptionKey?: string | undefined }
  )[];
  /**
   * Of each function, in MB, at least 512; absent in both: 512.
   * @example 1024
   */
  readonly memorySize?: number;
  /**
   * The most runs of each function at once. Lambda refuses it if fewer than 100 stay unreserved:
   * docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   * @example 5
   */
  readonly reservedConcurrentExecutions?: number;
  /**
   * Whether a dashboard is made; absent in both: it is.
   * @example false
   */
  readonly dashboard?: boolean;
  /**
   * What becomes metrics of CloudWatch; absent in both: everything that is measured. With 'none', the alarms that look at them are missing.
   * @example 'alarms'
   */
  readonly metrics?: MetricsWanted;
}

/** A construct, told by the attribute that only its kind has: an app may have several copies of CDK, whose classes differ. */
const constructIn = (
  attribute: string,
  expected: string,
  fits: (found: never) => boolean = () => true,
) =>
  z.custom(
    (found) => typeof Object(found)[attribute] === 'string' && fits(found as never),
    expected,
  );
const construct = (...rule: Parameters<typeof constructIn>) => z.optional(constructIn(...rule));

/** Whether a text keeps a rule of the policy file, or is not known before the deployment. */
const keeps = (rule: z.ZodMiniType, text: string): boolean =>
  Token.isUnresolved(text) || rule.safeParse(text).success;

const KEY =
  "a key of CDK, such as Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/<id>')";
/** AWS keeps the other aliases that begin with `alias/aws/` for one service each. */
const key = construct('keyArn', `${KEY}, and none of AWS's own`, (found: IKey) => {
  const named = keyNamedBy(found);
  return keeps(kmsKey, 'alias' in named ? named.alias : named.arn);
});

/** CDK writes a name into an ARN whose partition is known only at the deployment. */
function isBoundary({ managedPolicyArn: arn }: IManagedPolicy): boolean {
  if (!arn.startsWith('arn:')) return keeps(FIELDS.boundary, arn);
  if (/:iam::aws:policy\//.test(arn)) return true;
  const [, name] = /:policy\/(.+)$/.exec(arn) ?? [];
  return name !== undefined && keeps(FIELDS.boundary, name);
}

const groupId = (found: unknown) => (found as ISecurityGroup).securityGroupId;

/** The rules of the section `deployment` for what an app says in its place. */
const propertiesSchema = z.object({
  policy: z.string("the path of a policy file, 'keyturn.yaml'"),
  vpc: construct(
    'vpcId',
    "a VPC of CDK, such as Vpc.fromLookup(stack, 'Vpc', { vpcName: 'prod' })",
  ),
  vpcSubnets: z.optional(z.looseObject({}, "a choice of subnets, { subnetGroupName: 'keyturn' }")),
  securityGroups: z.optional(
    z
      .array(
        constructIn(
          'securityGroupId',
          "a security group of CDK, such as SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0')",
        ),
        'a list of one to five security groups of CDK',
      )
      .check(
        ...FIELDS.securityGroups,
        z.refine(
          (found) => new Set(found.map(groupId)).size === found.length,
          'each security group once',
        ),
      ),
  ),
  alarmTopic: construct(
    'topicArn',
    "a topic of CDK that is not FIFO, which no alarm can tell anything, such as Topic.fromTopicArn(stack, 'OnCall', 'arn:aws:sns:eu-west-1:111122223333:on-call')",
    ({ fifo }: { readonly fifo: boolean }) => !fifo,
  ),
  /** None: nobody is told, whom the policy file may name. */
  alarmEmails: z.optional(FIELDS.emails),
  alarmOk: z.optional(z.boolean()),
  encryptionKey: key,
  managementTokenKey: key,
  logRetention: z.optional(
    z.enum(RetentionDays, "one of CDK's RetentionDays, such as RetentionDays.THREE_MONTHS"),
  ),
  logKey: construct(
    'keyArn',
    `${KEY}; CloudWatch Logs takes no alias, unless CDK knows its key`,
    (found: IKey) => {
      const named = keyNamedBy(found);
      return 'arn' in named && keeps(FIELDS.logKey, named.arn);
    },
  ),
  boundary: construct(
    'managedPolicyArn',
    "a managed policy of CDK, such as ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'), or of AWS by ManagedPolicy.fromAwsManagedPolicyName",
    isBoundary,
  ),
  tags: z.optional(FIELDS.tags),
  replicaRegions: z.optional(FIELDS.replicaRegions),
  memorySize: z.optional(FIELDS.memory),
  reservedConcurrentExecutions: z.optional(FIELDS.reservedConcurrency),
  dashboard: z.optional(z.boolean()),
  metrics: z.optional(FIELDS.metrics),
});

/** A replica's Region without a key that only the deployment knows. */
function withKnownKey(place: unknown): unknown {
  if (!isMapping(place) || !('encryptionKey' in place)) return place;
  const { encryptionKey, ...others } = place;
  return Token.isUnresolved(encryptionKey) ? others : place;
}

/** Keeps the rules from what CDK knows only at the deployment: whatever it will be, a text as short as any. */
function known(value: unknown): unknown {
  if (Token.isUnresolved(value)) return undefined;
  if (!Array.isArray(value)) return value;
  return value.filter((each) => !Token.isUnresolved(each)).map(withKnownKey);
}

const knownTags = (tags: object): object =>
  Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [name, Token.isUnresolved(value) ? '-' : value]),
  );

/** As a sentence may show it: a construct by its path, and what holds one by its kind. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (Construct.isConstruct(value)) return `construct ${value.node.path}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (!isMapping(value)) return value;
  const kind = value.constructor;
  if (kind === Object) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]));
  }
  try {
    JSON.stringify(value);
    return value;
  } catch {
    return kind?.name ?? 'object';
  }
}

const isMapping = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What is wrong with the properties that an app gives, by the rules of the policy file: a sentence for each. Tags are looked at together
 * with those of the file, as they will be.
 */
export function propertyMistakes(
  props: KeyturnProps,
  { policy, deployment }: PolicyFile,
): string[] {
  const given: Record<string, unknown> = Object.fromEntries(
    Object.entries(props).map(([name, value]) => [name, known(value)]),
  );
  const { tags } = given;
  if (isMapping(tags)) given.tags = knownTags({ ...deployment.tags, ...tags });
  const unknownLists = Object.entries(props)
    .filter(([, value]) => Array.isArray(value) && Token.isUnresolved(value))
    .map(
      ([name]) =>
        `Keyturn's property ${name}: found a list that is known only at the deployment, expected one whose length is known when the app runs; write its items, which may be tokens`,
    );
  const misspelt = [...unknownLists, ...Object.entries(props).flatMap(misspeltAs)];
  const parsed = propertiesSchema.safeParse(given, UNEXPLAINED);
  if (parsed.success) return misspelt;
  const document = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, shown(value)]),
  );
  const beside = deployment.tags ? `, with deployment.tags of ${policy.file}` : '';
  const wrong = explainIssues(propertiesSchema, parsed.error.issues, document);
  return [
    ...misspelt,
    ...wrong.map(({ path, message }) => {
      const isOfAll = path.length === 1 && path[0] === 'tags';
      return `Keyturn's property ${formatPath(path)}${isOfAll ? beside : ''}: ${message}`;
    }),
  ];
}

/** What an app gives in place of what the policy file calls so. */
const OF_FILE: Readonly<Record<string, string>> = {
  memory: 'memorySize',
  reservedConcurrency: 'reservedConcurrentExecutions',
  permissionsBoundary: 'boundary',
  emails: 'alarmEmails',
  topic: 'alarmTopic',
  alarms: 'alarmTopic, alarmEmails or alarmOk',
  logs: 'logRetention or logKey',
  replicas: 'replicaRegions',
  subnets: 'vpcSubnets',
  schedules: 'it in the policy file alone',
};

/** CDK's own property of a stack, `PermissionsBoundary.of(...)`: no name, as the policy file has, and no managed policy. */
const isOfStack = (name: string, value: unknown) =>
  name === 'permissionsBoundary' && isMapping(value) && !('managedPolicyArn' in value);

/** A stack has properties of its own, which are passed on with ours: only what is almost one of ours is told. */
function misspeltAs([name, value]: [string, unknown]): string[] {
  if (value === undefined) return [];
  const property = Object.hasOwn(OF_FILE, name) ? OF_FILE[name] : undefined;
  if (property !== undefined && !isOfStack(name, value)) {
    return [
      `Keyturn's property ${name}: found this name, which the policy file uses, expected ${property}`,
    ];
  }
  const names = Object.keys(propertiesSchema.shape);
  const meant = names.includes(name) ? undefined : closestOf(name, names);
  if (meant === undefined) return [];
  return [
    `Keyturn's property ${name}: found this name, expected one of its properties; did you mean "${meant}"?`,
  ];
}

/** @throws PolicyFileError if an app in JavaScript gives no policy */
export function refuseWithoutPolicy(props: Partial<KeyturnProps> | undefined): void {
  if (typeof props?.policy === 'string') return;
  throw new PolicyFileError(
    "Keyturn's property policy: found none, expected the path of a policy file, 'keyturn.yaml'",
  );
}
