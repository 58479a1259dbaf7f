import {
  InvokeCommand,
  LambdaClient,
  type LambdaClientConfig,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { awsClient, TooLongAnswerError } from '../../functions/aws-call.ts';
import { formatDuration } from '../../functions/policy/duration.ts';
import { MINUTE_MS } from '../../functions/time.ts';
import { TimeoutError, within } from '../../functions/within.ts';
import { type Engine, isLook, type Job } from './engine.ts';
import { CommandError, FunctionError, NotStartedError } from './failure.ts';

/** Lambda ended the process: docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html */
const ENDED_BY_LAMBDA = /Task timed out|signal: killed|Runtime exited|^Runtime\.|^Sandbox\./;
const TOO_LARGE = 'Function.ResponseSizeTooLarge';

const REPEAT = 'repeat the same command, which goes on where a run stopped, or use --local';
const ONLY_LOOKED = 'it was only asked, so nothing was done: repeat the command, or use --local';

/** An invocation; what became of it depends on whether it asked or ordered. */
interface Invoked {
  readonly name: string;
  readonly isLook: boolean;
}

/** The answer of Lambda when the function threw, or did not come to its end. */
function thrown({ name, isLook }: Invoked, answer: unknown): Error {
  const { errorType, errorMessage } = { ...(answer as object) } as Record<string, unknown>;
  if (errorType === TOO_LARGE) {
    const became = isLook ? 'nothing was done' : 'what it did is done, and in its log';
    return new CommandError(
      `${name} came to its end, and its answer was larger than Lambda passes on (${errorMessage}): ${became}; ` +
        'repeat the same command for fewer tokens at once, or use --local',
    );
  }
  const isEnded = [errorType, errorMessage].some((each) => ENDED_BY_LAMBDA.test(String(each)));
  const why = [errorMessage, errorType].find((each) => typeof each === 'string' && each !== '');
  if (isEnded) {
    const became = isLook
      ? ONLY_LOOKED
      : 'what it did until then is done, and nothing of it goes on; repeat the command, which goes on where that run stopped';
    return new CommandError(`Lambda ended ${name} before its end (${why}): ${became}`);
  }
  if (typeof errorMessage === 'string' && errorMessage !== '') {
    return new FunctionError(typeof errorType === 'string' ? errorType : '', errorMessage);
  }
  const became = isLook ? ONLY_LOOKED : `what it did is in its log: ${REPEAT}`;
  return new CommandError(`${name} failed and did not say why (${why ?? 'no error'}); ${became}`);
}

/** Somebody between here and Lambda answered: a proxy, a login page. */
function notLambda({ name, isLook }: Invoked, what: string, cause?: unknown): CommandError {
  const became = isLook
    ? ONLY_LOOKED
    : `Whether the run began is not known; it may go on in Lambda for 15 minutes: ${REPEAT}`;
  return new CommandError(
    `found ${what}, expected the JSON answer of ${name}: a proxy or a firewall on the way may have given it. ${became}`,
    { cause },
  );
}

function parseAnswer(invoked: Invoked, text: string): unknown {
  if (text === '') throw notLambda(invoked, 'an empty answer');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notLambda(invoked, 'an answer that is not JSON', cause);
  }
}

/** A look takes seconds, of a thousand tokens minutes; Lambda itself ends a function after 15 minutes at most. */
const LONGEST_MS = { look: 5 * MINUTE_MS, order: 16 * MINUTE_MS };

/** Invokes the deployed functions and waits for their answers. */
export function createLambdaEngine(
  prefix: string,
  config: LambdaClientConfig = {},
  longestMs = LONGEST_MS,
): Engine {
  // It does not retry: an unanswered invocation continues in Lambda, and the person decides whether to repeat it.
  const client = awsClient(LambdaClient, {
    // 0 is no timeout: each invocation has its own
    // (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
    requestHandler: { requestTimeout: 0, connectionTimeout: 10_000 },
    ...config,
  });
  const placeOf = (job: Job) => `${prefix}${job}`;

  return {
    placeOf,
    async call(job, event) {
      const FunctionName = placeOf(job);
      const invoked = { name: FunctionName, isLook: isLook(event) };
      const ms = longestMs[invoked.isLook ? 'look' : 'order'];
      const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) });
      // Credentials that a program of the operator's machine fetches are part of the wait.
      const sent = within(ms, (abortSignal) => client.send(command, { abortSignal }));
      const { Payload, FunctionError: failed } = await sent.catch((error) => {
        throw error instanceof TimeoutError ? silent(invoked, ms) : unreachable(invoked, error);
      });
      const answer = parseAnswer(invoked, Payload?.transformToString() ?? '');
      if (failed !== undefined) throw thrown(invoked, answer);
      return answer;
    },
  };
}

function silent({ name, isLook: isOnlyLook }: Invoked, ms: number): CommandError {
  const became = isOnlyLook
    ? ONLY_LOOKED
    : `longer than Lambda lets it run; what it did is in its log, and an answer was lost: ${REPEAT}`;
  return new CommandError(`${name} did not answer within ${formatDuration(ms)}; ${became}`);
}

/** Other errors, such as those of access and credentials, are clear as they are. */
function unreachable(invoked: Invoked, error: unknown): unknown {
  const { name, isLook: isOnlyLook } = invoked;
  if (error instanceof ResourceNotFoundException) {
    return new CommandError(
      `found no function ${name} in this account and Region, expected the one that the stack created; ` +
        'deploy the stack, check AWS_PROFILE and AWS_REGION, set --function-prefix, or use --local',
      { cause: error },
    );
  }
  if (error instanceof TooManyRequestsException) {
    return new NotStartedError(
      `Lambda did not start ${name}, because too much runs already (${error.message}): nothing was done; repeat the command, or use --local`,
      { cause: error },
    );
  }
  if (!(error instanceof Error)) return error;
  const { httpStatusCode: status = 0 } = statusOf(error);
  // The SDK could not read the body of an error.
  if (error instanceof SyntaxError) {
    const said = status > 0 ? ` (HTTP ${status})` : '';
    return notLambda(invoked, `an answer that is not JSON${said}`, error);
  }
  if (status >= 500) {
    const became = isOnlyLook
      ? ONLY_LOOKED
      : `its run probably did not start, but it may go on: ${REPEAT}`;
    return new CommandError(
      `Lambda failed to answer for ${name} (${error.name}: ${error.message}); ${became}`,
      { cause: error },
    );
  }
  const isNetwork = 'code' in error || error.name === 'TimeoutError';
  if (!isNetwork && !(error instanceof TooLongAnswerError)) return error;
  const became = isOnlyLook ? ONLY_LOOKED : `its run may continue in Lambda: ${REPEAT}`;
  return new CommandError(`${name} did not answer (${error.message}); ${became}`, { cause: error });
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
