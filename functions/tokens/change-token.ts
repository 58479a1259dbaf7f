import { EchoError, InfluxError } from '../management-api/influx-error.ts';
import type { Permission, Token } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import { keptOf } from './description-room.ts';
import {
  describeToken,
  grantsHash,
  type Marker,
  parseMarker,
  shorterDescriptions,
} from './marker.ts';
import { type OwnedToken, ownedToken } from './observation.ts';
import { covers, isWhole, union } from './permission-sets.ts';
import { sumOf } from './permission-sum.ts';
import { armedSince, wasArmed, wasCurrent } from './state.ts';

const BAD_REQUEST = 400;

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
  /** The token is not ours yet: rather nothing is written than a description without people's text. */
  readonly keepsText?: true;
}

/** Whether the server refused a request as it is; a description that is too long may be why. */
export const isRefused = (error: unknown): error is InfluxError =>
  error instanceof InfluxError && error.status === BAD_REQUEST && !error.foreignBody;

/**
 * Sends a description, and shorter ones as long as the server refuses them: a marker that is too long
 * must not stop a retirement for ever. `send` rejects with the error of the last one.
 */
export async function withShorterDescriptions<T>(
  text: string,
  marker: Marker,
  send: (description: string) => Promise<T>,
): Promise<T> {
  let shortest = describeToken(text, marker);
  let refusal: unknown;
  for (const description of [shortest, ...shorterDescriptions(text, marker)]) {
    if (refusal !== undefined && description.length >= shortest.length) continue;
    shortest = description;
    try {
      return await send(description);
    } catch (error) {
      if (!isRefused(error)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** The request that `changeToken` and `ArmingTools.arm` send; call one of those. */
export async function patchToken(
  { api }: Pick<Tools, 'api'>,
  { token, marker, text }: Pick<OwnedToken, 'token' | 'marker' | 'text'>,
  { marker: fields, permissions, keepsText }: Arming,
): Promise<Token> {
  const { room, ...lasting } = marker;
  const kept = Object.entries({ ...lasting, ...fields }).filter(([, value]) => value !== undefined);
  const changed = Object.fromEntries(kept) as unknown as Marker;
  const send = (description: string) =>
    api.updateToken(token.id, { description, ...(permissions && { permissions }) });
  const answer = await (keepsText
    ? send(describeToken(text, changed))
    : withShorterDescriptions(text, changed, send));
  if (permissions) refuseOtherPermissions(answer, permissions);
  return answer;
}

function refuseOtherPermissions({ id, permissions }: Token, asked: readonly Permission[]): void {
  if (grantsHash(permissions) === grantsHash(asked)) return;
  throw new EchoError(`PATCH /tokens/${id} answered with other permissions than asked for`);
}

/**
 * The requests that `ArmingTools.armInUse` sends; call that. A server may store half of a request. A marker
 * with `grants` on a token without permissions means that a person took them, and nothing gives those back. So
 * the permissions go first, by themselves: what is left undone then is the marker, which a later run writes.
 */
export async function patchTokenInUse(
  tools: Pick<Tools, 'api'>,
  owned: Pick<OwnedToken, 'token' | 'marker' | 'text'>,
  { marker, permissions }: Arming,
): Promise<Token> {
  if (permissions) {
    const answer = await tools.api.updateToken(owned.token.id, { permissions });
    refuseOtherPermissions({ ...answer, id: owned.token.id }, permissions);
  }
  return patchToken(tools, owned, { marker });
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
  like: Pick<OwnedToken, 'marker'> & { readonly token: Pick<Token, 'id'> },
): Promise<OwnedToken | undefined> {
  const token = await api.getToken(like.token.id);
  return token && ownLike(token, like);
}

/** The same for a token that was minted a moment ago: one that the API does not show yet, nobody else has changed. */
export async function freshOrUnshown(
  { api }: Pick<Tools, 'api'>,
  owned: OwnedToken,
): Promise<OwnedToken | undefined> {
  const token = await api.getToken(owned.token.id);
  return token ? ownLike(token, owned) : owned;
}

function ownLike(token: Token, like: Pick<OwnedToken, 'marker'>): OwnedToken | undefined {
  if (token.revokedAt !== undefined) return undefined;
  const parsed = parseMarker(token.description);
  const same =
    parsed?.marker.owner === like.marker.owner &&
    parsed.marker.secret === like.marker.secret &&
    parsed.marker.home === like.marker.home;
  return parsed && same ? ownedToken(token, parsed) : undefined;
}

/**
 * Takes all permissions away and keeps them in the marker, which is all that undoing needs. If that has no room for them, undoing takes
 * the policy's, and a sum over them tells whether these are all.
 */
export function stripped(owned: OwnedToken, state: 'quarantined' | 'frozen', now: number): Change {
  const { token, marker } = owned;
  // A server that stored half of this request before has taken them already.
  if (token.permissions.length === 0)
    return { marker: { [state]: now, was: marker.was, had: marker.had }, permissions: [] };
  const { all, kept } = keptOf(owned);
  // What a person gave it meanwhile is a part of what it had.
  const isTaken = marker.frozen !== undefined || marker.quarantined !== undefined;
  const lost = isTaken ? marker.had : undefined;
  const had = lost ?? (kept === all ? undefined : sumOf(all));
  return { marker: { [state]: now, was: kept, had }, permissions: [] };
}

/**
 * Starts a token's grace period, now and from its beginning. What was promised before stays promised, so
 * that a policy which is shortened today cuts nobody off. Nothing is promised beyond its expiry.
 */
export function superseding(
  { token, marker }: OwnedToken,
  gracePeriod: number,
  now: number,
): Change {
  const { expiresAt = Number.POSITIVE_INFINITY } = token;
  const left = Math.max(0, Math.floor((expiresAt - now) / 1_000));
  const grace = Math.min(left, Math.max(marker.grace ?? 0, Math.ceil(gracePeriod / 1_000)));
  // Whoever gave it permissions again has ended what took them.
  const ended = { quarantined: undefined, frozen: undefined, was: undefined, had: undefined };
  const again = token.permissions.length > 0 && ended;
  // Whoever goes back to it is told whether it is accepted. What consumers met before, its successor has ended.
  const asked = marker.refused !== undefined && { refused: armedSince({ token, marker }) };
  return { marker: { superseded: now, grace, fenced: undefined, ...again, ...asked } };
}

/** The same of what had AWSCURRENT. Who gave it that, a person perhaps, may have had no time, or no reason, to write it. */
export function supersedingFormer(owned: OwnedToken, gracePeriod: number, now: number): Change {
  const { marker } = superseding(owned, gracePeriod, now);
  const isUnnoted = wasArmed(owned) && !wasCurrent(owned);
  return { marker: { ...marker, ...(isUnnoted && { promoted: armedSince(owned) }) } };
}

/**
 * What a token lacks of what was taken from it is given beside what it has, which a person gave back meanwhile; the
 * fallback where nothing was kept. Undefined: it lacks nothing that is known.
 */
export function takenFrom(
  { token: { permissions }, marker: { was, had } }: OwnedToken,
  fallback?: readonly Permission[],
): readonly Permission[] | undefined {
  const isPart = was !== undefined && had !== undefined;
  const taken = isPart ? union(was, fallback ?? []) : (was ?? fallback);
  return !taken || covers(permissions, taken) ? undefined : union(permissions, taken);
}

/** What is said where a token got the fallback, and that may be less than it had. */
export const NOT_KEPT =
  'what it might do before was not kept: it has what the policy says, which may be something else; compare the two if consumers are refused';

/** The same of one that works, and to which nothing more is given. */
export const LOST =
  'it lacks some of what was taken from it before and was not kept, and what that was nobody knows; compare it with the policy if consumers are refused';

/** What the marker still says of what was taken, once these are given back: of what is lacking then, that it does. */
export function takenAfter(
  { token, marker }: OwnedToken,
  giveBack: readonly Permission[] = token.permissions,
): Pick<Marking['marker'], 'was' | 'had'> {
  const isDone = marker.had === undefined || isWhole(giveBack, marker);
  return { was: undefined, had: isDone ? undefined : marker.had };
}

/**
 * Gives back what quarantine took away, and removes the marks of retirement from the marker.
 * `fallback`: what it may do if the marker had no room for its permissions.
 */
export function restored(owned: OwnedToken, fallback?: readonly Permission[]): Arming {
  const isTaken = owned.marker.quarantined !== undefined;
  const giveBack = takenFrom(owned, isTaken ? fallback : undefined);
  return {
    marker: {
      superseded: undefined,
      grace: undefined,
      fenced: undefined,
      quarantined: undefined,
      frozen: undefined,
      ...takenAfter(owned, giveBack),
    },
    ...(giveBack && { permissions: giveBack }),
  };
}
