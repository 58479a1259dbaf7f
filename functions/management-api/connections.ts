import { StringDecoder } from 'node:string_decoder';
import Pool from 'undici/lib/dispatcher/pool.js';
import { TimeoutError } from '../within.ts';
import { type Authorities, connectorOf } from './connectors.ts';
import type { Answer } from './exchange.ts';
import { TooLongAnswerError } from './transport-errors.ts';

export interface ConnectionOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: Authorities;
  readonly connections: number;
  /** False: every request gets its own connection. */
  readonly keepAlive?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** The longest wait for a whole answer. */
  readonly totalMs: number;
  /** The longest body, in bytes, of an answer that is a success; each part counts 256 more. */
  readonly maxBytes: number;
}

/** What goes over a connection as it is. */
export interface Sent {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface Connections {
  /**
   * Resolves to whatever answer comes, redirects and refusals included; rejects if none comes.
   * @param timeoutMs the longest wait for the answer's head, and between two parts of its body
   */
  exchange(sent: Sent, timeoutMs: number, signal: AbortSignal): Promise<Answer>;
  /** Cuts every connection; the next request makes new ones. */
  disconnect(): Promise<void>;
}

/** What is read of an answer that is no success: its message, or the beginning of a proxy's page. */
const MAX_ERROR_BYTES = 64 * 1024;
/** What every part of a body takes beside its bytes: a server may send them one by one. */
const PART_BYTES = 256;
/** Larger than any head that a proxy lets through. */
const MAX_HEAD_BYTES = 32 * 1024;

export const isSuccess = ({ status }: Pick<Answer, 'status'>) => status >= 200 && status <= 299;

/** One pool of kept-alive connections to one origin. It neither retries nor follows redirects. */
export function createConnections(options: ConnectionOptions): Connections {
  const { origin, ca, totalMs, maxBytes } = options;
  const createPool = () =>
    new Pool(origin, {
      connections: options.connections,
      maxHeaderSize: MAX_HEAD_BYTES,
      connect: connectorOf(ca, options.connectTimeoutMs ?? 10_000),
    });
  let pool = createPool();

  return {
    exchange: ({ method, path, headers, body }, timeoutMs, signal) =>
      new Promise<Answer>((resolve, reject) => {
        // Not the bytes until its end: those of a hundred thousand tokens would stand beside their text.
        const decoder = new StringDecoder();
        const texts: string[] = [];
        let bytes = 0;
        let head: Omit<Answer, 'text'>;
        let timer: NodeJS.Timeout | undefined;
        const finish = () => {
          clearTimeout(timer);
          texts.push(decoder.end());
          const text = texts.join('');
          texts.length = 0;
          resolve({ ...head, text });
        };
        pool.dispatch(
          {
            method,
            path,
            headers,
            body: body ?? null,
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
            onResponseStart: (_controller, status, answered, statusText = '') => {
              head = { status, statusText, headers: answered };
            },
            onResponseData: (controller, chunk) => {
              const room = (isSuccess(head) ? maxBytes : MAX_ERROR_BYTES) - bytes;
              const taken = chunk.length + PART_BYTES;
              bytes += taken;
              texts.push(decoder.write(chunk.subarray(0, Math.max(0, room))));
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
      }),
    async disconnect() {
      const former = pool;
      pool = createPool();
      await former.destroy();
    },
  };
}
