import { AssetHashType, DockerImage, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { functionName } from '../functions/environment.ts';
import { bundle, FUNCTIONS } from './bundle.ts';
import { allow, type Grant, JOIN_VPC } from './grants.ts';
import type { PolicyFile } from './policy-file.ts';

export interface NetworkProps {
  /** The VPC in which the functions run; absent: none. */
  readonly vpc?: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: readonly ISecurityGroup[];
}

export interface KeyturnFunctionProps extends NetworkProps {
  /** File in functions/ without its suffix. */
  readonly entry: string;
  readonly description: string;
  readonly policyFile: PolicyFile;
  readonly environment: Readonly<Record<string, string>>;
  readonly grants: readonly Grant[];
  readonly logRetention: RetentionDays;
  /** How often Lambda itself repeats an asynchronous invocation that failed. */
  readonly retryAttempts: number;
  readonly reservedConcurrentExecutions?: number;
}

/** CDK calls the bundler when it stages the asset, into a folder named by the hash of its contents. */
function code(entry: string, policyFile: PolicyFile): Code {
  const { document, ca } = policyFile;
  return Code.fromAsset(FUNCTIONS, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('not-used'),
      // CDK bundles only once for equal options: these make the options of each function different.
      environment: { entry, policyFile: JSON.stringify([document, ca]) },
      local: {
        tryBundle(folder) {
          bundle(entry, policyFile, folder);
          return true;
        },
      },
    },
  });
}

/** The form in which cdk-nag names an ARN of unknown account and Region: `arn:<AWS::Partition>:...`. */
function asText(scope: Construct, arn: string): string {
  const resolved: unknown = Stack.of(scope).resolve(arn);
  const parts = (resolved as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join']?.[1] ?? [resolved];
  return parts
    .map((part) => (typeof part === 'string' ? part : `<${(part as { Ref: string }).Ref}>`))
    .join('');
}

/**
 * One Lambda function with a role and a log group of its own. It has no destination for failed invocations: Lambda sends the
 * whole event there, and one that is refused because it holds a token string would lie in the clear. Its alarms tell instead.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export class KeyturnFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: KeyturnFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', { retention: props.logRetention });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const grant of props.grants) this.#allow(grant);
    this.#allow(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]));
    if (props.vpc) this.#allow(JOIN_VPC);

    this.lambda = new LambdaFunction(this, 'Function', {
      functionName: functionName(props.policyFile.policy.owner, props.entry),
      description: props.description,
      code: code(props.entry, props.policyFile),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      // The maximum: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      timeout: Duration.minutes(15),
      role: this.role.withoutPolicyUpdates(),
      environment: { NODE_OPTIONS: '--enable-source-maps', ...props.environment },
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.INFO,
      retryAttempts: props.retryAttempts,
      maxEventAge: Duration.hours(1),
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
      ...(props.vpc && { vpc: props.vpc }),
      ...(props.vpcSubnets && { vpcSubnets: props.vpcSubnets }),
      ...(props.securityGroups && { securityGroups: [...props.securityGroups] }),
    });
    this.lambda.node.addDependency(this.role);
  }

  #allow({ statement, wildcard }: Grant): void {
    this.role.addToPolicy(statement);
    if (!wildcard) return;
    Validations.of(this.role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${asText(this, wildcard.resource)}]`,
      reason: wildcard.reason,
    });
  }
}
