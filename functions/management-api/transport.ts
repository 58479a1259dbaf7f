import { within } from '../within.ts';
import { type ConnectionOptions, createConnections, isSuccess } from './connections.ts';
import type { Answer, Request } from './exchange.ts';
import { answerError, connectionError } from './transport-errors.ts';

export interface TransportOptions
  extends Omit<ConnectionOptions, 'origin' | 'ca' | 'totalMs' | 'maxBytes'> {
  /** The cluster's address; a path in it comes before the path of every request. */
  readonly url: string;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The longest wait for the answer's head, and between two parts of its body. */
  readonly timeoutMs?: number | undefined;
  /** The longest wait for a whole answer. */
  readonly totalMs?: number | undefined;
  /** As `ConnectionOptions` has it. */
  readonly maxBytes?: number | undefined;
}

export interface Transport {
  /** Resolves to a 2xx answer. Everything else, redirects included, rejects with an `InfluxError`. */
  send(request: Request): Promise<Answer>;
  /** Cuts every connection; the next request makes new ones. */
  disconnect(): Promise<void>;
}

/**
 * 120,000 tokens with long descriptions. Parsed, they take six to seven times as much, and a function has
 * 512 MB (lib/keyturn-function.ts).
 */
const MAX_BYTES = 64 * 1024 * 1024;
/** A server that says a little now and then is not waited for longer. */
const TOTAL_MS = 120_000;
/** One pool of kept-alive connections to one origin. It neither retries nor follows redirects. */
export function createTransport(options: TransportOptions): Transport {
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/(?<!\/)\/+$/, '');
  const { timeoutMs: longestMs = 30_000, totalMs = TOTAL_MS, maxBytes = MAX_BYTES } = options;
  const connections = createConnections({ ...options, origin, totalMs, maxBytes });

  const exchange = (request: Request, timeoutMs: number, signal: AbortSignal) =>
    connections.exchange(
      {
        method: request.method,
        path: `${base}${request.path}${request.query ? `?${new URLSearchParams(request.query)}` : ''}`,
        headers: {
          accept: 'application/json',
          'user-agent': 'keyturn',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
          authorization: `Bearer ${request.token.reveal()}`,
        },
        body: request.body,
      },
      timeoutMs,
      signal,
    );

  return {
    async send(request) {
      const { timeoutMs = totalMs } = request;
      // To undici, 0 means no timeout.
      const patienceMs = Math.max(1, Math.min(longestMs, timeoutMs));
      const { signal: asked } = request;
      const answer = await within(Math.max(1, timeoutMs), (signal) =>
        exchange(request, patienceMs, asked ? AbortSignal.any([signal, asked]) : signal),
      ).catch((error: Error) => {
        throw connectionError(request, origin, error);
      });
      if (!isSuccess(answer)) throw answerError(request, answer);
      return answer;
    },
    disconnect: connections.disconnect,
  };
}
