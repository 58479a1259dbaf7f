import { Readable } from 'node:stream';
import { redact } from './credentials.ts';
import { type RetryOptions, retry, type Timing } from './retry.ts';
import { TooLateError, within } from './within.ts';

/** The SDK does not retry: its own retries would not know when the run ends. */
const NO_RETRIES = {
  maxAttempts: 1,
  // A network that swallows packets is known sooner than a service that is slow.
  requestHandler: { connectionTimeout: 5_000 },
} as const;

/** Secrets Manager's largest answer is a value of 64 KB, or a page of 100 descriptions; Lambda passes on 6 MB. */
const MAX_BYTES = 8 * 1024 * 1024;
/** What is read of an error: its message, or the beginning of a proxy's page. */
const MAX_ERROR_BYTES = 64 * 1024;
/** What every part of a body takes beside its bytes: a server may send them one by one. */
const PART_BYTES = 256;
/** What is shown of a message. The reason of AccessDenied stands behind two ARNs, which may take half of it. */
const LONGEST_MESSAGE = 1_000;
const CUT_WORD = /(?<![^\s"',;])[^\s"',;]+$/;

interface Streaming {
  readonly response: { readonly statusCode: number; body?: unknown };
}

/** There is more of it than fits the memory. */
export class TooLongAnswerError extends Error {
  override readonly name = 'TooLongAnswerError';

  constructor() {
    super(`the answer is longer than ${MAX_BYTES / 1024 / 1024} MB`);
  }
}

/** Reads no more of an answer than fits the memory: the SDK reads it to its end, whatever its length. */
async function collected(body: Readable, isError: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  let room = isError ? MAX_ERROR_BYTES : MAX_BYTES;
  for await (const part of body) {
    const taken = part.length + PART_BYTES;
    if (taken > room && !isError) throw new TooLongAnswerError();
    parts.push(part.subarray(0, Math.max(0, room)));
    room -= taken;
    if (room <= 0) break;
  }
  return Buffer.concat(parts);
}

/** The SDK takes bytes for a body, too, and has no streams to go through then. */
async function inBounds<T extends Streaming>(answer: Promise<T>): Promise<T> {
  const result = await answer;
  const { body, statusCode } = result.response;
  if (body instanceof Readable) {
    result.response.body = await collected(body, statusCode >= 300);
  }
  return result;
}

interface Client {
  readonly middlewareStack: { remove(name: string): boolean };
  readonly config: {
    readonly requestHandler: {
      handle(...given: readonly never[]): Promise<Streaming>;
    };
  };
}

/** Makes a client of AWS, as all are: without retries of its own but where `config` says, and reading bounded answers. */
export function awsClient<C extends Client, O extends object>(
  Made: new (config: O & typeof NO_RETRIES) => C,
  config: O,
): C {
  const client = new Made({ ...NO_RETRIES, ...config });
  // It copies each answer, member by member, for a log that nobody asked for.
  client.middlewareStack.remove('loggerMiddleware');
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (...given) => inBounds(handle(...given));
  return client;
}

/** Something answered in AWS's place: a proxy, or a service that is broken. */
export class ForeignAnswerError extends Error {
  override readonly name = 'ForeignAnswerError';
  readonly $metadata: { readonly httpStatusCode: number | undefined };

  constructor(place: string, httpStatusCode: number | undefined, why: string) {
    super(`${place} answered ${httpStatusCode ?? 'something'}, but ${why}`);
    this.$metadata = { httpStatusCode };
  }
}

/** What AWS, or somebody in its place, says of an error: a report has many of them, and Lambda passes on 6 MB. */
export function shortened(text: string): string {
  const said = redact(text); // first: nobody would know what is left of a string that was cut
  if (said.length <= LONGEST_MESSAGE) return said;
  // Nor of a password that has no form of its own: the word that is cut goes whole.
  return `${said.slice(0, LONGEST_MESSAGE).replace(CUT_WORD, '')}…`;
}

/** What errors said before a call was named in them. */
const own = new WeakMap<Error, string>();

/** What the SDK says neither names the call, nor what it was about. It stays the same object, or one of its class: callers know it by that. */
function told(error: unknown, place: string): unknown {
  if (!(error instanceof Error)) return error;
  const status = Object(error).$response?.statusCode;
  // Not the error itself: a parser's error contains the beginning of what it could not parse.
  if (error instanceof SyntaxError) return new ForeignAnswerError(place, status, 'it is not JSON');
  // Where several addresses refuse, Node.js has a code and no words.
  const said = own.get(error) ?? (error.message || `${Object(error).code ?? error.name}`);
  const message = `${place}: ${shortened(said)}`;
  // The SDK gives one error to all calls that waited for the same thing, such as a Region.
  if (own.has(error)) return Object.create(error, { message: { value: message } });
  own.set(error, said);
  error.message = message;
  return error;
}

/**
 * One call of AWS that takes at most so many milliseconds, with the credentials that the SDK fetches for it and the
 * last byte of its answer: the SDK's own timeouts end with the answer's head.
 *
 * @param place operation and what it is about, for errors
 */
export async function awsCall<T>(
  place: string,
  longestMs: number,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  if (longestMs <= 0) throw new TooLateError(place);
  try {
    return await within(longestMs, (abortSignal) => send({ abortSignal }));
  } catch (error) {
    throw told(error, place);
  }
}

/** The status of an answer that was an error; undefined if there was none. */
export const statusOf = (error: unknown): number | undefined =>
  Object(error).$metadata?.httpStatusCode;

/** AWS said it, not the network. */
const isSaid = (error: unknown): error is Error =>
  error instanceof ForeignAnswerError || (error instanceof Error && '$fault' in error);

/** The call had no effect. */
export const isThrottled = (error: unknown): boolean =>
  isSaid(error) && /Throttl|TooManyRequests|RequestLimit|SlowDown/.test(error.name);

/** Throttled, broken or unreachable: the same call may succeed a moment later. */
function isTransient(error: unknown): boolean {
  if (isThrottled(error) || (statusOf(error) ?? 0) >= 500) return true;
  // A network error, not a programming error or missing credentials.
  return (
    !isSaid(error) && error instanceof Error && ('code' in error || error.name === 'TimeoutError')
  );
}

export interface AwsCallOptions extends Timing {
  /** How long one request may take, its answer included; 10 seconds where absent. */
  readonly timeoutMs?: number;
  /** How often a call that may be repeated is made at most; five times where absent, and twice if nobody answers. */
  readonly attempts?: number;
  /** The instant by which the present run must end: no request begins after it, or lasts longer. */
  readonly deadline: () => number;
}

/** A value of 64 KB takes less than a second. */
const TIMEOUT_MS = 10_000;
/** Nothing is answered in less. */
const LEAST_MS = 100;
/** What answers nothing twice would take the time of all that an order still has to do. */
const MOST_SILENCES = 2;

/** As `retryable`, until nobody has answered for so many times. */
function untilSilent(retryable: (error: unknown) => boolean): (error: unknown) => boolean {
  let silences = 0;
  return (error) => {
    if (error instanceof Error && error.name === 'TimeoutError') silences += 1;
    return silences < MOST_SILENCES && retryable(error);
  };
}

/** The calls that a run makes of AWS, until it must end. */
export const awsCalls = (options: AwsCallOptions) => ({
  /** One request; what it is about is part of what is said of its failure. */
  ask: <T>(place: string, send: Parameters<typeof awsCall<T>>[2]): Promise<T> =>
    awsCall(
      place,
      Math.min(options.timeoutMs ?? TIMEOUT_MS, options.deadline() - options.now()),
      send,
    ),
  again: <T>(attempt: () => Promise<T>, retryable = isTransient): Promise<T> =>
    retry(attempt, {
      ...options,
      retryable: untilSilent(retryable),
      attempts: options.attempts ?? 5,
      baseMs: 200,
      maxMs: 5_000,
      // What is asked later gets no answer, and its error would say nothing but that.
      deadline: options.deadline() - LEAST_MS,
    } satisfies RetryOptions),
});
