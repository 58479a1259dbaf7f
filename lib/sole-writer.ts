import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Keyturn } from './keyturn.ts';

export interface SoleWriterProps {
  readonly keyturn: Keyturn;
  /** Name or ARN of a secret that Keyturn writes; it must exist when this is deployed. */
  readonly secretId: string;
  /** ARNs of the roles of people who may roll back, hold and take over; may contain `*` and `?`. */
  readonly people: readonly string[];
}

const WRITES = ['DeleteSecret', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage'];
/** Who sets such a tag can stop Keyturn or take the secret from it. */
const OWN_TAGS = 'keyturn:*';

/**
 * A resource policy: only Keyturn and the named people can write the secret or set Keyturn's tags.
 * It does not limit who reads the secret, nor who removes the policy.
 */
export class SoleWriter extends Construct {
  constructor(scope: Construct, id: string, { keyturn, secretId, people }: SoleWriterProps) {
    super(scope, id);
    const { rotate, reap, revoke, secretsManagerRotation } = keyturn;
    const functions = [rotate, reap, revoke, secretsManagerRotation];
    const writers = functions.map(({ role }) => role.roleArn).concat(people);
    const others = {
      ArnNotLike: { 'aws:PrincipalArn': writers },
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
    };
    const deny = (verbs: readonly string[], conditions: object) =>
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: verbs.map((verb) => `secretsmanager:${verb}`),
        resources: ['*'],
        conditions: { ...others, ...conditions },
      });
    new CfnResourcePolicy(this, 'Policy', {
      secretId,
      blockPublicPolicy: true,
      resourcePolicy: new PolicyDocument({
        statements: [
          deny(WRITES, {}),
          deny(['TagResource', 'UntagResource'], {
            'ForAnyValue:StringLike': { 'aws:TagKeys': OWN_TAGS },
          }),
        ],
      }),
    });
  }
}
