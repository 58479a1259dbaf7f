import { Token } from 'aws-cdk-lib';
import type { PolicyFile } from './policy-file.ts';

/** Where a stack is deployed to, as far as it is known. */
export interface Place {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
}

/** The keys that the app gives to the construct, as a policy file would name them. */
export interface GivenKeys {
  readonly encryptionKey?: string | undefined;
  readonly managementTokenKey?: string | undefined;
}

/** An ARN as it would be in this place; what is no ARN, and what CDK does not know yet, stays as it is. */
function movedTo({ account, region }: Place, text: string): string {
  const parts = text.split(':');
  if (parts[0] !== 'arn') return text;
  const move = (part = '', to = part) => (Token.isUnresolved(part) ? part : to);
  return parts.with(3, move(parts[3], region)).with(4, move(parts[4], account)).join(':');
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

const KEY_OF_SHARED =
  "the ARN of the key of that account which cluster.managementToken is under: no account shares a secret under AWS's own key, and an alias by its name is one of this stack's account; write a key";

/** `arn:aws:kms:eu-west-1:111122223333:key/<id>`: a key beside a secret. */
function keyBeside(secret: string): string {
  const [arn, partition, , region, account] = secret.split(':');
  return [arn, partition, 'kms', region, account, 'key/<id>'].join(':');
}

/**
 * What a policy, or the app, names by ARN in another place than the stack's, where it is of no use, or lets others read, and the key that
 * a management token of another account lacks: a sentence for each.
 */
export function namedElsewhere(
  { policy, deployment }: PolicyFile,
  given: GivenKeys,
  place: Place,
): string[] {
  const { file, encryptionKey, eventBus, cluster } = policy;
  const { alarms, logs, permissionsBoundary } = deployment;
  // Another account may let our roles read its secret, with a key of its own, and send to its bus.
  const inRegion = { region: place.region };
  const isOfAws = permissionsBoundary?.includes('::aws:') === true;
  const inAccount = isOfAws ? {} : { account: place.account };
  const { managementToken, managementTokenKey } = cluster;
  const isOurs = (text: string) => movedTo({ account: place.account }, text) === text;
  const isShared = !isOurs(managementToken);
  const [ofToken, keyOfToken] = isShared ? [inRegion, KEY_OF_OTHERS] : [place, KEY];
  const inPolicy = [`${file}: cluster.managementTokenKey`, managementTokenKey] as const;
  const inApp = ["Keyturn's property managementTokenKey", given.managementTokenKey] as const;
  const rows: readonly [Place, string, string | undefined, string][] = [
    [place, `${file}: encryptionKey`, encryptionKey, KEY],
    [place, "Keyturn's property encryptionKey", given.encryptionKey, KEY],
    [ofToken, ...inPolicy, keyOfToken],
    [ofToken, ...inApp, keyOfToken],
    [inRegion, `${file}: cluster.managementToken`, managementToken, SECRET],
    [inRegion, `${file}: eventBus`, eventBus, BUS],
    [inRegion, `${file}: deployment.alarms.topic`, alarms?.topic, TOPIC],
    [inRegion, `${file}: deployment.logs.key`, logs?.key, LOG_KEY],
    [inAccount, `${file}: deployment.permissionsBoundary`, permissionsBoundary, BOUNDARY],
  ];
  const sentenceOf = (name: string, found: string | undefined, expected: string, such: string) =>
    `${name}: found ${found === undefined ? 'nothing' : `"${found}"`}, expected ${expected} such as ${such}`;
  const elsewhere = rows.flatMap(([where, name, text, expected]) => {
    const here = text === undefined ? undefined : movedTo(where, text);
    return here === undefined || here === text ? [] : [sentenceOf(name, text, expected, here)];
  });
  const [name, key] = inApp[1] === undefined ? inPolicy : inApp;
  const opensNothing = key === undefined || (isOurs(key) && key.includes('alias/'));
  return isShared && opensNothing
    ? [...elsewhere, sentenceOf(name, key, KEY_OF_SHARED, keyBeside(managementToken))]
    : elsewhere;
}
