import { Annotations, Aws, type IResource, Stack, Token } from 'aws-cdk-lib';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Construct } from 'constructs';
import {
  managementSecret,
  managementSecretPath,
  type ReplicaRegion,
} from '../functions/policy/policy.ts';
import { closestOf } from '../functions/policy/suggestion.ts';
import { type DeclaredRegions, replicaRegionsIn } from './deployment.ts';
import { borneBy, isAlias } from './kms-key.ts';
import type { Place } from './places.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import type { KeyturnProps } from './properties.ts';
import { referenceOf, tokensInWords } from './references.ts';
import { isStandIn } from './stand-ins.ts';

/** `aws`, `aws-cn`; undefined where the Region is not known, or CDK does not know it. */
export const partitionOf = (region: string | undefined) =>
  region === undefined || Token.isUnresolved(region) ? undefined : RegionInfo.get(region).partition;

/** What the app gives to the construct, as a policy file would name it. */
export type GivenNames = Partial<
  Record<
    'encryptionKey' | 'managementTokenKey' | 'alarmTopic' | 'logKey' | 'boundary' | 'vpc',
    string | undefined
  >
> & { readonly replicaRegions?: DeclaredRegions | undefined };

/** An ARN; where CDK does not know it yet, it knows the place. */
function named({ env }: IResource, service: string, resource: string, arn?: string): string {
  if (arn !== undefined && !Token.isUnresolved(arn)) return arn;
  const partition = partitionOf(env.region) ?? Aws.PARTITION;
  return ['arn', partition, service, env.region, env.account, resource].join(':');
}

function keyNamed(key: IKey): string {
  const found = borneBy(key);
  return isAlias(found)
    ? named(found, 'kms', found.aliasName)
    : named(found, 'kms', 'key/<id>', found.keyArn);
}

/** As `named`; IAM is in no Region. */
function boundaryNamed({ managedPolicyArn: arn }: IManagedPolicy): string {
  const { target } = referenceOf(arn) ?? {};
  if (!target) return arn;
  const { account, region } = Stack.of(target);
  return `arn:${partitionOf(region) ?? Aws.PARTITION}:iam::${account}:policy/<name>`;
}

export function namesOf(props: KeyturnProps): GivenNames {
  const { encryptionKey, managementTokenKey, alarmTopic, logKey, boundary, vpc, replicaRegions } =
    props;
  return {
    encryptionKey: encryptionKey && keyNamed(encryptionKey),
    managementTokenKey: managementTokenKey && keyNamed(managementTokenKey),
    alarmTopic: alarmTopic && named(alarmTopic, 'sns', '<name>', alarmTopic.topicArn),
    logKey: logKey && keyNamed(logKey),
    boundary: boundary && boundaryNamed(boundary),
    vpc: vpc && named(vpc, 'ec2', 'vpc/<id>', vpc.vpcArn),
    replicaRegions,
  };
}

/** An ARN as it would be in this place; what is no ARN, and what CDK does not know yet, stays as it is. */
export function movedTo(
  { account, region }: Place,
  partition: string | undefined,
  text: string,
): string {
  const parts = text.split(':');
  if (parts[0] !== 'arn') return text;
  const to = ['arn', partition, undefined, region, account];
  return parts
    .map((part, index) => (Token.isUnresolved(part) ? part : (to[index] ?? part)))
    .join(':');
}

const KEY =
  "a key of this stack's account and Region, because Secrets Manager uses no key of another Region, and one of another account lets that account read; write a key";
const KEY_OF_OTHERS =
  "a key of this stack's Region, because Secrets Manager uses no key of another; write a key";
const SECRET = "a secret of this stack's Region, in which alone the functions read; write one";
const BUS =
  "a bus of this stack's Region, because nobody sends to one of another, to which only a rule forwards; write one";

const TOPIC = "a topic of this stack's Region, in which alone alarms tell; write one";
const LOG_KEY =
  "a key of this stack's Region, because CloudWatch Logs uses no key of another; write a key";
const BOUNDARY =
  "a managed policy of this stack's account, because a role takes no boundary of another; write one";
const VPC = "a VPC of this stack's Region, in which alone its functions run; give one";

const keyOfShared = (path: string) =>
  `the ARN of the key of that account which ${path} is under: no account shares a secret under AWS's own key, and an alias by its name is one of this stack's account; write a key`;

/** `arn:aws:kms:eu-west-1:111122223333:key/<id>`: a key beside a secret. */
function keyBeside(secret: string): string {
  const [arn, partition, , region, account] = secret.split(':');
  return [arn, partition, 'kms', region, account, 'key/<id>'].join(':');
}

/**
 * What a policy, or the app in its place, names by ARN in another place than the stack's, where it is of no use, or lets others read, and
 * the key that a management token of another account lacks: a sentence for each.
 */
function namedElsewhere(
  { policy, deployment }: PolicyFile,
  given: GivenNames,
  place: Place,
  isUnknown: (value: unknown) => boolean,
): string[] {
  const { file, encryptionKey, eventBus, cluster } = policy;
  const { alarms, logs, permissionsBoundary } = deployment;
  const partition = partitionOf(place.region);
  const said = (
    property: Exclude<keyof GivenNames, 'replicaRegions'>,
    key: string,
    text: string | undefined,
  ) =>
    given[property] === undefined
      ? ([`${file}: ${key}`, text] as const)
      : ([`Keyturn's property ${property}`, given[property]] as const);
  // Another account may let our roles read its secret, with a key of its own, and send to its bus.
  const inRegion = { region: place.region };
  const boundary = said('boundary', 'deployment.permissionsBoundary', permissionsBoundary);
  const inAccount = boundary[1]?.includes('::aws:') ? {} : { account: place.account };
  const { managementTokenKey } = cluster;
  const secret = managementSecret(cluster);
  const secretPath = managementSecretPath(cluster).join('.');
  const isOurs = (text: string) => movedTo({ account: place.account }, undefined, text) === text;
  const isShared = !isOurs(secret);
  const [ofToken, keyOfToken] = isShared ? [inRegion, KEY_OF_OTHERS] : [place, KEY];
  const tokenKey = said('managementTokenKey', 'cluster.managementTokenKey', managementTokenKey);
  const rows: readonly [Place, string, string | undefined, string][] = [
    [place, ...said('encryptionKey', 'encryptionKey', encryptionKey), KEY],
    [ofToken, ...tokenKey, keyOfToken],
    [inRegion, `${file}: ${secretPath}`, secret, SECRET],
    [inRegion, `${file}: eventBus`, eventBus, BUS],
    [inRegion, ...said('alarmTopic', 'deployment.alarms.topic', alarms?.topic), TOPIC],
    [inRegion, ...said('logKey', 'deployment.logs.key', logs?.key), LOG_KEY],
    [inRegion, ...said('vpc', 'deployment.vpc', undefined), VPC],
    [inAccount, ...boundary, BOUNDARY],
  ];
  const sentenceOf = (name: string, found: string | undefined, expected: string, such: string) =>
    `${name}: found ${found === undefined ? 'nothing' : `"${tokensInWords(found)}"`}, expected ${expected} such as ${tokensInWords(such)}`;
  const elsewhere = rows.flatMap(([where, name, text, expected]) => {
    const here = text === undefined ? undefined : movedTo(where, partition, text);
    return here === undefined || here === text || isUnknown(text)
      ? []
      : [sentenceOf(name, text, expected, here)];
  });
  const [name, key] = tokenKey;
  const opensNothing = key === undefined || (isOurs(key) && key.includes('alias/'));
  return isShared && opensNothing
    ? [...elsewhere, sentenceOf(name, key, keyOfShared(secretPath), keyBeside(secret))]
    : elsewhere;
}

/** Replicas where no secret of this stack can have one: a sentence for each. */
function misplacedReplicas(
  { policy, deployment }: PolicyFile,
  given: GivenNames,
  { region: home }: Place,
  isUnknown: (value: unknown) => boolean,
): string[] {
  const partition = partitionOf(home);
  const place = given.replicaRegions
    ? "Keyturn's property replicaRegions"
    : `${policy.file}: deployment.replicaRegions`;
  const declared = given.replicaRegions ?? deployment.replicaRegions ?? [];
  return replicaRegionsIn(declared).flatMap(({ region, encryptionKey }, index) => {
    if (isUnknown([region, encryptionKey])) return [];
    const found = `${place}[${index}]: found "${region}"`;
    if (region === home) {
      return `${found}, which is this stack's own Region, expected others: its secrets are there already; take it out`;
    }
    const itsPartition = partitionOf(region);
    if (partition !== undefined && itsPartition !== undefined && itsPartition !== partition) {
      return `${found}, which is of the partition ${itsPartition}, expected a Region of ${partition}, as the stack's: AWS replicates no secret to another; take it out`;
    }
    const isUsable =
      encryptionKey === undefined || movedTo({}, itsPartition, encryptionKey) === encryptionKey;
    if (isUsable) return [];
    return `${place}[${index}].encryptionKey: found "${encryptionKey}", expected a key of the partition ${itsPartition}; write its ARN`;
  });
}

/** Says where a Region's name is almost one that CDK knows: new Regions come, whose names are like those of others, too. */
export function warnOfUnknownRegions(scope: Construct, regions: readonly ReplicaRegion[]): void {
  const known = RegionInfo.regions.map(({ name }) => name);
  for (const { region } of regions) {
    if (Token.isUnresolved(region) || known.includes(region) || isStandIn(scope, region)) continue;
    const meant = closestOf(region, known);
    Annotations.of(scope).addWarningV2(
      `keyturn:replicaRegions-${region}`,
      `replicaRegions: found "${region}", expected a Region that this version of CDK knows${meant ? `; did you mean "${meant}"?` : '.'} If there is such a Region, acknowledge this warning; if not, every run of rotate fails until it is taken out`,
    );
  }
}

/**
 * @param isUnknown of what the app gives
 * @throws PolicyFileError if the policy, or the app in its place, names what is in another place, as far as that is known
 */
export function refuseElsewhere(
  policyFile: PolicyFile,
  given: GivenNames,
  place: Place,
  isUnknown: (value: unknown) => boolean = () => false,
): void {
  const elsewhere = [
    ...namedElsewhere(policyFile, given, place, isUnknown),
    ...misplacedReplicas(policyFile, given, place, isUnknown),
  ];
  if (elsewhere.length > 0) throw new PolicyFileError(elsewhere.join('\n'));
}
