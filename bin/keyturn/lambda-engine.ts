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
const TOO_LARGE = 'Function.ResponseSizeTooLarge';

const REPEAT = 'repeat the same command, which goes on where a run stopped, or use --local';

/** The answer of Lambda when the function threw, or did not come to its end. */
function thrown(name: string, answer: unknown): Error {
  const { errorType, errorMessage } = { ...(answer as object) } as Record<string, unknown>;
  if (errorType === TOO_LARGE) {
    return new CommandError(
      `${name} came to its end, and its answer was larger than Lambda passes on (${errorMessage}): what it did is done, and in its log; ` +
        'repeat the same command for fewer tokens at once, or use --local',
    );
  }
  const isEnded = [errorType, errorMessage].some((each) => ENDED_BY_LAMBDA.test(String(each)));
  if (!isEnded) return new FunctionError(String(errorType), String(errorMessage));
  return new CommandError(
    `Lambda ended ${name} before its end (${errorMessage}): what it did until then is done, and nothing of it goes on; ` +
      'repeat the command, which goes on where that run stopped',
  );
}

/** Somebody between here and Lambda answered: a proxy, a login page. */
const notLambda = (name: string, what: string, cause?: unknown) =>
  new CommandError(
    `found ${what}, expected the JSON answer of ${name}: a proxy or a firewall on the way may have given it. ` +
      `Whether the run began is not known; it may go on in Lambda for 15 minutes: ${REPEAT}`,
    { cause },
  );

function parseAnswer(name: string, text: string): unknown {
  if (text === '') throw notLambda(name, 'an empty answer');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notLambda(name, 'an answer that is not JSON', cause);
  }
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
      const answer = parseAnswer(FunctionName, Payload?.transformToString() ?? '');
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
  if (!(error instanceof Error)) return error;
  const { httpStatusCode: status = 0 } = statusOf(error);
  // The SDK could not read the body of an error.
  if (error instanceof SyntaxError) {
    const said = status > 0 ? ` (HTTP ${status})` : '';
    return notLambda(name, `an answer that is not JSON${said}`, error);
  }
  if (status >= 500) {
    return new CommandError(
      `Lambda failed to answer for ${name} (${error.name}: ${error.message}); its run probably did not start, but it may go on: ${REPEAT}`,
      { cause: error },
    );
  }
  const isNetwork = 'code' in error || error.name === 'TimeoutError';
  if (!isNetwork) return error;
  return new CommandError(
    `${name} did not answer (${error.message}); its run may continue in Lambda: ${REPEAT}`,
    { cause: error },
  );
}

/** What the SDK knows of an error's HTTP answer. */
const statusOf = (error: Error): { readonly httpStatusCode?: number } => {
  const { $metadata, $response } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly statusCode?: number };
  };
  const httpStatusCode = $metadata?.httpStatusCode ?? $response?.statusCode;
  return httpStatusCode === undefined ? {} : { httpStatusCode };
};
