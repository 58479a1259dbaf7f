import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Pool } from 'undici';
import type { Asked } from '../../asked.ts';
import type { Reply } from '../../interception.ts';
import { currentProcess, type SimulatedProcess } from './process.ts';

const withCode = (code: string, message: string) => Object.assign(new Error(message), { code });

const lowerCase = (headers: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), `${value}`]),
  );

const bytesOf = (body: unknown): Buffer =>
  body instanceof Uint8Array
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    : Buffer.from(typeof body === 'string' ? body : '');

type Sent = Pick<Asked, 'method' | 'url' | 'connection'> & {
  readonly headers: object;
  readonly body: unknown;
};

/** Sends a request of a process. What comes back meets it as everything does: a dead one never hears of it. */
async function exchange(
  process: SimulatedProcess,
  origin: string,
  { method, url, headers, body, connection }: Sent,
): Promise<Reply | 'reset'> {
  const { caller } = process;
  const reply = await process.server(origin)({
    method,
    url,
    headers: { ...lowerCase(headers), ...(caller && { 'x-sandbox-caller': caller }) },
    body: bytesOf(body),
    connection,
  });
  return new Promise((resolve) => process.meet(() => resolve(reply)));
}

/** The connections of a pool that are free, and what waits for an answer over the others. */
interface Traffic {
  readonly free: object[];
  readonly waiting: Set<(reason: Error) => void>;
}

/** undici's pool: the cluster is asked through it. */
function replacePool(): void {
  const { dispatch, destroy } = Pool.prototype;
  const traffic = new WeakMap<Pool, Traffic>();
  const trafficOf = (pool: Pool): Traffic => {
    const known = traffic.get(pool) ?? { free: [], waiting: new Set() };
    traffic.set(pool, known);
    return known;
  };
  const originOf = (pool: Pool) => {
    const name = Object.getOwnPropertySymbols(pool).find(
      ({ description }) => description === 'url',
    );
    return (Object(pool)[name ?? ''] as URL).origin;
  };

  Pool.prototype.dispatch = function (options, handler) {
    const process = currentProcess();
    if (!process) return dispatch.call(this, options, handler);
    const { free, waiting } = trafficOf(this);
    const { method, path, body, reset } = options;
    const headers = Object(options.headers);
    let isOver = false;
    const fail = (reason: Error) => {
      if (isOver) return;
      isOver = true;
      waiting.delete(fail);
      handler.onResponseError?.(controller, reason);
    };
    const controller = {
      get aborted() {
        return isOver;
      },
      reason: null,
      paused: false,
      pause() {},
      resume() {},
      abort: fail,
    };
    waiting.add(fail);
    const connection = (!reset && free.pop()) || {};
    handler.onRequestStart?.(controller, {});
    const sent = { method, url: path, headers, body, connection };
    const finish = (reply: Reply) => {
      if (!reset) free.push(connection);
      const { status, headers = {} } = reply;
      handler.onResponseStart?.(controller, status, lowerCase(headers), STATUS_CODES[status] ?? '');
      if (!isOver && reply.body) handler.onResponseData?.(controller, Buffer.from(reply.body));
      if (isOver) return;
      isOver = true;
      waiting.delete(fail);
      handler.onResponseEnd?.(controller, {});
    };
    exchange(process, originOf(this), sent).then((reply) => {
      if (reply === 'reset') fail(withCode('UND_ERR_SOCKET', 'other side closed'));
      else if (!isOver) finish(reply);
    }, fail);
    return true;
  };

  Pool.prototype.destroy = function (...given: unknown[]) {
    for (const fail of trafficOf(this).waiting) {
      fail(withCode('UND_ERR_DESTROYED', 'The client is destroyed'));
    }
    return Reflect.apply(destroy, this, given);
  };
}

interface AwsRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface AwsHandler {
  handle(
    request: AwsRequest,
    options?: { readonly abortSignal?: AbortSignal },
  ): Promise<{ readonly response: object }>;
  destroy(): void;
}

const urlOf = ({ path, query = {} }: AwsRequest) =>
  Object.keys(query).length > 0 ? `${path}?${new URLSearchParams(query)}` : path;

/** The SDK's handler of requests: AWS is asked through it. */
function replaceAwsHandler(): void {
  const { requestHandler } = new SecretsManagerClient({ region: 'eu-west-1' }).config;
  const handlers: AwsHandler = Object.getPrototypeOf(requestHandler);
  const { handle, destroy } = handlers;
  /** The connections of each handler that are free. */
  const free = new WeakMap<AwsHandler, object[]>();
  handlers.destroy = function () {
    free.delete(this);
    destroy.call(this);
  };
  handlers.handle = function (request, options = {}) {
    const process = currentProcess();
    if (!process) return handle.call(this, request, options);
    const { protocol, hostname, port, method, headers, body } = request;
    const origin = `${protocol}//${hostname}${port ? `:${port}` : ''}`;
    const connections = free.get(this) ?? [];
    free.set(this, connections);
    return new Promise((resolve, reject) => {
      options.abortSignal?.addEventListener('abort', () =>
        reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' })),
      );
      const connection = connections.pop() ?? {};
      const sent = { method, url: urlOf(request), headers, body, connection };
      exchange(process, origin, sent).then((reply) => {
        if (reply === 'reset') return reject(withCode('ECONNRESET', 'socket hang up'));
        connections.push(connection);
        const response = {
          statusCode: reply.status,
          headers: lowerCase(reply.headers ?? {}),
          body: Readable.from([Buffer.from(reply.body)], { objectMode: false }),
        };
        resolve({ response });
      }, reject);
    });
  };
}

/** `fetch`, by which people ask the cluster. */
function replaceFetch(): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init = {}) => {
    const process = currentProcess();
    if (!process) return fetch(input, init);
    const { origin, pathname, search } = new URL(`${input}`);
    const { method = 'GET', headers = {}, body } = init;
    const url = pathname + search;
    const reply = await exchange(process, origin, { method, url, headers, body, connection: {} });
    if (reply === 'reset') throw new TypeError('fetch failed');
    const { status } = reply;
    const hasNone = status === 204 || status === 304;
    return new Response(hasNone ? null : reply.body, { status, headers: reply.headers ?? {} });
  };
}

let isReplaced = false;

/** Lets what simulated processes send reach their own network, without a socket. Others keep the machine's. */
export function replaceNetwork(): void {
  if (isReplaced) return;
  isReplaced = true;
  replacePool();
  replaceAwsHandler();
  replaceFetch();
}
