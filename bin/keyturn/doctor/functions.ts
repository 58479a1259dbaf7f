import {
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { awsCall, awsClient } from '../../../functions/aws-call.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { counted } from '../../../functions/run/counted.ts';
import { ENTRIES } from '../../../lib/bundle.ts';
import { lookedAt, PATIENCE_MS, unseen } from './look.ts';

/** What Lambda says of a function; the fields of GetFunctionConfiguration that are looked at. */
export interface Configuration {
  readonly State?: string | undefined;
  readonly StateReason?: string | undefined;
  readonly LastUpdateStatus?: string | undefined;
  readonly LastUpdateStatusReason?: string | undefined;
  readonly Role?: string | undefined;
  readonly VpcConfig?:
    | {
        readonly VpcId?: string | undefined;
        readonly SubnetIds?: readonly string[] | undefined;
      }
    | undefined;
}

/** A function that is there. */
export interface DeployedFunction {
  /** File in functions/ without its suffix. */
  readonly entry: (typeof ENTRIES)[number];
  readonly configuration: Configuration;
}

const DEPLOY =
  'deploy the stack (npx cdk deploy), or check AWS_PROFILE, AWS_REGION and --function-prefix';

/** @param configuration undefined: there is no such function */
export function judgeFunction(configuration: Configuration | undefined): Verdict {
  if (!configuration) {
    return { state: 'fail', found: 'no such function in this account and Region', advice: DEPLOY };
  }
  const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = configuration;
  if (LastUpdateStatus === 'Failed') {
    const found = `its last deployment failed: ${LastUpdateStatusReason ?? 'Lambda does not say why'}`;
    return {
      state: 'fail',
      found,
      advice: 'look at the stack in CloudFormation, and deploy again',
    };
  }
  // An idle function in a VPC gets its network back at the next invocation.
  if (State === 'Active' || State === 'Inactive') {
    return LastUpdateStatus === 'InProgress'
      ? { state: 'warn', found: 'it is being deployed', advice: 'look again in a minute' }
      : { state: 'ok', found: `deployed (${State})` };
  }
  if (State === undefined) return { state: 'unknown', found: 'Lambda does not say its state' };
  const why = StateReason === undefined ? '' : `: ${StateReason}`;
  return { state: 'fail', found: `it is ${State}${why}`, advice: DEPLOY };
}

const READ = 'lambda:GetFunctionConfiguration';

/** Looks at all functions; whatever is there is handed on. */
export async function lookAtFunctions(prefix: string): Promise<{
  readonly checks: readonly Check[];
  readonly deployed: readonly DeployedFunction[];
}> {
  const client = awsClient(LambdaClient, { maxAttempts: 3 });
  const found = new Map<string, Configuration>();
  const looks = ENTRIES.map(async (entry): Promise<Check> => {
    const FunctionName = `${prefix}${entry}`;
    try {
      const command = new GetFunctionConfigurationCommand({ FunctionName });
      const configuration = await awsCall(
        `GetFunctionConfiguration of ${FunctionName}`,
        PATIENCE_MS,
        (how) => client.send(command, how),
      );
      found.set(entry, configuration);
      return { check: FunctionName, ...judgeFunction(configuration) };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) {
        return { check: FunctionName, ...judgeFunction(undefined) };
      }
      return unseen(FunctionName, READ, error);
    }
  });
  const checks = await Promise.all(looks);
  const deployed = ENTRIES.flatMap((entry) => {
    const configuration = found.get(entry);
    return configuration ? [{ entry, configuration }] : [];
  });
  return { checks, deployed };
}

/** Fewer would let runs and an order wait for each other. */
const FEW_RUNS = 10;

/** @param limit of the account and Region: runs at once, and those that no function has reserved */
export function judgeConcurrency(limit: {
  readonly ConcurrentExecutions?: number | undefined;
  readonly UnreservedConcurrentExecutions?: number | undefined;
}): Verdict {
  const { ConcurrentExecutions: all, UnreservedConcurrentExecutions: free } = limit;
  if (all === undefined || free === undefined) {
    return { state: 'unknown', found: 'Lambda does not say how many runs the account may have' };
  }
  const found = `${counted(all, 'run')} at once in this account and Region, ${free} of them unreserved`;
  return free < FEW_RUNS
    ? { state: 'warn', found, advice: 'ask AWS for more (Service Quotas, Lambda)' }
    : { state: 'ok', found };
}

const QUOTA = 'Lambda’s room for runs';

export const lookAtQuotas = (): Promise<readonly Check[]> =>
  lookedAt(QUOTA, 'lambda:GetAccountSettings', async () => {
    const client = awsClient(LambdaClient, { maxAttempts: 3 });
    const { AccountLimit = {} } = await awsCall('GetAccountSettings', PATIENCE_MS, (how) =>
      client.send(new GetAccountSettingsCommand({}), how),
    );
    return [{ check: QUOTA, ...judgeConcurrency(AccountLimit) }];
  });
