import { Stack, Token } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import * as z from 'zod/mini';
import { refuseMistakes } from './arguments.ts';
import type { Keyturn } from './keyturn.ts';

export interface SoleWriterProps {
  readonly keyturn: Keyturn;
  /** Name or ARN of a secret that Keyturn writes; it must exist when this is deployed. */
  readonly secretId: string;
  /**
   * ARNs of the IAM roles (or users) of people who may roll back, hold and take over, and alone may promote a replica: at least one; the
   * name may contain `*` and `?`.
   * @example ['arn:aws:iam::111122223333:role/on-call']
   */
  readonly people: readonly string[];
}

const WRITES = ['DeleteSecret', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage'];
/** They end or detach replicas, which Keyturn never does. */
const REPLICA_ENDINGS = ['RemoveRegionsFromReplication', 'StopReplicationToReplica'];
/** Who sets such a tag can stop Keyturn or take the secret from it. */
const OWN_TAGS = 'keyturn:*';

/** `aws:PrincipalArn` is the ARN of a role, also for a session of it. */
const PERSON = /^arn:[\w-]+:iam::\d{12}:(?:role|user)\/(?=.*[^*?/])[\w+=,.@/*?-]+$/;
const person = z
  .string()
  .check(
    z.refine(
      (text) => Token.isUnresolved(text) || PERSON.test(text),
      'the ARN of an IAM role or user, arn:aws:iam::111122223333:role/on-call, and not of all of them',
    ),
  );

/** With nobody in it, no person could promote a replica when its Region is lost, nor roll back or hold the secret. */
const SOMEBODY =
  'at least one ARN of an IAM role or user, or nobody could promote a replica or roll back; name a role for emergencies, arn:aws:iam::111122223333:role/on-call';

const propertiesSchema = z.object({
  keyturn: z.custom((found) => typeof Object(found).policyFile === 'object', 'a construct Keyturn'),
  secretId: z.string('the name or the ARN of a secret').check(z.minLength(1)),
  people: z.array(person).check(z.minLength(1, SOMEBODY)),
});

/**
 * A resource policy: only Keyturn and the named people can write the secret or set Keyturn's tags, and only those people can end replicas.
 * It does not limit who reads the secret, nor who removes the policy. Secrets Manager copies it to replicas: what is said about writes binds
 * in the stack's Region alone, so that a promoted replica can be written by the functions of its own Region.
 */
export class SoleWriter extends Construct {
  /** @throws Error if a property is not known, or `people` is empty or has what is no ARN of a role or a user */
  constructor(scope: Construct, id: string, props: SoleWriterProps) {
    super(scope, id);
    refuseMistakes("SoleWriter's property", propertiesSchema, props);
    const { keyturn, secretId, people } = props;
    const { rotate, reap, revoke, secretsManagerRotation } = keyturn;
    const functions = [rotate, reap, revoke, secretsManagerRotation];
    const writers = functions.map(({ role }) => role.roleArn).concat(people);
    const { region } = Stack.of(this);
    const others = (allowed: readonly string[]) => ({
      ArnNotLike: { 'aws:PrincipalArn': allowed },
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    });
    const here = { ...others(writers), StringEquals: { 'aws:RequestedRegion': region } };
    const deny = (verbs: readonly string[], conditions: object) =>
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: verbs.map((verb) => `secretsmanager:${verb}`),
        resources: ['*'],
        conditions,
      });
    new CfnResourcePolicy(this, 'Policy', {
      secretId,
      blockPublicPolicy: true,
      resourcePolicy: new PolicyDocument({
        statements: [
          deny(WRITES, here),
          deny(['TagResource', 'UntagResource'], {
            ...here,
            'ForAnyValue:StringLike': { 'aws:TagKeys': OWN_TAGS },
          }),
          // Whoever detaches a replica does that in its Region.
          deny(REPLICA_ENDINGS, others(people)),
        ],
      }),
    });
  }
}
