import { EchoError } from '../management-api/influx-error.ts';
import type { Permission, Token } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import { describeToken, grantsHash, type Marker, parseMarker } from './marker.ts';
import type { OwnedToken } from './observation.ts';

interface Marking {
  /** Fields to set; undefined ones are removed. */
  readonly marker: { readonly [Key in keyof Marker]?: Marker[Key] | undefined };
}

/** A change that gives nothing. */
export interface Change extends Marking {
  /** Present: all of them are taken away. */
  readonly permissions?: readonly [];
}

/** A change after which a token may do something: `underHold` alone makes one. */
export interface Arming extends Marking {
  readonly permissions?: readonly Permission[];
}

/** The request behind `changeToken` and `ArmingTools.arm`, which are what everybody calls. */
export async function patchToken(
  { api }: Pick<Tools, 'api'>,
  { token, marker, text }: Pick<OwnedToken, 'token' | 'marker' | 'text'>,
  { marker: fields, permissions }: Arming,
): Promise<Token> {
  const kept = Object.entries({ ...marker, ...fields }).filter(([, value]) => value !== undefined);
  const description = describeToken(text, Object.fromEntries(kept) as unknown as Marker);
  const answer = await api.updateToken(token.id, {
    description,
    ...(permissions && { permissions }),
  });
  if (permissions && grantsHash(answer.permissions) !== grantsHash(permissions)) {
    throw new EchoError(`PATCH /tokens/${token.id} answered with other permissions than asked for`);
  }
  return answer;
}

/**
 * Changes an owned token without giving it anything: the marker's fields that the change names, all
 * others kept, and the permissions in the same request. `owned` must stem from a fresh `GET`.
 * @throws EchoError if the answer shows other permissions than were asked for
 */
export const changeToken = (
  tools: Pick<Tools, 'api'>,
  owned: Pick<OwnedToken, 'token' | 'marker' | 'text'>,
  change: Change,
): Promise<Token> => patchToken(tools, owned, change);

/** A fresh `GET` of a token that has our marker; undefined where it is gone, revoked or foreign. */
export async function freshToken(
  { api }: Pick<Tools, 'api'>,
  like: Pick<OwnedToken, 'marker' | 'version'> & { readonly token: Pick<Token, 'id'> },
): Promise<OwnedToken | undefined> {
  const token = await api.getToken(like.token.id);
  if (!token || token.revokedAt !== undefined) return undefined;
  const parsed = parseMarker(token.description);
  const same =
    parsed?.marker.owner === like.marker.owner &&
    parsed.marker.secret === like.marker.secret &&
    parsed.marker.home === like.marker.home;
  return parsed && same ? { ...parsed, token, version: like.version } : undefined;
}

/** Takes all permissions away and keeps them in the marker, so that undoing needs nothing else. */
export function stripped(
  { token, marker }: OwnedToken,
  state: 'quarantined' | 'frozen',
  now: number,
): Change {
  const was = token.permissions.length > 0 ? token.permissions : (marker.was ?? []);
  return { marker: { [state]: now, was }, permissions: [] };
}

/** Gives back what quarantine took away, if it did, and forgets that the token was superseded. */
export function restored({ token, marker }: OwnedToken): Arming {
  const giveBack = token.permissions.length === 0 && marker.was ? marker.was : undefined;
  return {
    marker: { superseded: undefined, fenced: undefined, quarantined: undefined, was: undefined },
    ...(giveBack && { permissions: giveBack }),
  };
}
