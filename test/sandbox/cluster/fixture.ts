import { onTestFinished } from 'vitest';
import { stringifyJson } from '../../../sandbox/cluster/json.ts';
import {
  type Cluster,
  type ClusterOptions,
  startCluster,
} from '../../../sandbox/cluster/server.ts';

export const START = Date.UTC(2026, 0, 1);
export const ACCOUNT_PREFIX =
  '/api/v0/accounts/11111111-1111-1111-1111-111111111111/clusters/11111111-1111-1111-1111-111111111111';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
  readonly json: any;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

export interface Fixture {
  readonly cluster: Cluster;
  /** Milliseconds since 1970; the tests set it. */
  readonly time: { now: number };
  /** A call of the Management API, with its token; a string is sent as it is. */
  readonly manage: (method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly write: (
    path: string,
    lines: string,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  readonly query: (token: string, database: string, q: string) => Promise<Answer>;
  /** Creates a token; its string and id. */
  readonly mint: (
    permissions: readonly object[],
    more?: object,
  ) => Promise<{ readonly id: string; readonly accessToken: string }>;
  readonly fetch: (path: string, init?: RequestInit) => Promise<Answer>;
}

/** A cluster on virtual time that closes when the test ends. */
export async function start(options: Partial<ClusterOptions> = {}): Promise<Fixture> {
  const time = { now: START };
  const cluster = await startCluster({ clock: { now: () => time.now }, ...options });
  onTestFinished(() => cluster.close());
  const get = async (path: string, init?: RequestInit) =>
    answerOf(await fetch(cluster.url + path, init));

  const manage: Fixture['manage'] = (method, path, body) =>
    get(path.startsWith('/api') ? path : `/api/v0${path}`, {
      method,
      headers: {
        authorization: `Bearer ${cluster.managementToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : stringifyJson(body) }),
    });

  return {
    cluster,
    time,
    manage,
    fetch: get,
    write: (path, body, headers = {}) => get(path, { method: 'POST', headers, body }),
    query: (token, database, q) =>
      get(`/query?${new URLSearchParams({ db: database, q })}`, {
        headers: { authorization: `Bearer ${token}` },
      }),
    mint: async (permissions, more = {}) =>
      (await manage('POST', '/tokens', { description: 'test', permissions, ...more })).json,
  };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
