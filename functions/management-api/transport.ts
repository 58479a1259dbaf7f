import Pool from 'undici/lib/dispatcher/pool.js';
import { TimeoutError, within } from '../within.ts';
import type { Answer, Request } from './exchange.ts';
import { answerError, connectionError, TooLongAnswerError } from './transport-errors.ts';

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
  /** The longest wait for a whole answer. */
  readonly totalMs?: number | undefined;
  /** The longest body, in bytes, of an answer that is a success; each part counts 256 more. */
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
/** What is read of an answer that is no success: its message, or the beginning of a proxy's page. */
const MAX_ERROR_BYTES = 64 * 1024;
/** What every part of a body takes beside its bytes: a server may send them one by one. */
const PART_BYTES = 256;
/** A server that says a little now and then is not waited for longer. */
const TOTAL_MS = 120_000;
/** Larger than any head that a proxy lets through. */
const MAX_HEAD_BYTES = 32 * 1024;

const isSuccess = ({ status }: Pick<Answer, 'status'>) => status >= 200 && status <= 299;

/** One pool of kept-alive connections to one origin. It neither retries nor follows redirects. */
export function createTransport(options: TransportOptions): Transport {
  const { origin, pathname } = new URL(options.url);
  const base = pathname.replace(/(?<!\/)\/+$/, '');
  const { timeoutMs: longestMs = 30_000, totalMs = TOTAL_MS, maxBytes = MAX_BYTES } = options;
  const createPool = () =>
    new Pool(origin, {
      connections: options.connections,
      connectTimeout: options.connectTimeoutMs ?? 10_000,
      maxHeaderSize: MAX_HEAD_BYTES,
      // Whom the file names is trusted, with or without the root above it.
      connect: options.ca === undefined ? {} : { ca: options.ca, allowPartialTrustChain: true },
    });
  let pool = createPool();

  const exchange = (request: Request, timeoutMs: number, signal: AbortSignal) =>
    new Promise<Answer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let head: Omit<Answer, 'text'>;
      let timer: NodeJS.Timeout | undefined;
      const finish = () => {
        clearTimeout(timer);
        resolve({ ...head, text: Buffer.concat(chunks).toString() });
      };
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
          onRequestStart: (controller) => {
            const abort = () => controller.abort(signal.reason);
            if (signal.aborted) return abort();
            signal.addEventListener('abort', abort, { once: true });
            // From now on, not from when it began to wait for a connection.
            timer = setTimeout(() => controller.abort(new TimeoutError(totalMs)), totalMs);
          },
          onResponseStart: (_controller, status, headers, statusText = '') => {
            head = { status, statusText, headers };
          },
          onResponseData: (controller, chunk) => {
            const room = (isSuccess(head) ? maxBytes : MAX_ERROR_BYTES) - bytes;
            const taken = chunk.length + PART_BYTES;
            bytes += taken;
            chunks.push(chunk.subarray(0, Math.max(0, room)));
            if (taken <= room) return;
            if (isSuccess(head)) controller.abort(new TooLongAnswerError(maxBytes));
            else {
              finish();
              controller.abort(new TooLongAnswerError(MAX_ERROR_BYTES));
            }
          },
          onResponseEnd: finish,
          onResponseError: (_controller, error) => {
            clearTimeout(timer);
            reject(error);
          },
        },
      );
    });

  return {
    async send(request) {
      const { timeoutMs = totalMs } = request;
      // To undici, 0 means no timeout.
      const patienceMs = Math.max(1, Math.min(longestMs, timeoutMs));
      const { signal: asked } = request;
      const answer = await within(Math.max(1, timeoutMs), (signal) =>
        exchange(request, patienceMs, asked ? AbortSignal.any([signal, asked]) : signal),
      ).catch((error: Error) => {
        throw connectionError(request, error);
      });
      if (!isSuccess(answer)) throw answerError(request, answer);
      return answer;
    },
    async disconnect() {
      const former = pool;
      pool = createPool();
      await former.destroy();
    },
  };
}
