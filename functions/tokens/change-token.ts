import { EchoError } from '../management-api/influx-error.ts';
import type { Permission, Token } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import { describeToken, grantsHash, type Marker, parseMarker } from './marker.ts';
import type { OwnedToken } from './observation.ts';

interface Marking {
  /** Fields to set; undefined ones are removed. */
  readonly marker: { readonly [Key in keyof Marker]?: Marker[Key] | undefined };
}

/** A change that gives no permission. */
export interface Change extends Marking {
  /** Present: all permissions are taken away. */
  readonly permissions?: readonly [];
}

/** A change that may give permissions. Only the tools that `underHold` hands out accept it. */
export interface Arming extends Marking {
  readonly permissions?: readonly Permission[];
}

/** The request that `changeToken` and `ArmingTools.arm` send; call one of those. */
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
 * Changes an owned token without giving it a permission: sets the fields of the marker that the change
 * names, and takes the permissions away in the same request. `owned` must come from a fresh `GET`,
 * because the description is written as a whole.
 * @throws EchoError if the answer shows other permissions than were asked for
 */
export const changeToken = (
  tools: Pick<Tools, 'api'>,
  owned: Pick<OwnedToken, 'token' | 'marker' | 'text'>,
  change: Change,
): Promise<Token> => patchToken(tools, owned, change);

/** A token of ours, read again by its id. Undefined: it is gone, revoked or foreign now. */
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

/** Takes all permissions away and keeps them in the marker, which is all that undoing needs. */
export function stripped(
  { token, marker }: OwnedToken,
  state: 'quarantined' | 'frozen',
  now: number,
): Change {
  const was = token.permissions.length > 0 ? token.permissions : (marker.was ?? []);
  return { marker: { [state]: now, was }, permissions: [] };
}

/** Gives back what quarantine took away, and removes the marks of retirement from the marker. */
export function restored({ token, marker }: OwnedToken): Arming {
  const giveBack = token.permissions.length === 0 && marker.was ? marker.was : undefined;
  return {
    marker: { superseded: undefined, fenced: undefined, quarantined: undefined, was: undefined },
    ...(giveBack && { permissions: giveBack }),
  };
}
