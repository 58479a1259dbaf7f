import {
  InvokeCommand,
  LambdaClient,
  type LambdaClientConfig,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import type { Engine, Job } from './engine.ts';
import { CommandError, FunctionError } from './failure.ts';

/** Lambda ended the process: docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html */
const ENDED_BY_LAMBDA = /Task timed out|signal: killed|Runtime exited|^Runtime\.|^Sandbox\./;

/** The answer of Lambda when the function threw, or did not come to its end. */
function thrown(name: string, answer: unknown): Error {
  const { errorType, errorMessage } = { ...(answer as object) } as Record<string, unknown>;
  const isEnded = [errorType, errorMessage].some((each) => ENDED_BY_LAMBDA.test(String(each)));
  if (!isEnded) return new FunctionError(String(errorType), String(errorMessage));
  return new CommandError(
    `Lambda ended ${name} before its end (${errorMessage}): what it did until then is done, and nothing of it goes on; ` +
      'repeat the command, which goes on where that run stopped',
  );
}

/** Invokes the deployed functions and waits for their answers. */
export function createLambdaEngine(prefix: string, config: LambdaClientConfig = {}): Engine {
  const client = new LambdaClient({
    // An unanswered invocation continues in Lambda; the person decides whether to repeat it.
    maxAttempts: 1,
    // 0 is no timeout: Lambda itself ends a function after 15 minutes at most
    // (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
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
      if (failed !== undefined) throw thrown(FunctionName, answer);
      return answer;
    },
  };
}

/** Other errors, such as those of access and credentials, are clear as they are. */
function unreachable(name: string, error: unknown): unknown {
  if (error instanceof ResourceNotFoundException) {
    return new CommandError(
      `found no function ${name} in this account and Region, expected the one that the stack created; ` +
        'check AWS_PROFILE and AWS_REGION, or set --function-prefix, or use --local',
      { cause: error },
    );
  }
  if (error instanceof TooManyRequestsException) {
    return new CommandError(
      `Lambda did not start ${name}, because too much runs already (${error.message}): nothing was done; repeat the command, or use --local`,
      { cause: error },
    );
  }
  const isNetwork = error instanceof Error && ('code' in error || error.name === 'TimeoutError');
  if (!isNetwork) return error;
  return new CommandError(
    `${name} did not answer (${error.message}); its run may continue in Lambda: ` +
      'repeat the command, which continues where that run stopped, or use --local',
    { cause: error },
  );
}
