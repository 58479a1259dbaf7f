import { DEFAULT_LIFETIMES } from '../../../functions/policy/policy.ts';
import { grantedDatabase } from '../../../functions/policy/schemas/database-name.ts';
import { isMarked, type Marker, parseMarker } from '../../../functions/tokens/marker.ts';
import { isTokenId } from '../../../functions/tokens/version-id.ts';
import type { FoundToken } from './found.ts';

/** What a token is to the policy that is written. */
export type Standing =
  /** It can have an entry. */
  | { readonly kind: 'free' }
  /** It can have one that mints it, in place of whoever would make it. */
  | { readonly kind: 'planned' }
  /** Another deployment of Keyturn has it, or one with the same owner. */
  | { readonly kind: 'marked'; readonly marker: Marker }
  | { readonly kind: 'unreadable-marker' }
  | { readonly kind: 'expired' }
  /** It has no permissions. */
  | { readonly kind: 'powerless' }
  /** No entry can say what it may do, or which it is. */
  | { readonly kind: 'unsayable'; readonly why: string };

const ACTIONS = ['read', 'write'];

function unsayable({ id, permissions, isPlanned }: FoundToken): string | undefined {
  if (!isPlanned && !isTokenId(id)) return 'its id is no UUID';
  for (const { action, resource } of permissions) {
    if (!ACTIONS.includes(action)) return `it has the action ${JSON.stringify(action)}`;
    if (!grantedDatabase.safeParse(resource).success) {
      return `it has a permission on ${JSON.stringify(resource)}, which is no name of a database`;
    }
  }
  return undefined;
}

/** @param now by the clock of whoever listed it, in milliseconds since 1970 */
export function standingOf(token: FoundToken, now: number): Standing {
  const { id, description, permissions, expiresAt } = token;
  if (isMarked(description)) {
    const marker = parseMarker(description)?.marker;
    return marker && (marker.id ?? id) === id
      ? { kind: 'marked', marker }
      : { kind: 'unreadable-marker' };
  }
  if (expiresAt !== undefined && expiresAt <= now) return { kind: 'expired' };
  if (permissions.length === 0) return { kind: 'powerless' };
  const why = unsayable(token);
  if (why !== undefined) return { kind: 'unsayable', why };
  return { kind: token.isPlanned ? 'planned' : 'free' };
}

/** What a person should know of a token that works. */
export interface TokenFlags {
  readonly immortal: boolean;
  /** Milliseconds until it expires, if it is replaced as soon as it is taken over. */
  readonly expiresSoon?: number;
  /** `read`, `write`: what it may do with every database. */
  readonly everywhere: readonly string[];
  /** Databases that it may use, and that are not there. Empty also where nobody knows which there are. */
  readonly missing: readonly string[];
}

/** @param databases names of those that exist; undefined: it is not known */
export function flagsOfToken(
  { permissions, expiresAt }: FoundToken,
  databases: ReadonlySet<string> | undefined,
  now: number,
): TokenFlags {
  const named = new Set(permissions.map(({ resource }) => resource).filter((each) => each !== '*'));
  const left = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - now;
  return {
    immortal: expiresAt === undefined,
    ...(left <= DEFAULT_LIFETIMES.renewBefore && { expiresSoon: left }),
    everywhere: ACTIONS.filter((action) =>
      permissions.some((each) => each.action === action && each.resource === '*'),
    ),
    missing: databases ? [...named].filter((name) => !databases.has(name)).sort() : [],
  };
}
