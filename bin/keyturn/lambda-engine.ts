import {
  InvokeCommand,
  LambdaClient,
  type LambdaClientConfig,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import type { Engine, Job } from './engine.ts';
import { CommandError, FunctionError } from './failure.ts';

/** What Lambda answers in place of a result where the function threw. */
function thrown(answer: unknown): FunctionError {
  const { errorType, errorMessage } = { ...(answer as object) } as Record<string, unknown>;
  return new FunctionError(String(errorType), String(errorMessage));
}

/** Invokes the deployed functions and waits for their answers, up to fifteen minutes. */
export function createLambdaEngine(prefix: string, config: LambdaClientConfig = {}): Engine {
  const client = new LambdaClient({
    // An unanswered invocation goes on in Lambda; the person decides whether to ask again.
    maxAttempts: 1,
    requestHandler: { requestTimeout: 0, connectionTimeout: 10_000 },
    ...config,
  });
  const placeOf = (job: Job) => `${prefix}${job}`;

  return {
    placeOf,
    async call(job, event) {
      const FunctionName = placeOf(job);
      const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) });
      const { Payload, FunctionError: failed } = await client.send(command).catch((error) => {
        throw unreachable(FunctionName, error);
      });
      const answer: unknown = JSON.parse(Payload?.transformToString() || 'null');
      if (failed !== undefined) throw thrown(answer);
      return answer;
    },
  };
}

/** Errors of access and credentials explain themselves. */
function unreachable(name: string, error: unknown): unknown {
  if (error instanceof ResourceNotFoundException) {
    return new CommandError(
      `found no function ${name} in this account and Region, expected the one that the stack made; ` +
        'check AWS_PROFILE and AWS_REGION, or name it by --function-prefix, or use --local',
      { cause: error },
    );
  }
  const isNetwork = error instanceof Error && ('code' in error || error.name === 'TimeoutError');
  if (!isNetwork) return error;
  return new CommandError(
    `${name} did not answer (${error.message}); what it had begun goes on: ` +
      'repeat the command, which continues, or use --local',
    { cause: error },
  );
}
