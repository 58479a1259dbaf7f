import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Call, Reply } from '../interception.ts';
import { dataPlaneRoutes } from './data-plane.ts';
import {
  answerManagement,
  isManagementUrl,
  MANAGEMENT_PREFIXES,
  managementError,
  managementRoutes,
} from './management-api.ts';
import type { World } from './state.ts';

// The answer of the ingress in front of a cluster to an unknown path.
const INGRESS_NOT_FOUND: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
};

/** `/tokens/:id` to `/tokens/{id}`. */
const operationOf = (method: string, path: string) =>
  `${method} ${path.replace(/:(\w+)/g, '{$1}')}`;

const bodyOf = ({ body }: FastifyRequest) => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

/** Calls the interceptor with a request and its effect, and sends the answer. */
export type Serve = (
  call: Omit<Call, 'caller' | 'authorization'>,
  effect: (request: FastifyRequest, world: World) => Reply,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

function addManagementApi(app: FastifyInstance, serve: Serve, managementToken: string): void {
  const server = 'management-api';
  for (const prefix of MANAGEMENT_PREFIXES) {
    for (const route of managementRoutes) {
      const { method, path } = route;
      app.route({
        method,
        url: prefix + path,
        handler: serve({ server, operation: operationOf(method, path) }, (request, world) => {
          const params = request.params as Record<string, string>;
          const asked = { params, headers: request.headers, body: bodyOf(request) };
          return answerManagement(route, asked, managementToken, world);
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
    const management = isManagementUrl(request.url);
    const server = management ? 'management-api' : 'data-plane';
    const answer = management ? managementError(404, 'not found') : INGRESS_NOT_FOUND;
    return serve({ server, operation: `${request.method} (unknown)` }, () => answer)(
      request,
      reply,
    );
  });
}

/** The routes of both servers on one port, as the ingress of a cluster has them. */
export function addRoutes(app: FastifyInstance, serve: Serve, managementToken: string): void {
  addManagementApi(app, serve, managementToken);
  addDataPlane(app, serve);
  addNotFound(app, serve);
}
