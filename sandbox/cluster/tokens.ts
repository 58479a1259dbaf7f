import { createHash } from 'node:crypto';
import { setPermissions, sha512 } from './grants.ts';
import {
  type ManagementRequest,
  type ManagementRoute,
  readBody,
  readUpdate,
  uuidParam,
} from './management-route.ts';
import { Refusal } from './refusal.ts';
import { tokenToCreate, tokenUpdate } from './schemas.ts';
import type { StoredToken, World } from './state.ts';

const instant = (milliseconds: number) => new Date(milliseconds).toISOString();
const wholeSeconds = (milliseconds: number) => `${instant(milliseconds).slice(0, 19)}Z`;

/** An instant that does not exist has no key: `never` is neither null nor 1970 here. */
const shown = ({ id, description, permissions, createdAt, expiresAt, revokedAt }: StoredToken) => ({
  id,
  description,
  permissions,
  createdAt: instant(createdAt),
  ...(expiresAt !== undefined && { expiresAt: wholeSeconds(expiresAt) }),
  ...(revokedAt !== undefined && { revokedAt: instant(revokedAt) }),
});

const digest = (text: string) => createHash('sha512').update(text).digest();

/** A version 4 UUID, derived from a random string. */
function makeUuid(random: string): string {
  const hex = digest(random).toString('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** 512 bits in base64: docs.influxdata.com/influxdb3/cloud-dedicated/reference/internals/security/ */
export const makeBase64 = (random: string) => digest(random).toString('base64');

/**
 * The documentation says base64, and not of which alphabet: both occur here, drawn by the string
 * itself, because whoever handles one must handle the other.
 */
function makeTokenString(random: string): string {
  const text = makeBase64(random);
  const isUrlSafe = (text.codePointAt(0) ?? 0) % 2 === 0;
  return `apiv1_${isUrlSafe ? text.replaceAll('+', '-').replaceAll('/', '_') : text}`;
}

function findToken(request: ManagementRequest, tokens: readonly StoredToken[]): StoredToken {
  const id = uuidParam(request, 'id');
  const token = tokens.find((each) => each.id === id);
  if (!token) throw new Refusal(404, `token ${id} not found`);
  return token;
}

const findAny = (request: ManagementRequest, { state }: World) => findToken(request, state.tokens);

function findUnrevoked(request: ManagementRequest, world: World): StoredToken {
  const token = findAny(request, world);
  if (token.revokedAt !== undefined) throw new Refusal(404, `token ${token.id} not found`);
  return token;
}

function refuseLongDescription(text: string | undefined, { manners }: World): void {
  const { longestDescription = Number.POSITIVE_INFINITY } = manners;
  if (text === undefined || text.length <= longestDescription) return;
  throw new Refusal(400, `description must be at most ${longestDescription} characters`);
}

function create(request: ManagementRequest, world: World) {
  const { description, permissions, expiresAt } = readBody(request, tokenToCreate);
  refuseLongDescription(description, world);
  const accessToken = makeTokenString(world.random());
  const token: StoredToken = {
    id: makeUuid(world.random()),
    sha512: sha512(accessToken),
    description,
    permissions: [],
    createdAt: world.now,
    ...(expiresAt !== undefined && { expiresAt }),
    knownFrom: world.now + world.activationDelayMs,
    grants: [],
  };
  setPermissions(token, permissions, world);
  world.state.tokens.push(token);
  return { ...shown(token), accessToken };
}

function update(request: ManagementRequest, world: World) {
  const token = findUnrevoked(request, world);
  const { description, permissions } = readUpdate(request, tokenUpdate);
  refuseLongDescription(description, world);
  const only = description !== undefined && permissions ? world.manners.patchesOnly : undefined;
  if (description !== undefined && only !== 'permissions') token.description = description;
  if (permissions && only !== 'description') setPermissions(token, permissions, world);
  if (only) throw new Refusal(500, `only the ${only} was stored`);
  return shown(token);
}

/**
 * Deleting revokes: the token stays, with `revokedAt` (influxctl 2.10.0 release notes and the
 * specification).
 */
function remove(request: ManagementRequest, world: World): void {
  const token = (world.manners.deletesTwice ? findAny : findUnrevoked)(request, world);
  if (token.revokedAt !== undefined) return;
  token.revokedAt = world.now;
  token.knownUntil = world.now + world.revocationDelayMs;
}

export const tokenRoutes: readonly ManagementRoute[] = [
  {
    method: 'GET',
    path: '/tokens',
    answer: (_request, { shown: all, manners, now }) =>
      all
        .filter(({ expiresAt = now + 1 }) => !manners.hidesExpired || expiresAt > now)
        .slice(0, manners.longestListing)
        .map(shown),
  },
  { method: 'POST', path: '/tokens', answer: create },
  {
    method: 'GET',
    path: '/tokens/:id',
    answer: (request, world) => shown(findToken(request, world.shown)),
  },
  { method: 'PATCH', path: '/tokens/:id', answer: update },
  { method: 'DELETE', path: '/tokens/:id', answer: remove },
];
