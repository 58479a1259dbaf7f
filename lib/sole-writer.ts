import { type CfnResource, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import * as z from 'zod/mini';
import { suggestionFor } from '../functions/policy/suggestion.ts';
import { refuseMistakes } from './arguments.ts';
import { movedTo, partitionOf } from './elsewhere.ts';
import type { Keyturn } from './keyturn.ts';
import { isOnePlace, placeInWords, placeOf } from './places.ts';
import { asKnown, asMayBe, referenceOf, tokensInWords } from './references.ts';
import { type NamedSecret, refuseOtherPolicies, secretNamed } from './resource-policies.ts';
import { isStandIn } from './stand-ins.ts';

export interface SoleWriterProps {
  readonly keyturn: Keyturn;
  /** Name or ARN of a secret of the policy; it must exist when this is deployed. A secret has one sole writer. */
  readonly secretId: string;
  /**
   * ARNs of the IAM roles (or users) of people who may roll back, hold and take over, and alone may promote a replica: at least one; the
   * name may contain `*` and `?`.
   * @example ['arn:aws:iam::111122223333:role/on-call']
   */
  readonly people: readonly string[];
}

const SERVICE = 'secretsmanager';
const WRITES = ['DeleteSecret', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage'];
/** They end or detach replicas, which Keyturn never does. */
const REPLICA_ENDINGS = ['RemoveRegionsFromReplication', 'StopReplicationToReplica'];
/** Who sets such a tag can stop Keyturn or take the secret from it. */
const OWN_TAGS = 'keyturn:*';

/** `aws:PrincipalArn` is the ARN of a role, also for a session of it. */
const PERSON = /^arn:[\w-]+:iam::\d{12}:(?:role|user)\/(?=.*[^*?/])[\w+=,.@/*?-]+$/;
/** What may begin each part of a person's ARN. */
const MAY_BEGIN = ['arn', 'aws', 'iam', '', '111122223333', 'role/x'];

/** Whether it is a person's ARN, as far as CDK knows it: a role or a user of the app, too, and no group. */
function mayBePerson(writer: Construct, text: string): boolean {
  // What CDK has in a list that is refused as a whole.
  if (text.startsWith('#{')) return true;
  const { target, displayName } = referenceOf(text) ?? {};
  const { cfnResourceType = '' } = (target ?? {}) as Partial<CfnResource>;
  if (cfnResourceType.startsWith('AWS::IAM::')) {
    return /::(?:Role|User)$/.test(cfnResourceType) && displayName === 'Arn';
  }
  const mayBe = asMayBe(MAY_BEGIN, asKnown(Stack.of(writer), text));
  return mayBe === undefined || PERSON.test(mayBe);
}

const A_PERSON =
  'the ARN of an IAM role or user, arn:aws:iam::111122223333:role/on-call, and not of all of them';

/** With nobody in it, no person could promote a replica when its Region is lost, nor roll back or hold the secret. */
const SOMEBODY =
  'at least one ARN of an IAM role or user, or nobody could promote a replica or roll back; name a role for emergencies, arn:aws:iam::111122223333:role/on-call';

const propertiesOf = (writer: Construct) => {
  const person = z.string().check(z.refine((text) => mayBePerson(writer, text), A_PERSON));
  return z.object({
    keyturn: z.custom(
      (found) => typeof Object(found).policyFile === 'object',
      'a construct Keyturn',
    ),
    secretId: z.string('the name or the ARN of a secret').check(z.minLength(1)),
    people: z.array(person).check(z.minLength(1, SOMEBODY)),
  });
};

/** Paths of the sole writers of a deployment, by the names of their secrets. */
const writers = new WeakMap<Keyturn, Map<string, string>>();

interface Written {
  readonly service: string | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

/** Where an ARN says that a secret is, which CDK may not know part by part. Undefined: it is none. */
function partsOf(writer: Construct, secretId: string): Written | undefined {
  const known = asKnown(Stack.of(writer), secretId);
  const [arn, , service, region, account] = known.split(':');
  return arn === 'arn' ? { service, region, account } : undefined;
}

/** Which of these names a secret has. An ARN may be without Secrets Manager's end, as CDK has it of a secret that it does not make. */
function nameOf({ name, isInArn }: NamedSecret, names: readonly string[]): string | undefined {
  if (name === undefined || names.includes(name)) return name;
  const without = name.replace(/-[A-Za-z0-9]{6}$/, '');
  return isInArn && names.includes(without) ? without : undefined;
}

/**
 * @returns the secret's name in the policy; undefined: only the deployment knows it
 * @throws Error if the policy names no such secret, it is in another place, or another sole writer writes its only resource policy
 */
function claim(writer: SoleWriter, { keyturn, secretId }: SoleWriterProps): string | undefined {
  const { file, policy } = keyturn.policyFile;
  const names = policy.tokens.map(({ secret }) => secret);
  if (isStandIn(writer, secretId)) return undefined;
  const secret = secretNamed(writer, secretId);
  const { made } = secret;
  const found = `SoleWriter's property secretId: found "${tokensInWords(secretId)}"`;
  const parts = made ? { service: SERVICE, ...placeOf(Stack.of(made)) } : partsOf(writer, secretId);
  if (parts) refusePlaceOf(parts, found, writer, keyturn);
  if (secret.name === undefined) return undefined;
  const name = nameOf(secret, names);
  if (name === undefined) {
    const named = made ? `, whose name is "${secret.name}"` : '';
    throw new Error(
      `${found}${named}, expected a secret of ${file}, such as ${names.slice(0, 3).join(', ')}, because Keyturn writes no other${suggestionFor(secret.name, names)}`,
    );
  }
  const claimed = writers.get(keyturn) ?? new Map<string, string>();
  const other = claimed.get(name);
  if (other !== undefined) {
    throw new Error(
      `${found}, expected a secret without a sole writer, and ${other} is its: a secret has one resource policy, so name all people there`,
    );
  }
  writers.set(keyturn, claimed.set(name, writer.node.path));
  return name;
}

/** @throws Error if an ARN is of another service, account or Region than the deployment's secrets, as far as CDK knows them */
function refusePlaceOf(
  { service, ...parts }: Written,
  found: string,
  writer: SoleWriter,
  keyturn: Keyturn,
): void {
  const home = { ...placeOf(Stack.of(writer)), ...placeOf(Stack.of(keyturn)) };
  if (service === SERVICE && isOnePlace(placeOf(parts), home) !== false) return;
  const place = placeInWords(home);
  throw new Error(
    `${found}, expected a secret${place && ` of ${place}`}, where ${keyturn.node.path} and its secrets are; write its name, or its ARN there`,
  );
}

/**
 * CloudFormation writes a resource policy in the place of its stack alone, where the secret must be.
 * @throws Error if CDK knows that it is another place than the deployment's
 */
function refuseElsewhere(writer: SoleWriter, keyturn: Keyturn): void {
  const own = placeOf(Stack.of(writer));
  const home = placeOf(Stack.of(keyturn));
  if (isOnePlace(own, home) !== false) return;
  throw new Error(
    `SoleWriter ${writer.node.path}: found it in ${placeInWords(own)}, expected ${placeInWords(home)}, where ${keyturn.node.path} and its secrets are; put it into a stack there, and Secrets Manager copies its policy to replicas`,
  );
}

/** @throws Error if somebody is of another partition than the secret, as far as CDK knows that: the functions alone could write it */
function refuseStrangers(writer: SoleWriter, { keyturn, people }: SoleWriterProps): void {
  const [partition] = [keyturn, writer].flatMap((each) => partitionOf(Stack.of(each).region) ?? []);
  for (const [index, found] of people.entries()) {
    const theirs = movedTo({}, partition, found);
    if (theirs === found || isStandIn(writer, found)) continue;
    throw new Error(
      `SoleWriter's property people[${index}]: found "${tokensInWords(found)}", expected somebody of the partition ${partition}, as the secret is, which nobody of another can write; write ${tokensInWords(theirs)}`,
    );
  }
}

/** Secrets Manager's quota of a resource policy. */
const LARGEST = 20_480;

/**
 * A resource policy: only Keyturn and the named people can write the secret or set Keyturn's tags, and only those people can end replicas.
 * It does not limit who reads the secret, nor who removes the policy. Secrets Manager copies it to replicas: what is said about writes binds
 * in the stack's Region alone, so that a promoted replica can be written by the functions of its own Region.
 *
 * Of people whose role is in another stack of the app and got `grantOperate`, it belongs into that stack, which needs Keyturn's: in Keyturn's,
 * each stack would need the other.
 */
export class SoleWriter extends Construct {
  /**
   * @throws Error if a property is not known, `people` is empty, has what is no ARN of a role or a user of the deployment's partition, or
   * makes the policy too large, or the secret is none of the policy, or has a sole writer; or its stack or its ARN is in another account or
   * Region than the deployment's. Synthesis fails if the app has another resource policy of the secret
   */
  constructor(scope: Construct, id: string, props: SoleWriterProps) {
    super(scope, id);
    refuseMistakes("SoleWriter's property", propertiesOf(this), props, this);
    refuseElsewhere(this, props.keyturn);
    refuseStrangers(this, props);
    const { keyturn, secretId, people } = props;
    const name = claim(this, props);
    const { rotate, reap, revoke, secretsManagerRotation } = keyturn;
    const functions = [rotate, reap, revoke, secretsManagerRotation];
    const allowed = functions.map(({ role }) => role.roleArn).concat(people);
    const { region } = Stack.of(this);
    const others = (roles: readonly string[]) => ({
      ArnNotLike: { 'aws:PrincipalArn': roles },
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    });
    const here = { ...others(allowed), StringEquals: { 'aws:RequestedRegion': region } };
    const deny = (verbs: readonly string[], conditions: object) =>
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: verbs.map((verb) => `secretsmanager:${verb}`),
        resources: ['*'],
        conditions,
      });
    const resourcePolicy = new PolicyDocument({
      statements: [
        deny(WRITES, here),
        deny(['TagResource', 'UntagResource'], {
          ...here,
          'ForAnyValue:StringLike': { 'aws:TagKeys': OWN_TAGS },
        }),
        // Whoever detaches a replica does that in its Region.
        deny(REPLICA_ENDINGS, others(people)),
      ],
    });
    const size = JSON.stringify(Stack.of(this).resolve(resourcePolicy)).length;
    if (size > LARGEST) {
      throw new Error(
        `SoleWriter's property people: found ${people.length} ARNs, which make a resource policy of ${size} characters, expected at most ${LARGEST}; name roles that several people may assume, or a path, arn:aws:iam::111122223333:role/on-call/*`,
      );
    }
    const policy = new CfnResourcePolicy(this, 'Policy', {
      secretId,
      blockPublicPolicy: true,
      resourcePolicy,
    });
    const names = keyturn.policyFile.policy.tokens.map(({ secret }) => secret);
    refuseOtherPolicies(
      this,
      policy,
      (secret) => name !== undefined && nameOf(secret, names) === name,
    );
  }
}
