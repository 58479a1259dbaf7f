import type { Token } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { counted } from '../../run/counted.ts';
import { holdSince, missingTraces } from '../../secrets-manager/hold.ts';
import { HOUR_MS } from '../../time.ts';
import { parseMarker } from '../../tokens/marker.ts';
import {
  asOwned,
  type ObservedSecret,
  type ObservedToken,
  type OwnedToken,
  ownedToken,
  secretNamedIn,
} from '../../tokens/observation.ts';
import { isInert, works } from '../../tokens/state.ts';
import type { RevocationRequest } from '../request.ts';
import { foreignHolders } from './decide-revocation.ts';
import { mayHaveEnded } from './given-before.ts';
import { needsNoAws, UNDOING_WAYS } from './order.ts';
import { type OrderObservation, SelectionError, type Target } from './target.ts';
import { listed } from './unknown-string.ts';
import { type IsMeant, unseenIn } from './unseen.ts';

/** A token as ours, whatever secret its marker names. */
function ofOwner(token: Token, owner: string): OwnedToken[] {
  const parsed = parseMarker(token.description);
  const { owner: of, id = token.id } = parsed?.marker ?? {};
  return parsed && of === owner && id === token.id ? [ownedToken(token, parsed)] : [];
}

/** Live tokens whose markers name our owner, and a secret that Secrets Manager does not show. */
export function hiddenTokens({ tokens, secrets }: OrderObservation, owner: string): OwnedToken[] {
  const visible = new Set(
    [...secrets.values()].flatMap((seen) => [
      ...seen.tokens.map(({ token }) => token.id),
      ...foreignHolders(seen).map(({ id }) => id),
    ]),
  );
  return tokens.flatMap((token) => {
    return token.revokedAt !== undefined || visible.has(token.id) ? [] : ofOwner(token, owner);
  });
}

/** Since when this order, or one that says the same, deletes what is in our secrets, as far as their holds tell. */
export function deletedSince(
  { way, reason, by }: Pick<RevocationRequest, 'way' | 'reason' | 'by'>,
  secrets: Iterable<ObservedSecret>,
): number | undefined {
  if (way !== 'delete' || reason === undefined) return undefined;
  const since = [...secrets].flatMap(({ secret }) =>
    missingTraces(secret, 'deleted', { by, reason }).includes('tag') ? [] : holdSince(secret),
  );
  return since.length > 0 ? Math.min(...since) : undefined;
}

/** Such tokens that were deleted within an hour, or since the same order was given first: it may have ended them. */
export function endedHidden(
  around: OrderObservation,
  request: RevocationRequest,
  owner: string,
): OwnedToken[] {
  if (request.way !== 'delete') return [];
  const { tokens, secrets, at } = around;
  const since = Math.min(deletedSince(request, secrets.values()) ?? at, at) - HOUR_MS;
  return tokens.flatMap((token) => {
    const isEnded = token.revokedAt !== undefined && token.revokedAt >= since;
    if (!isEnded || asOwned(token, owner, secretNamedIn(around))) return [];
    return ofOwner(token, owner).filter((owned) => mayHaveEnded(owned, at));
  });
}

/** An order stops that means what was not looked at. */
export function refuseUnseen(
  around: OrderObservation,
  { way }: Pick<RevocationRequest, 'way'>,
  isMeant: IsMeant,
): void {
  const unseen = unseenIn(around, isMeant);
  if (!unseen) return;
  const instead = UNDOING_WAYS.includes(way)
    ? ''
    : '; a token can be ended all the same, by its id or its string, with "way": "freeze" (--freeze) or "way": "delete" (--delete)';
  throw new SelectionError(`${unseen.said}; nothing was done${instead}`);
}

/** Whether this may be the wrong account or Region: nothing of the owner is there, not even without its tag. */
export const isNothingShown = (
  { withoutSecrets }: Pick<RevocationRequest, 'withoutSecrets'>,
  { secrets, unseen = [] }: OrderObservation,
): boolean =>
  secrets.size === 0 && !withoutSecrets && !unseen.some(({ notOurs }) => notOurs !== undefined);

/**
 * The question where a name selects nothing here though its tokens may work: Secrets Manager shows nothing of the
 * owner, or not that secret.
 */
export function notShownHere(
  { owner }: Policy,
  around: OrderObservation,
  hidden: readonly OwnedToken[],
  { way }: Pick<RevocationRequest, 'way'>,
): string {
  const unseen = unseenIn(around, (name) => hidden.some(({ marker }) => marker.secret === name));
  const ids = hidden.map(({ token }) => token.id);
  const isUndoing = UNDOING_WAYS.includes(way);
  const byId = 'with "way": "freeze" (--freeze) or "way": "delete" (--delete)';
  if (unseen?.notOurs) {
    return isUndoing
      ? unseen.said
      : `${unseen.said}; or end tokens by their ids (${listed(ids)}), ${byId}`;
  }
  const where =
    unseen?.said ??
    (around.secrets.size === 0
      ? `Secrets Manager shows no secret of the owner ${owner} here`
      : `Secrets Manager does not show ${[...new Set(hidden.map(({ marker }) => marker.secret))].join(', ')} here`);
  const which =
    ids.length === 0
      ? ''
      : `, and ${counted(ids.length, 'token')} of what is meant: ${listed(ids)}`;
  const question = `${where}${which}; is this the wrong account or Region?`;
  if (!isUndoing) return `${question} If not, end tokens by their ids, ${byId}`;
  if (ids.length === 0) return question;
  return `${question} If not, give the order by the ids of the tokens, with "withoutSecrets": true (--without-secrets)`;
}

/**
 * The secret that a token is in, if it is one that we see, and not only its namesake. One without our marker is in that whose
 * label has its string. Nothing is given back under the hold of
 * a namesake either: it is all that is known of the name.
 */
export function homeOfToken(
  { token, owned }: ObservedToken,
  way: RevocationRequest['way'],
  secrets: ReadonlyMap<string, ObservedSecret>,
): ObservedSecret | undefined {
  if (!owned) {
    return [...secrets.values()].find((each) =>
      foreignHolders(each).some(({ id }) => id === token.id),
    );
  }
  const seen = secrets.get(owned.marker.secret);
  if (UNDOING_WAYS.includes(way)) return seen;
  return seen?.tokens.some((each) => each.token.id === token.id) ? seen : undefined;
}

/** Whether a way needs no secret of a token that it is about. */
const reachesHidden = (way: RevocationRequest['way']): boolean =>
  way === 'freeze' || way === 'delete' || way === 'whois';

/**
 * Adds hidden tokens: those of a secret that was deleted for good, though another one may have its name by now,
 * or of another account. Nothing here reads their strings, so `replace` has no successor for them and leaves them;
 * of those that can do nothing there is nothing to tell.
 */
export function withHidden(
  target: Target,
  hidden: readonly OwnedToken[],
  { way, selector }: Pick<RevocationRequest, 'way' | 'selector'>,
  around: OrderObservation,
): Target {
  if (way === 'replace') {
    return { ...target, hidden: hidden.filter(({ token }) => works(token, around.at)) };
  }
  const isGivenBack = (owned: OwnedToken) =>
    way === 'unfreeze' && owned.marker.frozen !== undefined && !isInert(owned);
  // What another order froze in a secret that is gone, nobody gives back by the name of a new one, or by a whole database.
  const isNamed = selector.kind === 'token' || selector.kind === 'secret';
  // And a secret that could not be looked at may be on hold.
  const isLeft = ({ marker: { secret } }: OwnedToken) =>
    !isNamed || around.secrets.has(secret) || unseenIn(around, (name) => name === secret);
  const meant = hidden.filter((each) => reachesHidden(way) || (isGivenBack(each) && !isLeft(each)));
  const left = hidden.filter((each) => isGivenBack(each) && isLeft(each));
  const single = meant.map((owned) => ({ token: owned.token, owned }));
  return { ...target, single: [...target.single, ...single], hidden: left };
}

/** The order's token has our owner, and no secret that we see: the account or the Region may be the wrong one. */
export function refuseHidden(
  { marker, token }: OwnedToken,
  request: RevocationRequest,
  around: OrderObservation,
): void {
  if (around.awsError !== undefined || request.withoutSecrets || request.way === 'whois') return;
  const isSecret = (name: string) => name === marker.secret;
  if (unseenIn(around, isSecret) && needsNoAws(request)) return;
  refuseUnseen(around, request, isSecret);
  const which = around.secrets.has(marker.secret)
    ? `another ${marker.secret} than the one here, which was made again or is of another account`
    : `${marker.secret}, which Secrets Manager does not show here`;
  const where = `${token.id} belongs to ${which}: is this the wrong account or Region?`;
  if (request.way === 'replace') {
    throw new SelectionError(
      `${where} Without it there would be no successor; if the secret is really gone, use "way": "delete" (--delete)`,
    );
  }
  if (around.secrets.size > 0) return;
  throw new SelectionError(
    `${where} If the secrets are really gone, add "withoutSecrets": true (--without-secrets)`,
  );
}
