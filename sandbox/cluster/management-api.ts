import { readJwt } from '../identity-provider/jwt.ts';
import type { Reply } from '../interception.ts';
import { databaseRoutes } from './databases.ts';
import { stringifyJson } from './json.ts';
import { type ManagementRequest, type ManagementRoute, uuidParam } from './management-route.ts';
import { Refusal } from './refusal.ts';
import type { World } from './state.ts';
import { tableRoutes } from './tables.ts';
import { tokenRoutes } from './tokens.ts';

/**
 * The paths of the specification, and those that Chronograf (influx/influx.go) and the MCP server
 * (influxdata/influxdb3_mcp_server: src/config.ts) use on Clustered.
 */
export const MANAGEMENT_PREFIXES = [
  '/api/v0',
  '/api/v0/accounts/:accountId/clusters/:clusterId',
] as const;

/** Whether a request's URL belongs to the Management API, known path or not. */
export const isManagementUrl = (url: string) => /^\/api\/v0(?:[/?]|$)/.test(url);

export const managementRoutes: readonly ManagementRoute[] = [
  ...databaseRoutes,
  ...tableRoutes,
  ...tokenRoutes,
];

const json = (status: number, value: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: stringifyJson(value),
});

export const managementError = (status: number, message: string) =>
  json(status, { code: status, message });

/** `/tokens/:id` to `/tokens/{id}`. */
export const operationOf = ({ method, path }: ManagementRoute) =>
  `${method} ${path.replace(/:(\w+)/g, '{$1}')}`;

/** The ids in the longer prefix; answers repeat them in every object. */
const prefixIds = (request: ManagementRequest) =>
  request.params.accountId === undefined
    ? {}
    : {
        accountId: uuidParam(request, 'accountId'),
        clusterId: uuidParam(request, 'clusterId'),
      };

/** A machine is a user like any other: nobody outside can tell how its token was got. */
function isOfUser(bearer: string, { identity, now }: World): boolean {
  const claims = identity && readJwt(bearer, identity.key);
  if (!claims) return false;
  return identity.users.includes(claims.sub) && claims.exp * 1_000 > now;
}

/** Checks the credentials, applies the request, and returns the answer. */
export function answerManagement(
  route: ManagementRoute,
  request: ManagementRequest,
  managementToken: string,
  world: World,
): Reply {
  const { managementTokenExpiresAt = Infinity, forbids = [] } = world.manners;
  const [, bearer = ''] = /^Bearer (.*)$/.exec(request.headers.authorization ?? '') ?? [];
  const isStored = bearer === managementToken && managementTokenExpiresAt > world.now;
  if (!isStored && !isOfUser(bearer, world)) {
    return managementError(401, 'unauthorized: missing or invalid management token');
  }
  if (forbids.includes(operationOf(route))) {
    return managementError(403, 'forbidden: the management token may not do this');
  }
  try {
    const ids = prefixIds(request);
    const value = route.answer(request, world);
    if (value === undefined) return { status: 204, body: '' };
    const extend = (each: unknown) => ({ ...ids, ...Object(each) });
    return json(200, Array.isArray(value) ? value.map(extend) : extend(value));
  } catch (error) {
    if (error instanceof Refusal) return managementError(error.status, error.message);
    throw error;
  }
}
