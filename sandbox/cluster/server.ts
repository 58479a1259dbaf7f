import { randomBytes } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { type Call, type Interceptor, passThrough, type Reply } from '../interception.ts';
import { dataPlaneRoutes } from './data-plane.ts';
import { authorise } from './grants.ts';
import {
  answerManagement,
  MANAGEMENT_PREFIXES,
  managementError,
  managementRoutes,
} from './management-api.ts';
import { type ClusterState, emptyState, type World } from './state.ts';
import { makeTokenString } from './tokens.ts';
import { dataPlaneError } from './write.ts';

export interface ClusterOptions {
  readonly clock: Clock;
  /** Any free one by default. */
  readonly port?: number;
  readonly managementToken?: string;
  /** New tokens and added permissions work on the data plane after this. */
  readonly activationDelayMs?: number;
  /** Deleted and expired tokens and permissions taken away stop working after this. */
  readonly revocationDelayMs?: number;
  readonly intercept?: Interceptor;
  /** A different string at every call; ids and token strings are derived from it. */
  readonly random?: () => string;
}

/** An InfluxDB 3 Clustered cluster in this process, on a loopback address. */
export interface Cluster {
  readonly url: string;
  readonly managementToken: string;
  /** These three may be changed at any time. */
  intercept: Interceptor;
  activationDelayMs: number;
  revocationDelayMs: number;
  /** The live state, token strings excepted: only their hashes are kept. */
  readonly state: ClusterState;
  /** A deep copy of the state, and the way back to one. */
  snapshot(): ClusterState;
  restore(state: ClusterState): void;
  /** Whether the data plane would take that string now. */
  accepts(tokenString: string, action: 'read' | 'write', database: string): boolean;
  close(): Promise<void>;
}

const BODY_LIMIT = 64 * 1024 * 1024;

// What the ingress in front of a cluster says of a path that nobody serves.
const INGRESS_NOT_FOUND: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
};

/** `/tokens/:id` to `/tokens/{id}`. */
const operationOf = (method: string, path: string) =>
  `${method} ${path.replace(/:(\w+)/g, '{$1}')}`;

const bodyOf = ({ body }: FastifyRequest) => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

type Serve = (
  call: Omit<Call, 'caller'>,
  effect: (request: FastifyRequest, world: World) => Reply,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

function addManagementApi(app: FastifyInstance, serve: Serve, managementToken: string): void {
  const server = 'management-api';
  for (const prefix of MANAGEMENT_PREFIXES) {
    for (const route of managementRoutes) {
      const { method, path } = route;
      app.route<{ Params: Record<string, string> }>({
        method,
        url: prefix + path,
        handler: serve({ server, operation: operationOf(method, path) }, (request, world) => {
          const params = request.params as Record<string, string>;
          const asked = { params, body: bodyOf(request) };
          return answerManagement(route, asked, request.headers, managementToken, world);
        }),
      });
    }
  }
}

function addDataPlane(app: FastifyInstance, serve: Serve): void {
  const server = 'data-plane';
  for (const { methods, path, answer } of dataPlaneRoutes) {
    for (const method of methods) {
      app.route({
        method,
        url: path,
        handler: serve({ server, operation: `${method} ${path}` }, (request, world) => {
          const query = new URL(request.url, 'http://localhost').searchParams;
          return answer({ query, headers: request.headers, body: bodyOf(request) }, world);
        }),
      });
    }
  }
}

function addNotFound(app: FastifyInstance, serve: Serve): void {
  app.setNotFoundHandler((request, reply) => {
    const management = request.url.startsWith(MANAGEMENT_PREFIXES[0]);
    const server = management ? 'management-api' : 'data-plane';
    const answer = management ? managementError(404, 'not found') : INGRESS_NOT_FOUND;
    return serve({ server, operation: `${request.method} (unknown)` }, () => answer)(
      request,
      reply,
    );
  });
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { clock, random = () => randomBytes(64).toString('hex') } = options;
  const managementToken = options.managementToken ?? makeTokenString('M.V1.', random());
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    frameworkErrors: (error, _request, reply) =>
      send(reply, managementError(error.statusCode ?? 400, error.message)),
  });
  let state = emptyState();

  const send = (reply: FastifyReply, { status, headers = {}, body }: Reply) =>
    reply
      .status(status)
      // Virtual time, lest Node writes the machine's.
      .headers({ date: new Date(clock.now()).toUTCString(), ...headers })
      .send(body);

  const world = (): World => ({
    state,
    now: clock.now(),
    activationDelayMs: cluster.activationDelayMs,
    revocationDelayMs: cluster.revocationDelayMs,
    random,
  });

  const serve: Serve = (call, effect) => async (request, reply) => {
    const caller = request.headers['x-sandbox-caller'];
    const answer = await cluster.intercept(
      { ...call, caller: Array.isArray(caller) ? caller[0] : caller },
      () => effect(request, world()),
    );
    const key = `${call.operation} ${answer === 'reset' ? 'reset' : answer.status}`;
    state.calls[key] = (state.calls[key] ?? 0) + 1;
    if (answer !== 'reset') return send(reply, answer);
    reply.hijack();
    request.raw.socket.destroy();
  };

  // Bodies are read as bytes: their meaning is the routes' matter, after authorisation.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const shape = request.url.startsWith('/api/v0') ? managementError : dataPlaneError;
    return send(reply, shape(error.statusCode ?? 500, error.message));
  });
  addManagementApi(app, serve, managementToken);
  addDataPlane(app, serve);
  addNotFound(app, serve);

  const cluster: Cluster = {
    url: await app.listen({ host: '127.0.0.1', port: options.port ?? 0 }),
    managementToken,
    intercept: options.intercept ?? passThrough,
    activationDelayMs: options.activationDelayMs ?? 0,
    revocationDelayMs: options.revocationDelayMs ?? 0,
    get state() {
      return state;
    },
    snapshot: () => structuredClone(state),
    restore: (saved) => {
      state = structuredClone(saved);
    },
    accepts: (tokenString, action, database) =>
      authorise(tokenString, action, database, world()) === 'granted',
    close: () => app.close(),
  };
  return cluster;
}
