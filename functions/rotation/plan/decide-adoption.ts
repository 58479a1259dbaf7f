import type { Token } from '../../management-api/token.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import { OWNER_TAG } from '../../secrets-manager/secret.ts';
import { homeOf, isMarked, parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret } from '../../tokens/observation.ts';
import { isUnproven, lastingPermissions, leftOfProof } from '../../tokens/proof.ts';
import { currentHolder, isExpired } from '../../tokens/state.ts';
import { forbidden } from './decide-rotation.ts';
import { lackedPermission } from './lacked-permission.ts';
import type { Adoption } from './rotation-action.ts';

/** What a run decides about an adoption by. */
interface Around extends Pick<Observation, 'at' | 'secrets' | 'foreign'> {
  readonly owner: string;
  /** Who says that the string is this token's. Absent: nobody. */
  readonly confirmAdoption?: string | undefined;
  /** The secret is not listed as ours, and Keyturn has rotated it. */
  readonly isRotated: boolean;
  /** Why the secret would get no token later. */
  readonly noToken?: (Pick<Finding, 'message'> & { readonly isUnseen?: boolean }) | undefined;
}

type Note = Pick<Finding, 'kind' | 'message' | 'tokenId'>;

/** At most one of both. */
export interface AdoptionDecision {
  readonly action?: Adoption;
  /** Why nothing is adopted. */
  readonly finding?: Note;
}

/** A finding of this kind keeps an entry from being adopted, and fails the run, until a person does something. */
export const CANNOT_ADOPT = 'CannotAdopt';

const cannot = (
  tokenId: string | undefined,
  why: string,
  verdict = 'cannot be adopted',
): AdoptionDecision => ({
  finding: {
    kind: CANNOT_ADOPT,
    message: `${verdict}: ${why}`,
    ...(tokenId !== undefined && { tokenId }),
  },
});

/** Whether a token is shown under an id that a person wrote, perhaps in capitals. */
const isNamed = (tokenId: string, { id }: Token) => id.toLowerCase() === tokenId.toLowerCase();

function foreignNamed(tokenId: string, { foreign }: Around): Token | undefined {
  return foreign.get(tokenId) ?? foreign.get(tokenId.toLowerCase());
}

/** A token that has our marker since a run began to prove it. */
const unprovenNamed = (tokenId: string, { tokens }: ObservedSecret): Token | undefined =>
  tokens.find(({ token, marker }) => isNamed(tokenId, token) && isUnproven(marker))?.token;

/** A secret that was adopted, and that lost our tag: it is ours again with that, before anything else is done to it. */
export const isUntagged = ({ secret }: ObservedSecret): boolean =>
  secret.tags[OWNER_TAG] === undefined;

/** Of a secret that is ours. An `adopt` that stays in its entry means nothing once its token was taken over. */
function wantedIn(
  { adopt }: TokenPolicy,
  seen: ObservedSecret,
  around: Around,
): string | undefined {
  const current = currentHolder(seen);
  switch (current?.state) {
    case 'owned':
      return isUnproven(current.owned.marker) || leftOfProof(current.owned)
        ? current.owned.token.id
        : undefined;
    case 'foreign':
      return adopt && isNamed(adopt.tokenId, current.token) ? current.token.id : undefined;
    case 'unknown':
      return (
        adopt && (unprovenNamed(adopt.tokenId, seen) ?? foreignNamed(adopt.tokenId, around))?.id
      );
    default:
      return undefined;
  }
}

/** Which token an entry takes over: the one that it names, or the one that was taken over and is not yet proven. */
function tokenToAdopt(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  around: Around,
): string | undefined {
  if (!seen) return around.isRotated ? undefined : entry.adopt?.tokenId;
  if (forbidden(seen)) return undefined;
  return isUntagged(seen) ? entry.adopt?.tokenId : wantedIn(entry, seen, around);
}

/** The remedy of a token whose secret was made anew, or promoted from a replica. */
export const markedElsewhere = (name: string): string =>
  `it has the marker of this secret under another ARN, as a secret has that was made anew or promoted; to make it ours again: keyturn takeover ${name} --confirm`;

/** Why the marker of a token keeps it from an entry. */
function obstacleInMarker(
  { id, description }: Token,
  { name, secret }: TokenPolicy,
  owner: string,
  arn: string | undefined,
) {
  const marker = parseMarker(description)?.marker;
  if (marker?.owner === owner && marker.secret === secret) {
    const isElsewhere = arn !== undefined && marker.home !== homeOf(arn);
    return isElsewhere || (marker.id ?? id) !== id ? markedElsewhere(name) : undefined;
  }
  return isMarked(description) ? 'it has the marker of another secret or deployment' : undefined;
}

/** What the listing shows against an adoption. Undefined: nothing. */
function obstacle(
  entry: TokenPolicy,
  token: Token,
  { at, owner, secrets, confirmAdoption, noToken }: Around,
): string | undefined {
  const { id, permissions, description } = token;
  const marker = parseMarker(description)?.marker;
  const isProven = marker !== undefined && !isUnproven(marker);
  const seen = secrets.get(entry.secret);
  // Its secret only gets its tags back, and then a successor.
  const isTakenBack = isProven && seen !== undefined && isUntagged(seen);
  if (!isTakenBack && isExpired(token, at)) return `token ${id} has expired`;
  if (!isTakenBack && permissions.length === 0) return `token ${id} has no permissions`;
  const { arn } = seen?.secret ?? {};
  const inMarker = obstacleInMarker(token, entry, owner, arn);
  if (inMarker) return `token ${id} cannot be taken: ${inMarker}`;
  if (noToken && !isProven) return noToken.message;
  if (isProven || confirmAdoption !== undefined) return undefined;
  if (lackedPermission(id, marker ? lastingPermissions({ token, marker }) : permissions)) {
    return undefined;
  }
  return (
    `token ${id} may read and write everything, so no permission can show that the string in ${entry.secret} is its own; ` +
    `if you know that it is: keyturn adopt ${entry.name} --confirm`
  );
}

function tokenNamed(tokenId: string, seen: ObservedSecret | undefined, around: Around) {
  const owned = seen?.tokens.find(({ token }) => isNamed(tokenId, token))?.token;
  return owned ?? foreignNamed(tokenId, around);
}

export const noneHas = (tokenId: string): string =>
  `no token has the id ${tokenId}, or it is revoked; correct adopt.tokenId`;

/** Why a token that the listing does not show among those of others cannot be taken. */
function whereItIs(tokenId: string, { secrets }: Around): string {
  for (const { secret, tokens } of secrets.values()) {
    if (tokens.some(({ token }) => isNamed(tokenId, token))) {
      return `token ${tokenId} belongs to the secret ${secret.name}`;
    }
  }
  return noneHas(tokenId);
}

/** What a person is told who confirms what is not to be adopted. */
function answerToConfirmation(
  { name, adopt }: TokenPolicy,
  seen: ObservedSecret | undefined,
  around: Around,
): AdoptionDecision {
  const held = seen && forbidden(seen);
  if (held) return cannot(adopt?.tokenId, held.message);
  if (around.isRotated) {
    const why = `it was rotated since, and has no owner’s tag; keyturn rotate ${name} says how to put it back`;
    return cannot(adopt?.tokenId, why);
  }
  const current = seen && currentHolder(seen);
  if (current?.state === 'owned' && (adopt || current.owned.marker.adopted !== undefined)) {
    const tokenId = current.owned.token.id;
    const message = `is adopted: AWSCURRENT has token ${tokenId}, which is known as its own`;
    return { finding: { kind: 'AlreadyAdopted', message, tokenId } };
  }
  if (!adopt) return cannot(undefined, 'its entry in the policy has no adopt.tokenId');
  if (current?.state === 'foreign') {
    const { id } = current.token;
    return cannot(id, `AWSCURRENT has token ${id}, and adopt.tokenId is ${adopt.tokenId}`);
  }
  if (current?.state !== 'unknown') {
    return cannot(adopt.tokenId, 'AWSCURRENT has no string that could be its own');
  }
  return cannot(adopt.tokenId, whereItIs(adopt.tokenId, around));
}

/** Why a secret that lost our tag does not get it back. Undefined: nothing forbids it. */
function whyStopped({ name }: TokenPolicy, seen: ObservedSecret): string | undefined {
  const { kind, message } = forbidden(seen) ?? {};
  return kind === 'Held'
    ? `${message}; it has lost our tag, too, which keyturn takeover ${name} puts back`
    : message;
}

/**
 * Decides about the adoption of one entry, by what the listing shows.
 * @param seen absent: the secret is not ours
 */
export function decideAdoption(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  around: Around,
): AdoptionDecision {
  const { confirmAdoption: confirmedBy } = around;
  const stopped = seen && isUntagged(seen) ? whyStopped(entry, seen) : undefined;
  if (entry.adopt && stopped !== undefined) return cannot(entry.adopt.tokenId, stopped);
  const tokenId = tokenToAdopt(entry, seen, around);
  if (tokenId === undefined) {
    return confirmedBy === undefined ? {} : answerToConfirmation(entry, seen, around);
  }
  const token = tokenNamed(tokenId, seen, around);
  if (!token) return cannot(tokenId, whereItIs(tokenId, around));
  const why = obstacle(entry, token, around);
  if (why !== undefined) {
    const { message, isUnseen = false } = around.noToken ?? {};
    const isUnknown = isUnseen && why === message;
    return cannot(token.id, why, isUnknown ? 'nobody knows whether it can be adopted' : undefined);
  }
  const action: Adoption = {
    kind: 'adopt',
    token: entry.name,
    secret: entry.secret,
    tokenId: token.id,
    reason: 'Adopted',
    ...(confirmedBy !== undefined && { confirmedBy }),
  };
  return { action };
}

/** Whether AWSCURRENT has a token that was taken over before, and lost its marker. */
export function wasAdopted(seen: ObservedSecret | undefined): boolean {
  const holder = seen && currentHolder(seen);
  return holder?.state === 'foreign' && holder.adoptedAt !== undefined;
}

/**
 * Whether the adoption comes before a rotation: the secret is not ours yet, or has a string that nobody knows and
 * that works, as far as is known, and no person asked for a rotation by name. Of a token that was taken over before and
 * lost its marker, what is due and what it lacks comes first: otherwise a tool that takes the marker again and again
 * would put the rotation off for ever.
 */
export function adoptsFirst(
  seen: ObservedSecret | undefined,
  { action, finding }: AdoptionDecision,
  { forced, refused }: { readonly forced: boolean; readonly refused: boolean },
): boolean {
  if (!action && !finding) return false;
  if (!seen) return true;
  return currentHolder(seen)?.state !== 'owned' && !wasAdopted(seen) && !forced && !refused;
}
