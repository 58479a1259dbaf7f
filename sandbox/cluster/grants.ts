import { createHash } from 'node:crypto';
import { lagOf } from './routers.ts';
import { type Permission, type StoredToken, tokensByHash, type World } from './state.ts';

/** What a router may have learnt of a change depends on. */
type Moment = Pick<World, 'now' | 'router' | 'routers' | 'revocationDelayMs'>;

export const sha512 = (tokenString: string) =>
  createHash('sha512').update(tokenString).digest('hex');

const same = (a: Permission, b: Permission) => a.action === b.action && a.resource === b.resource;

/**
 * Replaces a token's permissions. The Management API shows them at once. Additions take effect on the
 * data plane after the activation delay, removals after the revocation delay.
 */
export function setPermissions(
  token: StoredToken,
  permissions: readonly Permission[],
  { now, activationDelayMs, revocationDelayMs, routers }: World,
): void {
  token.permissions = permissions;
  token.grants = token.grants.filter(
    ({ until }) => until === undefined || until + routers.spreadMs > now,
  );
  for (const grant of token.grants) {
    if (permissions.some((permission) => same(permission, grant))) continue;
    grant.until ??= now + revocationDelayMs;
  }
  for (const permission of permissions) {
    if (token.grants.some((grant) => grant.until === undefined && same(permission, grant)))
      continue;
    token.grants.push({ ...permission, from: now + activationDelayMs });
  }
}

/** Whether the router that answers has learnt of a change, whose delay is over at `effectiveAt`. */
function hasLearnt(
  { id }: StoredToken,
  effectiveAt: number,
  { now, router, routers: { spreadMs } }: Moment,
): boolean {
  if (effectiveAt > now) return false;
  // All have.
  if (effectiveAt + spreadMs <= now) return true;
  return effectiveAt + lagOf(router, id, effectiveAt, spreadMs) <= now;
}

function isKnown(token: StoredToken, world: Moment): boolean {
  const { knownFrom, knownUntil, expiresAt = Infinity } = token;
  // Every router knows when a token expires since it knows the token.
  const hasExpired = expiresAt + world.revocationDelayMs <= world.now;
  const isRevoked = knownUntil !== undefined && hasLearnt(token, knownUntil, world);
  return hasLearnt(token, knownFrom, world) && !hasExpired && !isRevoked;
}

/** The token that a string is of, revoked or not. */
function findToken(tokenString: string, { state }: Pick<World, 'state'>): StoredToken | undefined {
  return tokensByHash(state.tokens).get(sha512(tokenString));
}

type Verdict = 'granted' | 'not permitted' | 'invalid';

/**
 * What one router makes of a token. It checks the database name of the request, even if no such database
 * exists (influxdata/influxdb3_core: authz).
 */
export function judge(
  token: StoredToken | undefined,
  action: 'read' | 'write',
  database: string,
  world: Moment,
): Verdict {
  if (!token || !isKnown(token, world)) return 'invalid';
  const granted = token.grants.some(
    (grant) =>
      grant.action === action &&
      (grant.resource === database || grant.resource === '*') &&
      hasLearnt(token, grant.from, world) &&
      !(grant.until !== undefined && hasLearnt(token, grant.until, world)),
  );
  return granted ? 'granted' : 'not permitted';
}

/** The data plane's decision on a token string. */
export const authorise = (
  tokenString: string,
  action: 'read' | 'write',
  database: string,
  world: World,
): Verdict => judge(findToken(tokenString, world), action, database, world);
