import { randomBytes } from 'node:crypto';
import fastify, { type FastifyError, type FastifyReply } from 'fastify';
import type { Asked, Respond } from '../asked.ts';
import { type Callers, watchCallers } from '../callers.ts';
import type { Clock } from '../clock.ts';
import { type Interceptor, passThrough, type Reply } from '../interception.ts';
import { createQuotas } from '../quotas.ts';
import { judge, sha512 } from './grants.ts';
import { managementError } from './management-api.ts';
import type { Manners } from './manners.ts';
import { createPast } from './past.ts';
import { type Routers, routerOf } from './routers.ts';
import { createRouting, unreadable } from './routing.ts';
import { type ClusterState, emptyState, type Identity, tokensByHash, type World } from './state.ts';
import { makeBase64 } from './tokens.ts';

export interface ClusterOptions {
  readonly clock: Clock;
  /** Any free one by default. */
  readonly port?: number;
  readonly managementToken?: string;
  /**
   * Time until new tokens and added permissions work on the data plane; in a real cluster "a few
   * seconds to a few minutes" (Create a database token, InfluxDB Clustered documentation).
   */
  readonly activationDelayMs?: number;
  /** Time until deleted and expired tokens and removed permissions stop working. */
  readonly revocationDelayMs?: number;
  readonly manners?: Manners;
  readonly identity?: Identity;
  /** One router without a spread by default. */
  readonly routers?: Routers;
  readonly intercept?: Interceptor;
  /** Must return a different string at every call; ids and token strings are derived from it. */
  readonly random?: () => string;
}

/** An InfluxDB 3 Clustered cluster in this process. */
export interface Cluster extends Callers {
  readonly url: string;
  readonly managementToken: string;
  /** These seven may be changed at any time. */
  intercept: Interceptor;
  activationDelayMs: number;
  revocationDelayMs: number;
  routers: Routers;
  manners: Manners;
  identity: Identity | undefined;
  /** The live state, without token strings: only their hashes are stored. */
  readonly state: ClusterState;
  /** A deep copy of the state, for `restore`. */
  snapshot(): ClusterState;
  restore(state: ClusterState): void;
  /** The routers that accept the string now, by their numbers. */
  acceptedBy(tokenString: string, action: 'read' | 'write', database: string): readonly number[];
  /** Whether all of them do. */
  accepts(tokenString: string, action: 'read' | 'write', database: string): boolean;
  /** Carries out a request, whether it comes over a socket or not. */
  respond: Respond;
  close(): Promise<void>;
}

const TOO_MANY: Reply = {
  ...managementError(429, 'too many requests'),
  headers: { 'content-type': 'application/json', 'retry-after': '1' },
};

const BODY_LIMIT = 64 * 1024 * 1024;

/** One that listens nowhere: whoever knows its name asks it by `respond`. */
export function createCluster(options: ClusterOptions): Cluster {
  const { clock, random = () => randomBytes(64).toString('hex') } = options;
  const managementToken = options.managementToken ?? `M.V1.${makeBase64(random())}`;
  const find = createRouting(managementToken, () => cluster.manners);
  const take = createQuotas(clock);
  const callers = watchCallers();
  let state = emptyState();

  const past = createPast();
  const world = (router = 0): World => ({
    state,
    manners: cluster.manners,
    get shown() {
      return past.asShown(state.tokens, clock.now(), cluster.manners);
    },
    routers: cluster.routers,
    identity: cluster.identity,
    router,
    now: clock.now(),
    activationDelayMs: cluster.activationDelayMs,
    revocationDelayMs: cluster.revocationDelayMs,
    random,
  });

  const met = new WeakMap<object, number>();
  let connections = 0;
  /** A connection keeps the router that it met first. */
  const routerFor = (connection: object): number => {
    const router = met.get(connection) ?? routerOf(connections++, cluster.routers);
    met.set(connection, router);
    return router;
  };

  const allRouters = () => Array.from({ length: cluster.routers.count }, (_, router) => router);

  /** Of strings that tokens have: a simulation asks for the same ones after every call. */
  const hashes = new Map<string, string>();
  const accepting = (
    tokenString: string,
    action: 'read' | 'write',
    database: string,
  ): ((router: number) => boolean) => {
    const hash = hashes.get(tokenString) ?? sha512(tokenString);
    const token = tokensByHash(state.tokens).get(hash);
    if (!token) return () => false;
    hashes.set(tokenString, hash);
    const now = clock.now();
    const { routers, revocationDelayMs } = cluster;
    return (router) =>
      judge(token, action, database, { now, router, routers, revocationDelayMs }) === 'granted';
  };

  const respond = async (asked: Asked): Promise<Reply | 'reset'> => {
    if (callers.isForgotten(asked)) return 'reset';
    const { server, operation, subject, answer } = find(asked);
    const { 'x-sandbox-caller': caller, authorization } = asked.headers;
    const { requestsPerSecond: most } = cluster.manners;
    const isTooMany = server === 'management-api' && most !== undefined && !take(server, most);
    const reply = isTooMany
      ? TOO_MANY
      : await cluster.intercept(
          {
            server,
            operation,
            caller: Array.isArray(caller) ? caller[0] : caller,
            subject,
            authorization,
          },
          () => {
            const now = world(routerFor(asked.connection));
            if (server === 'management-api' && asked.method !== 'GET')
              past.remember(state.tokens, subject, now);
            return answer(now);
          },
        );
    const key = `${operation} ${reply === 'reset' ? 'reset' : reply.status}`;
    state.calls[key] = (state.calls[key] ?? 0) + 1;
    if (reply === 'reset') return reply;
    // The sandbox's time; otherwise Node writes the machine's.
    const date = new Date(clock.now()).toUTCString();
    return { ...reply, headers: { date, ...reply.headers } };
  };

  const cluster: Cluster = {
    url: 'http://127.0.0.1:8086',
    managementToken,
    intercept: options.intercept ?? passThrough,
    manners: options.manners ?? {},
    identity: options.identity,
    routers: options.routers ?? { count: 1, spreadMs: 0 },
    activationDelayMs: options.activationDelayMs ?? 0,
    revocationDelayMs: options.revocationDelayMs ?? 0,
    get state() {
      return state;
    },
    snapshot: () => structuredClone(state),
    restore: (saved) => {
      state = structuredClone(saved);
      past.forget();
    },
    acceptedBy(tokenString, action, database) {
      return allRouters().filter(accepting(tokenString, action, database));
    },
    accepts(...asked) {
      return allRouters().every(accepting(...asked));
    },
    respond,
    forget: callers.forget,
    close: () => Promise.resolve(),
  };
  return cluster;
}

/** One that listens on a loopback address. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = createCluster(options);
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => sendError(reply, request.url, error),
  });

  const send = (reply: FastifyReply, { status, headers = {}, body }: Reply) =>
    reply.status(status).headers(headers).send(body);

  const sendError = (reply: FastifyReply, url: string, { statusCode, message }: FastifyError) => {
    const { headers, ...answer } = unreadable(url, statusCode ?? 500, message);
    const date = new Date(options.clock.now()).toUTCString();
    return send(reply, { ...answer, headers: { date, ...headers } });
  };

  // Bodies are read as bytes. The routes parse them, after authorisation.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    sendError(reply, request.url, error),
  );
  app.all('*', async (request, reply) => {
    const { method, url, headers, body } = request;
    const { socket } = request.raw;
    const answer = await cluster.respond({
      method,
      url,
      headers,
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      connection: socket,
    });
    if (answer !== 'reset') return send(reply, answer);
    reply.hijack();
    socket.destroy();
    return reply;
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return Object.assign(cluster, { url, close: () => app.close() });
}
