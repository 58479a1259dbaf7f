import * as z from 'zod/mini';
import { TokenValue } from '../token-value.ts';
import type { MintedToken } from './management-api.ts';
import { listReader, reader } from './reader.ts';
import type { Permission, Token } from './token.ts';

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const FIRST_PLAUSIBLE = Date.UTC(1971, 0, 1);

const isInstant = (text: string) => RFC_3339.test(text) && !Number.isNaN(Date.parse(text));
const instant = z.string().check(z.refine(isInstant, 'not an instant'));

// The specification requires neither half of a permission, and an incomplete one of a foreign token
// must not stop a run.
const permission = z.object({
  action: z._default(z.string(), ''),
  resource: z._default(z.string(), ''),
});

const wireToken = {
  id: z.string().check(z.minLength(1)),
  description: z.string(),
  permissions: z.union([
    z.array(permission),
    z.null(),
    z.strictObject({}), // as in the sample output of `influxctl token list` for Clustered
  ]),
  createdAt: instant,
  expiresAt: z.optional(z.nullable(instant)),
  revokedAt: z.optional(z.nullable(instant)),
};
const wireTokenSchema = z.object(wireToken);
type WireToken = z.infer<typeof wireTokenSchema>;

/** Some servers write 1970 or the year 1 instead of null, as `influxctl management list` shows. */
function realInstant(text: string | null | undefined): number | undefined {
  const parsed = text ? Date.parse(text) : 0;
  return parsed < FIRST_PLAUSIBLE ? undefined : parsed;
}

type ShareList = (list: readonly Permission[]) => readonly Permission[];

/** One object in place of lists that say the same: a hundred thousand tokens have few that differ. */
function sharingLists(): ShareList {
  const known = new Map<string, readonly Permission[]>();
  return (list) => {
    const key = JSON.stringify(list);
    const same = known.get(key);
    if (!same) known.set(key, list);
    return same ?? list;
  };
}

function toToken(wire: WireToken, share: ShareList = (list) => list): Token {
  const expiresAt = realInstant(wire.expiresAt);
  const revokedAt = realInstant(wire.revokedAt);
  return {
    id: wire.id,
    description: wire.description,
    permissions: Array.isArray(wire.permissions)
      ? share(wire.permissions.map(({ action, resource }) => ({ action, resource })))
      : [],
    createdAt: Date.parse(wire.createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
  };
}

export const readToken = reader(() =>
  z.pipe(
    wireTokenSchema,
    z.transform((wire) => toToken(wire)),
  ),
);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPermission = (value: unknown): boolean =>
  isObject(value) && typeof value.action === 'string' && typeof value.resource === 'string';

const isNoInstant = (value: unknown): boolean =>
  value !== undefined && value !== null && !(typeof value === 'string' && isInstant(value));

/** Accepts nothing that the schema does not, and all that servers mostly send. A listing has a hundred thousand of them. */
function isUsual(value: unknown): value is WireToken {
  if (!isObject(value)) return false;
  const { id, description, permissions, createdAt, expiresAt, revokedAt } = value;
  if (typeof id !== 'string' || id === '' || typeof description !== 'string') return false;
  if (!Array.isArray(permissions) || !permissions.every(isPermission)) return false;
  if (typeof createdAt !== 'string' || !isInstant(createdAt)) return false;
  return !isNoInstant(expiresAt) && !isNoInstant(revokedAt);
}

export const readTokens = listReader(
  () =>
    z.pipe(
      z.array(wireTokenSchema),
      z.transform((list) => list.map((wire) => toToken(wire))),
    ),
  () => {
    const share = sharingLists();
    return (item) => (isUsual(item) ? toToken(item, share) : undefined);
  },
);
export const readMintedToken = reader(() =>
  z.pipe(
    z.object({ ...wireToken, accessToken: z.string().check(z.minLength(1)) }),
    z.transform(
      (wire): MintedToken => ({ token: toToken(wire), value: new TokenValue(wire.accessToken) }),
    ),
  ),
);
