import { pipeline, Readable, Transform } from 'node:stream';
import { TooLateError, within } from './within.ts';

/** How every client of AWS is made. The SDK does not retry: its own retries would not know when the run ends. */
export const NO_RETRIES = {
  maxAttempts: 1,
  // A network that swallows packets is known sooner than a service that is slow.
  requestHandler: { connectionTimeout: 5_000 },
} as const;

/** Secrets Manager's largest answer is a value of 64 KB, or a page of 100 descriptions. */
const MAX_BYTES = 8 * 1024 * 1024;

interface Streaming {
  readonly response: { body?: unknown };
}

/** Reads no more of an answer than fits the memory: the SDK reads it to its end, whatever its length. */
async function bounded<T extends Streaming>(answer: Promise<T>): Promise<T> {
  const result = await answer;
  const { body } = result.response;
  if (!(body instanceof Readable)) return result;
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const isTooLong = bytes > MAX_BYTES;
      done(
        isTooLong ? new Error(`the answer is longer than ${MAX_BYTES / 1024 / 1024} MB`) : null,
        chunk,
      );
    },
  });
  result.response.body = pipeline(body, counted, () => {});
  return result;
}

interface Client {
  readonly config: {
    readonly requestHandler: {
      handle(...given: readonly never[]): Promise<Streaming>;
    };
  };
}

/** Makes a client read bounded answers. */
export function withBounds<C extends Client>(client: C): C {
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (...given) => bounded(handle(...given));
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

/** What the SDK says neither names the call, nor what it was about. It stays the same object: callers know it by its class. */
function told(error: unknown, place: string): unknown {
  if (!(error instanceof Error)) return error;
  const status = Object(error).$response?.statusCode;
  // Not the error itself: a parser's error contains the beginning of what it could not parse.
  if (error instanceof SyntaxError) return new ForeignAnswerError(place, status, 'it is not JSON');
  error.message = `${place}: ${error.message}`;
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
