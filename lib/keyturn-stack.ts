import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { formatDuration } from '../functions/policy/duration.ts';
import type { Policy } from '../functions/policy/policy.ts';
import { Keyturn, type KeyturnProps } from './keyturn.ts';
import { readPolicyFile } from './policy-file.ts';

/** What an operator must know before destroying the stack. */
function expirySentence({ tokens }: Policy): string {
  const neverExpiring = tokens.filter(({ expiresAfter }) => expiresAfter === undefined).length;
  const longest = Math.max(0, ...tokens.map(({ expiresAfter = 0 }) => expiresAfter));
  return [
    'Secrets stay when this stack is destroyed, and nothing rotates their tokens any more',
    ...(longest > 0
      ? [`these expire within ${formatDuration(longest)} of their last rotation`]
      : []),
    ...(neverExpiring > 0 ? [`${neverExpiring} of ${tokens.length} never expire`] : []),
  ].join('; ');
}

/** The stack of one policy file, which describes one cluster. The policy's owner names it. */
export class KeyturnStack extends Stack {
  readonly keyturn: Keyturn;

  constructor(scope: Construct, props: KeyturnProps & StackProps) {
    const { policy } = readPolicyFile(props.policy);
    const { owner } = policy;
    super(scope, `Keyturn-${owner}`, {
      description: `Keyturn: rotates InfluxDB database tokens (${owner})`,
      ...props,
    });
    this.keyturn = new Keyturn(this, 'Keyturn', props);
    new CfnOutput(this, 'AfterDestroy', { value: expirySentence(policy) });
    for (const [id, { lambda }] of Object.entries(this.keyturn.functions)) {
      new CfnOutput(this, `${id}Function`, {
        value: lambda.functionName,
        description: 'For aws lambda invoke',
      });
    }
  }
}
