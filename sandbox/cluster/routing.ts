import type { Asked } from '../asked.ts';
import type { Call, Reply } from '../interception.ts';
import { dataPlaneRoutes } from './data-plane.ts';
import {
  answerManagement,
  isManagementUrl,
  MANAGEMENT_PREFIXES,
  managementError,
  managementRoutes,
  operationOf,
} from './management-api.ts';
import type { Manners } from './manners.ts';
import type { World } from './state.ts';
import { dataPlaneError } from './write.ts';

// The answer of the ingress in front of a cluster to an unknown path.
const INGRESS_NOT_FOUND: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
};

type Params = Readonly<Record<string, string>>;

interface Route extends Pick<Call, 'server' | 'operation'> {
  readonly method: string;
  /** The parts of its path; of a parameter, `:` and its name. */
  readonly parts: readonly string[];
  readonly answer: (asked: Asked, params: Params, world: World) => Reply;
}

/** A request that has found what answers it. */
export interface Routed extends Pick<Call, 'server' | 'operation' | 'subject'> {
  readonly answer: (world: World) => Reply;
}

const partsOf = (path: string) => path.split('/').slice(1);

const managementApi = (managementToken: string): Route[] =>
  MANAGEMENT_PREFIXES.flatMap((prefix) =>
    managementRoutes.map((route) => ({
      server: 'management-api',
      operation: operationOf(route),
      method: route.method,
      parts: partsOf(prefix + route.path),
      answer: ({ headers, body }, params, world) =>
        answerManagement(route, { params, headers, body }, managementToken, world),
    })),
  );

const dataPlane: Route[] = dataPlaneRoutes.flatMap(({ methods, path, answer }) =>
  methods.map((method) => ({
    server: 'data-plane',
    operation: `${method} ${path}`,
    method,
    parts: partsOf(path),
    answer: ({ url, headers, body }, _params, world) =>
      answer({ query: new URL(url, 'http://localhost').searchParams, headers, body }, world),
  })),
);

/** The parameters in a path; undefined: it is another route's. Throws URIError. */
function match({ parts }: Route, path: readonly string[]): Params | undefined {
  if (path.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const found = path[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(found);
    else if (part !== found) return undefined;
  }
  return params;
}

function unknown({ method, url }: Asked): Routed {
  const management = isManagementUrl(url);
  const answer = management ? managementError(404, 'not found') : INGRESS_NOT_FOUND;
  const server = management ? 'management-api' : 'data-plane';
  return { server, operation: `${method} (unknown)`, answer: () => answer };
}

/** Before it comes to the API. */
const stopped = ({ method }: Asked): Routed => ({
  server: 'management-api',
  operation: `${method} (stopped)`,
  answer: () => INGRESS_NOT_FOUND,
});

const isElsewhere = (path: string, { serves }: Manners) =>
  serves !== undefined &&
  isManagementUrl(path) &&
  path.startsWith('/api/v0/accounts/') !== (serves === '/api/v0/accounts');

/** Finds what answers a request, of both servers behind the one address that the ingress of a cluster has. */
export function createRouting(
  managementToken: string,
  manners: () => Manners,
): (asked: Asked) => Routed {
  const byMethod = Map.groupBy(
    [...managementApi(managementToken), ...dataPlane],
    ({ method }) => method,
  );
  return (asked) => {
    const [pathname = ''] = asked.url.split('?');
    const path = partsOf(pathname);
    if (isElsewhere(pathname, manners())) return unknown(asked);
    if (manners().refusesSlash && /%2f/i.test(pathname)) return stopped(asked);
    for (const route of byMethod.get(asked.method) ?? []) {
      const params = match(route, path);
      if (!params) continue;
      const { server, operation } = route;
      const subject = path.at(-2) === 'tokens' ? params.id : undefined;
      return { server, operation, subject, answer: (world) => route.answer(asked, params, world) };
    }
    return unknown(asked);
  };
}

/** What is answered to a request that cannot be read. */
export const unreadable = (url: string, status: number, message: string): Reply =>
  (isManagementUrl(url) ? managementError : dataPlaneError)(status, message);
