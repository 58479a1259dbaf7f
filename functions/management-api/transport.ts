import Pool from 'undici/lib/dispatcher/pool.js';
import type { Answer, Request } from './exchange.ts';
import { answerError, connectionError } from './transport-errors.ts';

export interface TransportOptions {
  /** The cluster's address; a path in it comes before the path of every request. */
  readonly url: string;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: string | undefined;
  readonly connections: number;
  /** False: every request gets its own connection. */
  readonly keepAlive?: boolean | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** The longest wait for the answer's head, and between two parts of its body. */
  readonly timeoutMs?: number | undefined;
}

export interface Transport {
  /** Resolves to a 2xx answer. Everything else, redirects included, rejects with an `InfluxError`. */
  send(request: Request): Promise<Answer>;
  /** Waits for what was sent. */
  close(): Promise<void>;
  /** Cuts off what is in flight; that rejects with an `InfluxError` with this reason. */
  destroy(reason?: Error): Promise<void>;
}

const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/** One pool of kept-alive connections to one origin. It neither retries nor follows redirects. */
export function createTransport(options: TransportOptions): Transport {
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/\/+$/, '');
  const longestMs = options.timeoutMs ?? 30_000;
  const pool = new Pool(origin, {
    connections: options.connections,
    connectTimeout: options.connectTimeoutMs ?? 10_000,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: options.ca === undefined ? {} : { ca: options.ca },
  });

  const exchange = (request: Request) =>
    new Promise<Answer>((resolve, reject) => {
      // To undici, 0 means no timeout.
      const timeoutMs = Math.max(1, Math.min(longestMs, request.timeoutMs ?? longestMs));
      const chunks: Buffer[] = [];
      let head: Omit<Answer, 'text'>;
      pool.dispatch(
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
          body: request.body ?? null,
          reset: options.keepAlive === false,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
        },
        {
          onRequestStart: () => {},
          onResponseStart: (_controller, status, headers, statusText = '') => {
            head = { status, statusText, headers };
          },
          onResponseData: (_controller, chunk) => {
            chunks.push(chunk);
          },
          onResponseEnd: () => resolve({ ...head, text: Buffer.concat(chunks).toString() }),
          onResponseError: (_controller, error) => reject(connectionError(request, error)),
        },
      );
    });

  return {
    async send(request) {
      const answer = await exchange(request);
      if (answer.status < 200 || answer.status > 299) throw answerError(request, answer);
      return answer;
    },
    close: () => pool.close(),
    destroy: (reason) => pool.destroy(reason ?? null),
  };
}
