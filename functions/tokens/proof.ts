import type { Permission, Token } from '../management-api/token.ts';
import { HOUR_MS } from '../time.ts';
import { describeToken, grantsHash, type Marker, parseMarker } from './marker.ts';
import type { OwnedToken } from './observation.ts';

/**
 * How the string in a secret is shown to be a certain token's: the token gets a permission that it lacks,
 * and the string is probed for it. `proving` in its marker says since when it has that permission, and
 * `grants` is the hash of those that it had before.
 */

/**
 * A database of which nobody has a permission but this token, while it is proven: with a name that other tokens
 * share, proofs that run at the same time would prove each other's strings. It need not exist for a token to have
 * a permission on it, and for the data plane to check that, so it gives access to nothing. With a UUID it has 50
 * of the 64 characters that a name may have.
 */
export const proofDatabase = (tokenId: string): string => `keyturn-proof-${tokenId}`;

/** The permission of a proof that is over: a server stored the marker alone of the request that took it away. */
export const leftOfProof = ({
  token: { id, permissions },
  marker,
}: Pick<OwnedToken, 'token' | 'marker'>): Permission | undefined =>
  marker.proving === undefined
    ? permissions.find(({ resource }) => resource === proofDatabase(id))
    : undefined;

/** No run proves for longer than `activationTimeout`; what is this old was left by a run that died. */
const OVERDUE_MS = HOUR_MS;

/** Whether a token was taken over and its string was not yet seen to be its own: no schedule ends such a token. */
export const isUnproven = ({ adopted, proving, proven }: Marker): boolean =>
  proven === undefined && (adopted !== undefined || proving !== undefined);

/** Whether the permission for a proof was given too long ago, so that it must be taken away. */
export const isProofOverdue = ({ marker }: Pick<OwnedToken, 'marker'>, now: number): boolean =>
  marker.proving !== undefined && now >= marker.proving + OVERDUE_MS;

/**
 * The tokens whose proof is overdue. They are foreign as long as their secret has no owner's tag, which it
 * gets after the proof.
 */
export const overdueProofs = (tokens: Iterable<Token>, owner: string, now: number): Token[] =>
  [...tokens].filter(({ description, revokedAt }) => {
    const marker = parseMarker(description)?.marker;
    return revokedAt === undefined && marker?.owner === owner && isProofOverdue({ marker }, now);
  });

export const isSamePermission = (a: Permission, b: Permission) =>
  a.action === b.action && a.resource === b.resource;

export const without = (permissions: readonly Permission[], given: Permission) =>
  permissions.filter((each) => !isSamePermission(each, given));

/** The permission that a proof gave. Undefined: the token does not have it, or people changed its permissions. */
export function givenForProof({ token, marker }: Pick<OwnedToken, 'token' | 'marker'>) {
  const { permissions } = token;
  return permissions.find((each) => grantsHash(without(permissions, each)) === marker.grants);
}

/**
 * What a token may do without the permission that a run gives it at this moment for a proof, of which the
 * routers learn at their own times.
 */
export function lastingPermissions(
  owned: Pick<OwnedToken, 'token' | 'marker'>,
): readonly Permission[] {
  const { permissions } = owned.token;
  const given = owned.marker.proving === undefined ? undefined : givenForProof(owned);
  return given ? without(permissions, given) : permissions;
}

type TokenChange = Partial<Pick<Token, 'description' | 'permissions'>>;

/** Fields that nothing but the proof has written; a marker with others stays. */
const OF_PROOF: readonly string[] = ['owner', 'secret', 'home', 'id', 'grants'];

function descriptionAfter(token: Token, given: Permission | undefined): string {
  const parsed = parseMarker(token.description);
  if (parsed?.marker.proving === undefined) return token.description;
  const { proving, was, version: [, ...version] = [], ...kept } = parsed.marker;
  if (!was && Object.keys(kept).every((key) => OF_PROOF.includes(key))) return parsed.text;
  // Somebody froze the token meanwhile, and undoing that must not give it this permission.
  const taken = was && given ? without(was, given) : was;
  return describeToken(parsed.text, {
    ...kept,
    ...(version.length > 0 && { version }),
    ...(taken && { was: taken }),
  });
}

/**
 * What takes a proof away: its permission, and what the proof wrote into the description. Undefined: nothing
 * is left of it.
 * @param given the permission, if this run gave it; otherwise the marker shows which it is
 */
export function endingOf(token: Token, given?: Permission): TokenChange | undefined {
  const marker = parseMarker(token.description)?.marker;
  const proving = marker?.proving !== undefined;
  const extra = given ?? (proving ? givenForProof({ token, marker }) : undefined);
  const description = descriptionAfter(token, extra);
  const permissions = extra ? without(token.permissions, extra) : token.permissions;
  const change = {
    ...(description !== token.description && { description }),
    ...(permissions.length !== token.permissions.length && { permissions }),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}
