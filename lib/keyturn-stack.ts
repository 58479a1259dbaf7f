import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Keyturn, type KeyturnProps } from './keyturn.ts';
import { readPolicyFile } from './policy-file.ts';

/** One policy file, one cluster, one stack, named by the policy's owner. */
export class KeyturnStack extends Stack {
  readonly keyturn: Keyturn;

  constructor(scope: Construct, props: KeyturnProps & StackProps) {
    const { owner } = readPolicyFile(props.policy).policy;
    super(scope, `Keyturn-${owner}`, {
      description: `Keyturn: rotates InfluxDB database tokens (${owner})`,
      ...props,
    });
    this.keyturn = new Keyturn(this, 'Keyturn', props);
    for (const [id, { lambda }] of Object.entries(this.keyturn.functions)) {
      new CfnOutput(this, `${id}Function`, {
        value: lambda.functionName,
        description: 'For aws lambda invoke',
      });
    }
  }
}
