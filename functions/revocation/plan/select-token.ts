import type { Policy } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { isMarkedByOthers, markerOfOthers } from '../../tokens/marker.ts';
import {
  asOwned,
  type ObservedSecret,
  type ObservedToken,
  type OwnedToken,
  secretNamedIn,
} from '../../tokens/observation.ts';
import { isVersionOf, ownedPending, provenCurrent } from '../../tokens/state.ts';
import { versionIdOf } from '../../tokens/version-id.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import { findSuccessor } from './decide-revocation.ts';
import { bearsTrace, isRepeatedIn } from './given-before.ts';
import { hiddenTokens, homeOfToken, refuseHidden } from './hidden-tokens.ts';
import { findByFingerprint } from './known-token.ts';
import { ENDING_WAYS, needsNoAws, orderId, UNDOING_WAYS } from './order.ts';
import {
  isCutShort,
  NONE,
  type OrderObservation,
  SelectionError,
  type Target,
  whole,
} from './target.ts';
import { candidatesAmong, mayBeOneOf, NOWHERE, unknownBecause } from './unknown-string.ts';

/** The version that consumers get next. Of a token that is gone, or that somebody went back from, AWSPENDING tells nothing. */
function waitingVersion(seen: ObservedSecret): string | undefined {
  const version = pendingVersion(seen.secret);
  const state = seen.holders.get(version ?? '')?.state;
  const isOver = state === 'gone' || (state === 'owned' && !ownedPending(seen));
  return isOver ? undefined : version;
}

/** Whether this token is current or pending: an order about it means its whole secret. */
export const isInUse = (seen: ObservedSecret, id: string, versions: readonly string[]): boolean =>
  [seen.secret.labels.AWSCURRENT, waitingVersion(seen)].some(
    (version) => version !== undefined && isVersionOf({ id, versions }, seen, version),
  );

/**
 * Versions that have the string of a token, as far as their ids tell, or the marker of one that lives: of a dead one it
 * proves nothing. It means versions of its own secret; another one may have one of the same id.
 */
function versionsIn({ secret }: ObservedSecret, id: string, owned: OwnedToken | undefined) {
  if (!owned || owned.token.revokedAt !== undefined) return [versionIdOf(id), id];
  return owned.marker.secret === secret.name ? owned.versions : [];
}

/** The secret in which this token is current or pending, or was until `revoke` replaced it: all its tokens are meant. */
function secretOf(
  id: string,
  owned: OwnedToken | undefined,
  request: RevocationRequest,
  { secrets, at, endedIn }: OrderObservation,
) {
  const own = secrets.get(owned?.marker.secret ?? '');
  const all = [...(own ? [own] : []), ...secrets.values()];
  const read = endedIn?.isInUse ? secrets.get(endedIn.secret) : undefined;
  const labelled = all.find((seen) => isInUse(seen, id, versionsIn(seen, id, owned))) ?? read;
  if (labelled || request.way !== 'replace') return labelled;
  const order = { id: orderId(request), namedToken: id };
  return all.find((seen) => findSuccessor(seen, order, at)?.marker.replaces === id);
}

/** The secret of a token that is gone, where an order like this one may have ended others of it: then all is proven. */
function withTrace(
  name: string,
  request: RevocationRequest,
  { secrets }: OrderObservation,
): string[] {
  const seen = secrets.get(name);
  const order = { id: orderId(request), way: request.way };
  return seen && ENDING_WAYS.includes(request.way) && bearsTrace(seen, order) ? [name] : [];
}

/**
 * A token that is gone. Its death can be proven, and told; nothing gives it back. An earlier order may have ended all tokens
 * of its secret with it.
 * @param home its secret, as far as that is known
 */
function selectRevoked(
  id: string,
  home: string | undefined,
  request: RevocationRequest,
  around: OrderObservation,
): Target {
  if (UNDOING_WAYS.includes(request.way)) {
    const held = home === undefined ? undefined : around.secrets.get(home);
    const next =
      held && holdOf(held.secret)
        ? `${home} is on hold, and gets another one when that is lifted by its name: "secret": "${home}" (--secret ${home})`
        : 'keyturn rotate mints another one';
    throw new SelectionError(
      `the token ${id} is revoked, and nothing gives a revoked token back; nothing was done; ${next}`,
    );
  }
  return {
    ...NONE,
    gone: [id],
    proven: home === undefined ? [] : withTrace(home, request, around),
  };
}

/** A token that the cluster does not show: it was ended before, if a version of a secret is all that is left of it. */
function selectUnlisted(id: string, request: RevocationRequest, around: OrderObservation): Target {
  if (isCutShort(around)) {
    throw new SelectionError(
      `no listed token has the id ${id}, but the listing is cut: it may live; nothing was done; give the order again`,
    );
  }
  if (around.endedIn) return selectRevoked(id, around.endedIn.secret, request, around);
  throw new SelectionError(
    `the cluster shows no token ${id}: it was deleted, or the id is wrong; check it, or find the token by its string (--leaked)`,
  );
}

/** Another deployment has a successor for its token, and here it has none. */
function refuseOfOthers(token: OrderObservation['tokens'][number], owner: string): void {
  if (!isMarkedByOthers(token.description, owner)) return;
  const other = markerOfOthers(token, owner);
  const whose = other
    ? `belongs to the deployment "${other.owner}" (${other.secret})`
    : 'bears a marker of another deployment, or one that cannot be read';
  throw new SelectionError(
    `${token.id} ${whose}, and here it has no successor; nothing was done; give the order to that deployment, by its policy; to end it all the same, use "way": "delete" (--delete)`,
  );
}

/** A quarantine, and a question, are about the token alone, though consumers have it. */
const ALONE: readonly RevocationWay[] = ['restore', 'whois'];

/** Of a question it is told where consumers have the token: in its home. */
const alone = (
  observed: ObservedToken,
  { way }: RevocationRequest,
  home: ObservedSecret | undefined,
): Target => ({
  ...NONE,
  secrets: home && way === 'whois' ? [home.secret.name] : [],
  single: [observed],
  namedToken: observed.token.id,
});

export function selectToken(
  id: string,
  request: RevocationRequest,
  around: OrderObservation,
  { owner }: Policy,
): Target {
  const token = around.tokens.find((each) => each.id === id);
  // Also one that is gone may be what consumers read.
  const owned = token && asOwned(token, owner, secretNamedIn(around));
  const home = secretOf(id, owned, request, around);
  // Nothing here may change a replica, and to end its token needs the cluster alone.
  const isOfReplica = home?.secret.replica && needsNoAws(request);
  if (home && !ALONE.includes(request.way) && !isOfReplica) return whole([home.secret.name], id);
  if (!token) return selectUnlisted(id, request, around);
  if (token.revokedAt !== undefined) {
    return selectRevoked(id, owned?.marker.secret, request, around);
  }
  const own = homeOfToken({ token, ...(owned && { owned }) }, request.way, around.secrets);
  // No token of the secret is proven current, so consumers may be using this one: it gets a successor.
  if (request.way === 'replace' && own && !provenCurrent(own, around.at)) {
    return whole([own.secret.name], id);
  }
  const hidden = hiddenTokens(around, owner).find((each) => each.token.id === id);
  if (hidden) refuseHidden(hidden, request, around);
  const ours = owned ?? hidden;
  if (!ours && request.way === 'replace') refuseOfOthers(token, owner);
  return alone({ token, ...(ours && { owned: ours }) }, request, home);
}

/** An order that would change something fails; a dry run and `whois` answer with the candidates. */
function selectUnknown(
  unknown: string,
  { way, dryRun }: RevocationRequest,
  around: OrderObservation,
): Target {
  if (dryRun || way === 'whois') return { ...NONE, unknown };
  const which = mayBeOneOf(candidatesAmong(around), isCutShort(around));
  throw new SelectionError(`${unknown}; nothing was done; ${which}`);
}

export function selectFingerprint(
  fingerprint: string,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target {
  const [found, another] = findByFingerprint(around.tokens, fingerprint);
  if (another) {
    throw new SelectionError(
      `several markers have the fingerprint ${fingerprint}: ${found?.id}, ${another.id}; name one by its id`,
    );
  }
  const { leaked = NOWHERE } = around;
  const id = found?.id ?? leaked.tokenId;
  if (id !== undefined) return selectToken(id, request, around, policy);
  const proven = leaked.secrets.filter((name) => isRepeatedIn(name, request, around));
  if (proven.length > 0) return { ...NONE, proven };
  const why = unknownBecause(fingerprint, leaked, around, isCutShort(around));
  const notCompared = policy.tokens.flatMap(({ name, secret, adopt }) =>
    adopt && !around.secrets.has(secret)
      ? `; ${name} was not adopted yet, so its string was not compared: by the policy its consumers have ${adopt.tokenId}`
      : [],
  );
  return selectUnknown([why, ...notCompared].join(''), request, around);
}
