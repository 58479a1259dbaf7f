import { type StackProps, Token } from 'aws-cdk-lib';
import type { ISecurityGroup, SelectedSubnets, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import * as z from 'zod/mini';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { formatPath } from '../functions/policy/policy-error.ts';
import { kmsKey } from '../functions/policy/schemas/aws-names.ts';
import { suggestionFor } from '../functions/policy/suggestion.ts';
import { mistakesIn, shown } from './arguments.ts';
import { FIELDS, type MetricsWanted } from './deployment.ts';
import { keyNamedBy } from './kms-key.ts';
import { isMapping } from './mapping.ts';
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

/** What CDK makes, told by the attribute that only its kind has: an app may have several copies of CDK, whose classes differ. */
const madeIn = (
  attribute: string,
  expected: string,
  fits: (found: never) => boolean = () => true,
) =>
  z.custom(
    (found) => typeof Object(found)[attribute] === 'string' && fits(found as never),
    expected,
  );
/** What merely has such an attribute, as an app in JavaScript may write it, lacks all else. */
const constructIn = (...[attribute, expected, fits]: Parameters<typeof madeIn>) =>
  madeIn(
    attribute,
    expected,
    (found) => Construct.isConstruct(found) && (fits === undefined || fits(found)),
  );
const construct = (...rule: Parameters<typeof constructIn>) => z.optional(constructIn(...rule));

/** Whether a text keeps a rule of the policy file, or is not known before the deployment. */
const keeps = (rule: z.ZodMiniType, text: string): boolean =>
  Token.isUnresolved(text) || rule.safeParse(text).success;

const KEY =
  "a key of CDK, such as Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/<id>')";
/** AWS keeps the other aliases that begin with `alias/aws/` for one service each. */
const key = construct(
  'keyArn',
  `${KEY}, or Alias.fromAliasName(stack, 'Alias', 'alias/tokens'), with alias/ in front, and none of AWS's own`,
  (found: IKey) => {
    const named = keyNamedBy(found);
    return keeps(kmsKey, 'alias' in named ? named.alias : named.arn);
  },
);

/** CDK writes a name into an ARN whose partition is known only at the deployment. */
function isBoundary({ managedPolicyArn: arn }: IManagedPolicy): boolean {
  if (!arn.startsWith('arn:')) return keeps(FIELDS.boundary, arn);
  if (/:iam::aws:policy\//.test(arn)) return true;
  const [, name] = /:policy\/(.+)$/.exec(arn) ?? [];
  return name !== undefined && keeps(FIELDS.boundary, name);
}

const groupId = (found: unknown) => (found as ISecurityGroup).securityGroupId;

const CHOICE = "a choice of subnets, { subnetGroupName: 'keyturn' }";
const subnetChoice = {
  availabilityZones: z.optional(z.array(z.string())),
  onePerAz: z.optional(z.boolean()),
  subnetFilters: z.optional(z.array(z.looseObject({}))),
  subnetGroupName: z.optional(z.string()),
  // What CDK does not know of these is told with the VPC.
  subnetType: z.optional(z.unknown()),
  subnets: z.optional(
    z.array(
      constructIn(
        'subnetId',
        "a subnet of CDK, such as Subnet.fromSubnetId(stack, 'Subnet', 'subnet-0123456789abcdef0')",
      ),
    ),
  ),
} satisfies Record<keyof SubnetSelection, z.ZodMiniType>;

/** The rules of the section `deployment` for what an app says in its place. */
const propertiesSchema = z.object({
  policy: z.string("the path of a policy file, a text such as 'keyturn.yaml'"),
  vpc: construct(
    'vpcId',
    "a VPC of CDK, such as Vpc.fromLookup(stack, 'Vpc', { vpcName: 'prod' })",
  ),
  vpcSubnets: z.optional(z.strictObject(subnetChoice, CHOICE)),
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
  // One of AWS is no construct.
  boundary: z.optional(
    madeIn(
      'managedPolicyArn',
      "a managed policy of CDK, such as ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'), or of AWS by ManagedPolicy.fromAwsManagedPolicyName",
      isBoundary,
    ),
  ),
  tags: z.optional(FIELDS.tags),
  replicaRegions: z.optional(FIELDS.replicaRegions),
  memorySize: z.optional(FIELDS.memory),
  reservedConcurrentExecutions: z.optional(FIELDS.reservedConcurrency),
  dashboard: z.optional(z.boolean()),
  metrics: z.optional(FIELDS.metrics),
});

/** Of a replica, with another Region in place of one that only the deployment knows: its key's, or one that no other replica has. */
function knownPlace(place: unknown, index: number): unknown {
  if (!isMapping(place)) return Token.isUnresolved(place) ? `xx-north-${index}` : place;
  const { region, encryptionKey: given } = place as Partial<ReplicaRegion>;
  const encryptionKey = Token.isUnresolved(given) ? undefined : given;
  const [, , , itsRegion] = String(encryptionKey).split(':');
  return {
    ...place,
    ...('encryptionKey' in place && { encryptionKey }),
    ...(Token.isUnresolved(region) && { region: itsRegion || `xx-north-${index}` }),
  };
}

/** Keeps the rules from what CDK knows only at the deployment: whatever it will be, a text as short as any. */
function known([name, value]: [string, unknown]): [string, unknown] {
  if (Token.isUnresolved(value) && !Array.isArray(value)) return [name, undefined];
  if (!Array.isArray(value)) return [name, value];
  if (name === 'replicaRegions') return [name, value.map(knownPlace)];
  return [name, value.filter((each) => !Token.isUnresolved(each))];
}

/** `Vpc.selectSubnets` says more of the subnets that it chose than a choice does. */
function chosen(value: unknown): unknown {
  const { subnets, hasPublic } = Object(value) as Partial<SelectedSubnets>;
  if (subnets !== undefined && hasPublic !== undefined) return { subnets };
  return isMapping(value) ? value : shown(value);
}

const knownTags = (tags: object): object =>
  Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [name, Token.isUnresolved(value) ? '-' : value]),
  );

/**
 * What is wrong with the properties that an app gives, by the rules of the policy file: a sentence for each. Tags are looked at together
 * with those of the file, as they will be.
 */
export function propertyMistakes(
  scope: IConstruct,
  props: KeyturnProps,
  { file, deployment }: PolicyFile,
): string[] {
  const given: Record<string, unknown> = Object.fromEntries(Object.entries(props).map(known));
  given.vpcSubnets = chosen(given.vpcSubnets);
  const { tags } = given;
  if (isMapping(tags)) given.tags = knownTags({ ...deployment.tags, ...tags });
  const beside = deployment.tags ? `, with deployment.tags of ${file}` : '';
  return [
    ...Object.entries(props).flatMap(misspeltAs),
    ...mistakesIn(propertiesSchema, given, scope).map(({ path, message }) => {
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
  deployment: 'what it says as properties by themselves, such as memorySize',
};

/** CDK's own property of a stack, `PermissionsBoundary.of(...)`: no name, as the policy file has, and no managed policy. */
const isOfStack = (value: unknown) =>
  typeof value === 'object' && value !== null && !('managedPolicyArn' in value);

/** A stack has properties of its own, which are passed on with ours. */
const OF_STACK: Readonly<Record<keyof StackProps, true>> = {
  analyticsReporting: true,
  crossRegionReferences: true,
  description: true,
  env: true,
  notificationArns: true,
  permissionsBoundary: true,
  propertyInjectors: true,
  stackName: true,
  suppressTemplateIndentation: true,
  synthesizer: true,
  tags: true,
  terminationProtection: true,
};

function misspeltAs([name, value]: [string, unknown]): string[] {
  const names = Object.keys(propertiesSchema.shape);
  if (value === undefined || names.includes(name)) return [];
  const isStacks =
    Object.hasOwn(OF_STACK, name) && (name !== 'permissionsBoundary' || isOfStack(value));
  if (isStacks) return [];
  const found = `Keyturn's property ${name}: found this name`;
  const property = Object.hasOwn(OF_FILE, name) ? OF_FILE[name] : undefined;
  if (property !== undefined) {
    return [`${found}, which the policy file uses, expected ${property}`];
  }
  const within = names.find((each) => each.toLowerCase().includes(name.toLowerCase()));
  const meant = within ? `; did you mean "${within}"?` : suggestionFor(name, names);
  return [
    `${found}, expected one of its properties${meant}${meant.endsWith('?') ? '' : '; all else is said in the policy file, or given to a Stack of your own around a Keyturn'}`,
  ];
}

/** @throws PolicyFileError with a line for each mistake of the properties that an app gives */
export function refuseMistaken(
  scope: IConstruct,
  props: KeyturnProps,
  policyFile: PolicyFile,
): void {
  const mistakes = propertyMistakes(scope, props, policyFile);
  if (mistakes.length > 0) throw new PolicyFileError(mistakes.join('\n'));
}

/** @throws PolicyFileError if an app in JavaScript gives no policy, or something else in its place */
export function refuseWithoutPolicy(props: Partial<KeyturnProps> | undefined): void {
  const schema = z.pick(propertiesSchema, { policy: true });
  const [mistake] = mistakesIn(schema, { policy: props?.policy });
  if (mistake) throw new PolicyFileError(`Keyturn's property policy: ${mistake.message}`);
}
