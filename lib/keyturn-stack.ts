import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { formatDuration } from '../functions/policy/duration.ts';
import type { Policy } from '../functions/policy/policy.ts';
import { Keyturn } from './keyturn.ts';
import { readPolicyFile } from './policy-file.ts';
import { type KeyturnProps, refuseMistaken, refuseWithoutPolicy } from './properties.ts';

/** What an operator must know before destroying the stack. */
function expirySentence({ tokens }: Policy): string {
  const neverExpiring = tokens.filter(({ expiresAfter }) => expiresAfter === undefined).length;
  const longest = Math.max(0, ...tokens.map(({ expiresAfter = 0 }) => expiresAfter));
  return [
    'Secrets stay when this stack is destroyed, and nothing rotates their tokens any more',
    ...(longest > 0
      ? [`these expire within ${formatDuration(longest)} of their last rotation`]
      : []),
    ...(neverExpiring > 0
      ? [
          `${neverExpiring} of ${tokens.length} never expire, if they were rotated since the policy says so`,
        ]
      : []),
  ].join('; ');
}

/** What `bin/app.ts` calls the stack of a policy, and what is a good id of it in any app. */
export const stackId = ({ owner }: Policy): string => `Keyturn-${owner}`;

/** The stack of one policy file, which describes one cluster. */
export class KeyturnStack extends Stack {
  readonly keyturn: Keyturn;

  /** `env` must be known if the policy names its VPC by tags; `terminationProtection` goes before the policy's. */
  constructor(scope: Construct, id: string, props: KeyturnProps & StackProps) {
    refuseWithoutPolicy(props);
    const policyFile = readPolicyFile(props.policy);
    const { policy, deployment } = policyFile;
    // CDK would read some of them first.
    refuseMistaken(scope, props, policyFile);
    super(scope, id, {
      ...props,
      // An app may pass on options that it does not have.
      description:
        props.description ?? `Keyturn: rotates InfluxDB database tokens (${policy.owner})`,
      terminationProtection: props.terminationProtection ?? deployment.terminationProtection,
    });
    this.keyturn = new Keyturn(this, 'Keyturn', props);
    new CfnOutput(this, 'AfterDestroy', { value: expirySentence(policy) });
    const { network, recipients, functions } = this.keyturn;
    if (recipients.made) {
      new CfnOutput(this, 'AlarmTopic', {
        value: recipients.made.topicArn,
        description: 'Each address must confirm its subscription; others may subscribe as well',
      });
    }
    if (network?.made) {
      new CfnOutput(this, 'SecurityGroup', {
        value: network.made.securityGroupId,
        description: 'Let it in where the cluster listens',
      });
    }
    for (const [id, { lambda, logGroup }] of Object.entries(functions)) {
      new CfnOutput(this, `${id}Function`, {
        value: lambda.functionName,
        description: 'For aws lambda invoke',
      });
      new CfnOutput(this, `${id}LogGroup`, {
        value: logGroup.logGroupName,
        description: 'For aws logs tail',
      });
    }
  }
}
