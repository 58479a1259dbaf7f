import { managementSecret, managementSecretPath } from '../functions/policy/policy.ts';
import { type DeclaredRegions, replicaRegionsIn } from './deployment.ts';
import type { Place } from './places.ts';
import type { PolicyFile } from './policy-file.ts';

/** What the app gives to the construct, as a policy file would name it. */
export type GivenNames = Partial<
  Record<
    'encryptionKey' | 'managementTokenKey' | 'alarmTopic' | 'logKey' | 'boundary' | 'vpc',
    string | undefined
  >
> & { readonly replicaRegions?: DeclaredRegions | undefined };

/** What is known of Regions and texts: an app has texts that CDK does not know yet, and a file has none. */
export interface Texts {
  /** Undefined: nobody knows it. */
  readonly partitionOf: (region: string | undefined) => string | undefined;
  readonly isUnknown: (value: unknown) => boolean;
  /** Of a part of an ARN. */
  readonly isUnresolved: (part: string) => boolean;
  readonly inWords: (text: string) => string;
}

/** As AWS names its Regions: docs.aws.amazon.com/general/latest/gr/rande.html */
const PARTITIONS: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, 'aws-cn'],
  [/^us-gov-/, 'aws-us-gov'],
  [/^us-iso-/, 'aws-iso'],
  [/^us-isob-/, 'aws-iso-b'],
  [/^eu-isoe-/, 'aws-iso-e'],
  [/^us-isof-/, 'aws-iso-f'],
  [/^eusc-/, 'aws-eusc'],
  [/^(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+$/, 'aws'],
];

/** Texts of a file, by the names of Regions alone. */
export const OF_FILE: Texts = {
  partitionOf: (region = '') => PARTITIONS.find(([form]) => form.test(region))?.[1],
  isUnknown: () => false,
  isUnresolved: () => false,
  inWords: (text) => text,
};

/** An ARN as it would be in this place; what is no ARN, and what is not known yet, stays as it is. */
export function movedTo(
  { account, region }: Place,
  partition: string | undefined,
  text: string,
  isUnresolved: Texts['isUnresolved'],
): string {
  const parts = text.split(':');
  if (parts[0] !== 'arn') return text;
  const to = ['arn', partition, undefined, region, account];
  return parts.map((part, index) => (isUnresolved(part) ? part : (to[index] ?? part))).join(':');
}

type Named = Pick<PolicyFile, 'file' | 'policy' | 'deployment'>;

const KEY =
  "a key of this stack's account and Region, because Secrets Manager uses no key of another Region, and one of another account lets that account read; write a key";
const KEY_OF_OTHERS =
  "a key of this stack's Region, because Secrets Manager uses no key of another; write a key";
const SECRET = "a secret of this stack's Region, in which alone the functions read; write one";
const BUS =
  "a bus of this stack's Region, because nobody sends to one of another, to which only a rule forwards; write one";

const TOPIC = "a topic of this stack's Region, in which alone alarms tell; write one";
const LOG_KEY =
  "a key of this stack's account and Region, because CloudWatch Logs uses no key of another Region, and one of another account is that account's to take away; write a key";
export const REPLICA_KEY =
  "a key of this stack's account and of the replica's Region, because one of another account lets that account read; write a key";
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

type Sentence = [name: string, found: string | undefined, expected: string, such: string];

const sentenceIn = (inWords: Texts['inWords'], ...[name, found, expected, such]: Sentence) =>
  `${name}: found ${found === undefined ? 'nothing' : `"${inWords(found)}"`}, expected ${expected} such as ${inWords(such)}`;

/**
 * What a policy, or the app in its place, names by ARN in another place than the stack's, where it is of no use, or lets others read, and
 * the key that a management token of another account lacks: a sentence for each.
 */
function misplacedNames(
  { file, policy, deployment }: Named,
  given: GivenNames,
  place: Place,
  { partitionOf, isUnknown, isUnresolved, inWords }: Texts,
): string[] {
  const { encryptionKey, eventBus, cluster } = policy;
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
  const isOurs = (text: string) =>
    movedTo({ account: place.account }, undefined, text, isUnresolved) === text;
  const isShared = !isOurs(secret);
  const [ofToken, keyOfToken] = isShared ? [inRegion, KEY_OF_OTHERS] : [place, KEY];
  const tokenKey = said('managementTokenKey', 'cluster.managementTokenKey', managementTokenKey);
  const rows: readonly [Place, string, string | undefined, string][] = [
    [place, ...said('encryptionKey', 'encryptionKey', encryptionKey), KEY],
    [ofToken, ...tokenKey, keyOfToken],
    [inRegion, `${file}: ${secretPath}`, secret, SECRET],
    [inRegion, `${file}: eventBus`, eventBus, BUS],
    [inRegion, ...said('alarmTopic', 'deployment.alarms.topic', alarms?.topic), TOPIC],
    [place, ...said('logKey', 'deployment.logs.key', logs?.key), LOG_KEY],
    [inRegion, ...said('vpc', 'deployment.vpc', undefined), VPC],
    [inAccount, ...boundary, BOUNDARY],
  ];
  const sentenceOf = (...said: Sentence) => sentenceIn(inWords, ...said);
  const elsewhere = rows.flatMap(([where, name, text, expected]) => {
    const here = text === undefined ? undefined : movedTo(where, partition, text, isUnresolved);
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
  { file, deployment }: Named,
  given: GivenNames,
  { account, region: home }: Place,
  { partitionOf, isUnknown, isUnresolved, inWords }: Texts,
): string[] {
  const partition = partitionOf(home);
  const place = given.replicaRegions
    ? "Keyturn's property replicaRegions"
    : `${file}: deployment.replicaRegions`;
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
    if (encryptionKey === undefined) return [];
    const here = movedTo({ account }, itsPartition, encryptionKey, isUnresolved);
    if (here === encryptionKey) return [];
    const name = `${place}[${index}].encryptionKey`;
    return sentenceIn(inWords, name, encryptionKey, REPLICA_KEY, here);
  });
}

/** What the policy, or the app in its place, names in another place than the stack's, as far as that is known: a sentence for each. Pure. */
export const namedElsewhere = (
  policyFile: Named,
  given: GivenNames,
  place: Place,
  texts: Texts,
): readonly string[] => [
  ...misplacedNames(policyFile, given, place, texts),
  ...misplacedReplicas(policyFile, given, place, texts),
];
