import { retry, type Timing } from '../retry.ts';
import type { TokenValue } from '../token-value.ts';
import { readDatabases } from './database-schemas.ts';
import type { Request } from './exchange.ts';
import { InfluxError } from './influx-error.ts';
import { formatExactJson } from './json.ts';
import { detectPrefix } from './prefix.ts';
import type { Reader } from './reader.ts';
import { readTokens } from './token-schemas.ts';
import { createTransport } from './transport.ts';
import { tooLateError, unexpectedAnswerError } from './transport-errors.ts';

export interface ManagementApiOptions extends Timing {
  readonly url: string;
  /** The management token; a function if it changes while the client is in use: every request asks for it. */
  readonly token: TokenValue | (() => TokenValue | Promise<TokenValue>);
  /** Another one in place of a token that the cluster refused; undefined, or absent: there is none. Never rejects. */
  readonly another?: (refused: TokenValue) => Promise<TokenValue | undefined>;
  /** Which token is refused, and what to do: the end of the error. Absent: that it is the management token. */
  readonly refusedToken?: (token: TokenValue) => string;
  /** The beginning of every path, such as `accountPrefix(…)`. Absent: detected at the first call. */
  readonly prefix?: string | undefined;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: string | undefined;
  readonly connections?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The instant by which the present run must end. */
  readonly deadline: () => number;
  /** For how long a call is repeated, in milliseconds from its first attempt. Absent: until the deadline. */
  readonly patienceMs?: (() => number) | undefined;
}

interface Call<T> {
  readonly method: Request['method'];
  /** The path after the prefix. */
  readonly path: string;
  readonly body?: object;
  readonly read: Reader<T>;
  readonly signal?: AbortSignal | undefined;
}

interface Reply<T> {
  readonly value: T;
  /** The `Date` of the answer, in milliseconds since 1970; throws if the answer has none. */
  at(): number;
}

const retryable = (error: unknown) => {
  if (!(error instanceof InfluxError) || !error.retryable) return false;
  return error.retryAfterMs === undefined || { afterMs: error.retryAfterMs };
};

/**
 * For so long nobody is taken to have changed what a `PATCH` writes. It replaces a whole description, and a
 * repetition after a longer wait could overwrite what a person or another run has written meanwhile.
 */
const UNSEEN_MS = 5_000;

/** RFC 6585, section 4: the server refused to process a request that came too soon. */
const TOO_MANY_REQUESTS = 429;
const UNAUTHORIZED = 401;

const retryableIfRefused = (error: unknown) =>
  error instanceof InfluxError && error.status === TOO_MANY_REQUESTS && retryable(error);

/** Every call bears the management token: a 401 of InfluxDB, and no proxy's, is about it, and not about what was asked for. */
const isTokenRefused = (error: unknown): error is InfluxError =>
  error instanceof InfluxError && error.status === UNAUTHORIZED && !error.foreignBody;

/** Where a request has no token to bear, nothing was sent. Whoever gives the tokens has tried again already. */
function notSentError({ method, path }: Call<unknown>, error: unknown): InfluxError {
  const why = error instanceof Error ? error.message : String(error);
  return new InfluxError(`${method} ${path} was not sent: ${why}`, { method, path });
}

/** As `work`, but no longer than until `signal` ends it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

/** Sends calls with the right prefix and reads the answers. */
export function createCaller(options: ManagementApiOptions) {
  const transport = createTransport({ ...options, connections: options.connections ?? 10 });

  const {
    token,
    another = () => Promise.resolve(undefined),
    refusedToken = () => 'the cluster refuses the management token',
  } = options;

  const currentToken = (call: Call<unknown>): TokenValue | Promise<TokenValue> => {
    const found = typeof token === 'function' ? token() : token;
    if (!(found instanceof Promise)) return found;
    return unlessAborted(found, call.signal).catch((error: unknown) => {
      call.signal?.throwIfAborted();
      throw notSentError(call, error);
    });
  };

  const sendWith = (prefix: string, call: Call<unknown>, bearer: TokenValue) => {
    // It may have ended while a repetition, or a token, was waited for.
    call.signal?.throwIfAborted();
    const request = {
      method: call.method,
      path: `${prefix}${call.path}`,
      token: bearer,
      ...(call.body && { body: formatExactJson(call.body) }),
      signal: call.signal,
      timeoutMs: options.deadline() - options.now(),
    } satisfies Request;
    if (request.timeoutMs <= 0) throw tooLateError(request);
    return { request, answering: transport.send(request) };
  };

  /** Once more with another token: what InfluxDB refused with 401 had no effect, whatever it was. */
  const exchange = async (prefix: string, call: Call<unknown>) => {
    const bearer = await currentToken(call);
    const { request, answering } = sendWith(prefix, call, bearer);
    try {
      return { request, answer: await answering };
    } catch (error) {
      if (!isTokenRefused(error)) throw error;
      const next = await unlessAborted(another(bearer), call.signal);
      if (next === undefined) throw blamingToken(error, bearer);
      const again = sendWith(prefix, call, next);
      const answer = await again.answering.catch((second: unknown) => {
        throw isTokenRefused(second) ? blamingToken(second, next) : second;
      });
      return { request: again.request, answer };
    }
  };

  const blamingToken = (error: InfluxError, token: TokenValue) =>
    new InfluxError(`${error.message} (${refusedToken(token)})`, error);

  const send = async <T>(prefix: string, call: Call<T>): Promise<Reply<T>> => {
    const { request, answer } = await exchange(prefix, call);
    const result = call.read(answer.text);
    if ('problem' in result) throw unexpectedAnswerError(request, answer, result.problem);
    return {
      value: result.value,
      at() {
        const at = Date.parse(answer.headers.date ?? '');
        if (Number.isNaN(at)) throw unexpectedAnswerError(request, answer, 'it has no Date header');
        return at;
      },
    };
  };

  const withRetries = <T>(
    attempt: () => Promise<T>,
    mayRetry = retryable,
    until = options.now() + (options.patienceMs?.() ?? Number.POSITIVE_INFINITY),
  ): Promise<T> =>
    retry(attempt, {
      now: options.now,
      sleep: options.sleep,
      random: options.random,
      retryable: mayRetry,
      attempts: 5,
      baseMs: 500,
      maxMs: 10_000,
      deadline: Math.min(until, options.deadline()),
    });

  const list = (prefix: string, call: Omit<Call<unknown>, 'method'>) =>
    withRetries(() => send(prefix, { method: 'GET', ...call }));
  /** By the shorter list; by the other one if the server cannot answer the first: most runs need only the tokens. */
  const listAny = (each: string): Promise<unknown> =>
    list(each, { path: '/databases', read: readDatabases }).catch((error: unknown) => {
      if (!(error instanceof InfluxError) || !error.retryable) throw error;
      return list(each, { path: '/tokens', read: readTokens });
    });

  let prefix = options.prefix;
  let finding: Promise<string> | undefined;
  /** Once for all calls. A failure is not remembered, because a Lambda environment lives longer than an outage. */
  const findPrefix = async (): Promise<string> => {
    if (prefix !== undefined) return prefix;
    finding ??= detectPrefix(listAny).finally(() => {
      finding = undefined;
    });
    prefix = await finding;
    return prefix;
  };

  return {
    /** A single attempt. */
    once: async <T>(call: Call<T>): Promise<Reply<T>> => send(await findPrefix(), call),
    /** Retries only what was refused for being one too many (429), and hence had no effect. */
    async onceAccepted<T>(call: Call<T>): Promise<Reply<T>> {
      const found = await findPrefix();
      return withRetries(() => send(found, call), retryableIfRefused);
    },
    /**
     * Retries, but only for a few seconds; for calls that may take effect twice, and whose caller has just
     * read what they change.
     */
    async repeatSoon<T>(call: Call<T>): Promise<Reply<T>> {
      const found = await findPrefix();
      return withRetries(() => send(found, call), retryable, options.now() + UNSEEN_MS);
    },
    /** Retries until `signal` ends it; only for calls that may take effect twice. */
    async repeat<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      // First, so that the retries of finding it are not themselves retried.
      await findPrefix();
      return withRetries(attempt, (error) => !signal?.aborted && retryable(error));
    },
    disconnect() {
      finding = undefined; // it ends with the run that began it
      return transport.disconnect();
    },
  };
}
