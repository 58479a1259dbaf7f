import {
  AssetHashType,
  DockerImage,
  Duration,
  RemovalPolicy,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
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
import { ENVIRONMENT, functionName } from '../functions/environment.ts';
import { secretPrefix } from '../functions/policy/policy.ts';
import { bundle, FUNCTIONS } from './bundle.ts';
import { allow, type Grant, JOIN_VPC } from './grants.ts';
import type { Network } from './network.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import { layOut, type RolePolicies, RoleTooLargeError, UNDIVIDED } from './role-policies.ts';

/** What all functions have alike. */
export interface FunctionSettings {
  readonly network?: Network | undefined;
  readonly logRetention: RetentionDays;
  /** Absent: CloudWatch's own. */
  readonly logKey?: IKey | undefined;
  /** In MB. */
  readonly memorySize: number;
  readonly reservedConcurrentExecutions?: number | undefined;
}

export interface KeyturnFunctionProps extends FunctionSettings {
  /** File in functions/ without its suffix. */
  readonly entry: string;
  readonly description: string;
  readonly policyFile: PolicyFile;
  readonly environment: Readonly<Record<string, string>>;
  readonly grants: readonly Grant[];
  /** How often Lambda itself repeats an asynchronous invocation that failed. */
  readonly retryAttempts: number;
}

/** As Lambda itself would name it. */
export const logGroupName = (name: string) => `/aws/lambda/${name}`;

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
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: KeyturnFunctionProps) {
    super(scope, id);
    for (const [key, value] of Object.entries(UNDIVIDED)) this.node.setContext(key, value);
    const name = functionName(props.policyFile.policy.owner, props.entry);
    const { network, logKey } = props;
    // Not "Logs", as the groups of version 0.1.0: a deployment can take over a group that is there only as a new resource.
    this.logGroup = new LogGroup(this, 'LogGroup', {
      logGroupName: logGroupName(name),
      retention: props.logRetention,
      ...(logKey && { encryptionKey: logKey }),
      // Stays when the stack goes, but not when its first deployment fails: the next one would meet it.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.#allow(
      [
        ...props.grants,
        allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [this.logGroup.logGroupArn]),
        ...(network ? [JOIN_VPC] : []),
      ],
      props,
    );

    this.lambda = new LambdaFunction(this, 'Function', {
      functionName: name,
      description: props.description,
      code: code(props.entry, props.policyFile),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize,
      // The maximum: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      timeout: Duration.minutes(15),
      role: this.role.withoutPolicyUpdates(),
      environment: props.environment,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.INFO,
      retryAttempts: props.retryAttempts,
      maxEventAge: Duration.hours(1),
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
      ...(network && {
        vpc: network.vpc,
        ...(network.vpcSubnets && { vpcSubnets: network.vpcSubnets }),
        securityGroups: [...network.securityGroups],
      }),
    });
    this.lambda.node.addDependency(this.role);
  }

  /** @throws PolicyFileError if the secrets that the policy names do not fit into the role's policies */
  #allow(grants: readonly Grant[], props: KeyturnFunctionProps): void {
    const { inline, managed } = this.#layOut(grants, props);
    for (const statement of inline) this.role.addToPolicy(statement);
    for (const [index, statements] of managed.entries()) {
      new ManagedPolicy(this.role, `Secrets${index + 1}`, {
        roles: [this.role],
        statements: [...statements],
      });
    }
    for (const { wildcard } of grants) {
      if (!wildcard) continue;
      Validations.of(this.role).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${asText(this, wildcard.resource)}]`,
        reason: wildcard.reason,
      });
    }
  }

  #layOut(
    grants: readonly Grant[],
    { entry, policyFile: { file, policy }, environment }: KeyturnFunctionProps,
  ): RolePolicies {
    try {
      return layOut(grants, this);
    } catch (cause) {
      if (!(cause instanceof RoleTooLargeError)) throw cause;
      const prefix = secretPrefix(policy.owner);
      const named = policy.tokens.filter(({ secret }) => !secret.startsWith(prefix));
      const bytes = named.reduce((sum, { secret }) => sum + Buffer.byteLength(secret), 0);
      throw new PolicyFileError(
        `${file}: tokens: found ${named.length} with a "secret" outside ${prefix}, whose names have ${bytes.toLocaleString('en')} bytes together: the role of ${entry} would need ${cause.message}; ` +
          `leave "secret" out of some tokens (their secrets are then under ${prefix}, which needs no more room), choose shorter names,${ENVIRONMENT.secretTags in environment ? ' have fewer or shorter tags (their keys stand in every such policy of rotate),' : ''} or divide the file into ${cause.roles} with an owner each, and about as many bytes of such names`,
        { cause },
      );
    }
  }
}
