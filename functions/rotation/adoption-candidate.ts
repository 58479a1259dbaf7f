import type { Token } from '../management-api/token.ts';
import { namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { BareOutcome } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf, holdSince } from '../secrets-manager/hold.ts';
import { OWNER_TAG, type Secret } from '../secrets-manager/secret.ts';
import type { TokenValue } from '../token-value.ts';
import { OwnershipError, refuseForeignSecret } from '../tokens/claim-secret.ts';
import { homeOf, isMarked, type Marker, parseMarker } from '../tokens/marker.ts';
import { type OwnedToken, ownedToken } from '../tokens/observation.ts';
import { isUnproven, lastingPermissions, leftOfProof } from '../tokens/proof.ts';
import { refuseOutsiders } from '../tokens/refuse-outsiders.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import { isExpired } from '../tokens/state.ts';
import { markedElsewhere, noneHas } from './plan/decide-adoption.ts';
import type { Unadopted } from './plan/entry-state.ts';
import type { Adoption } from './plan/rotation-action.ts';

/** The token or the secret cannot be adopted as the entry says. */
export class AdoptionError extends Error {
  override readonly name = 'AdoptionError';
  /** How it is with the consumers of the secret. */
  readonly consumers: Unadopted;

  constructor(message: string, consumers: Unadopted = 'unadopted') {
    super(message);
    this.consumers = consumers;
  }
}

/** A token and a secret that may be adopted, if the string in the secret is the token's. */
export interface Candidate {
  readonly secret: Secret;
  /** Id of AWSCURRENT's version. */
  readonly version: string;
  readonly value: TokenValue;
  /** The token as `GET` has it, with the marker that it has or gets. */
  readonly owned: OwnedToken;
}

/** Whether the string is known to be the token's: it was proven, or Keyturn minted it. */
export const isBelieved = ({ owned: { marker }, value }: Candidate): boolean =>
  marker.fp === value.fingerprint() && !isUnproven(marker);

async function currentString(
  entry: TokenPolicy,
  { labels }: Secret,
  { secrets }: Tools,
): Promise<Pick<Candidate, 'version' | 'value'>> {
  const version = labels.AWSCURRENT;
  const text = version && (await secrets.value(entry.secret, version));
  if (!text) throw new AdoptionError(`${entry.secret} has no current value to adopt`, 'missing');
  return { version, value: readTokenString(entry, text, { known: [] }) };
}

/** @throws OwnershipError if the token has a marker that is not of this secret */
function markerOf(
  { id, description }: Token,
  { name, arn }: Secret,
  owner: string,
  entry: string,
): Pick<OwnedToken, 'marker' | 'text'> {
  const marker: Marker = { owner, secret: name, home: homeOf(arn), id };
  if (!isMarked(description)) return { marker, text: description };
  const parsed = parseMarker(description);
  const own = parsed?.marker;
  const isOurs =
    own?.owner === owner && own.home === marker.home && (own.id === undefined || own.id === id);
  if (!parsed || !isOurs) {
    const isMoved = own?.owner === owner && own.secret === name;
    throw new OwnershipError(
      isMoved
        ? `token ${id} cannot be taken: ${markedElsewhere(entry)}`
        : `token ${id} has the marker of another secret or deployment, so ${name} cannot adopt it`,
    );
  }
  return { marker: { ...parsed.marker, id }, text: parsed.text };
}

/** A token has one string for life: what was proven once needs no proof against another one, whose marks would take its place. */
function refuseKnownOther({ secret, owned: { token, marker } }: Candidate, name: string): void {
  if (marker.fp === undefined || isUnproven(marker)) return;
  throw new AdoptionError(
    `the string in ${secret.name} is not that of token ${token.id}, which is known: if consumers shall have what is there now, put the id of its token into adopt.tokenId; otherwise put the secret's tag back (keyturn rotate ${name} says how), and it is replaced when its rotation is due, or by that command`,
  );
}

async function existingToken(id: string, { api }: Tools): Promise<Token> {
  const token = await api.getToken(id);
  if (!token || token.revokedAt !== undefined) {
    throw new AdoptionError(noneHas(id));
  }
  return token;
}

/** Nothing could show that a string is that of such a token. */
function refuseUseless(token: Token, { apiNow }: Tools): void {
  const { id, permissions } = token;
  if (isExpired(token, apiNow())) throw new AdoptionError(`token ${id} has expired`);
  if (permissions.length === 0) throw new AdoptionError(`token ${id} has no permissions`);
}

/** Refuses a string that cannot be the token's. That it is accepted proves nothing yet. */
async function refuseOtherString(
  { value, secret, owned }: Candidate,
  { dataPlane, policy }: Tools,
): Promise<void> {
  const { token } = owned;
  const databases = namedDatabases(policy);
  const { answer, detail, mixed } = await dataPlane.burst(value, lastingPermissions(owned), {
    databases,
  });
  if (answer === 'accepted' || answer === 'nothing-to-probe') return;
  if (mixed) {
    throw new AdoptionError(
      `the cluster accepts the string in ${secret.name} for a part of what token ${token.id} may do: it is another token's, or not every router knows of a change yet; the next run asks again (${detail})`,
    );
  }
  throw new AdoptionError(
    answer === 'refused'
      ? `the cluster does not accept the string in ${secret.name} for what token ${token.id} may do`
      : `the cluster did not say whether it accepts the string in ${secret.name}; the next run asks again (${detail})`,
    answer === 'refused' ? 'refused' : 'unadopted',
  );
}

/**
 * Reads what an entry wants to adopt, and checks all that can be checked without changing anything.
 * Resolves to an outcome if nothing is to be done now.
 * @throws AdoptionError, OwnershipError, OutsiderError or SecretShapeError
 */
export async function readCandidate(
  entry: TokenPolicy,
  { tokenId }: Adoption,
  tools: Tools,
): Promise<Candidate | BareOutcome> {
  const { policy, secrets } = tools;
  const secret = await secrets.describe(entry.secret);
  if (!secret) {
    const why = `no secret has the name ${entry.secret}, so there is nothing to adopt: correct the name, or, if it was deleted for good, take adopt out of the entry, and the next run makes it, with a token of its own`;
    throw new AdoptionError(why, 'missing');
  }
  const isTagged = secret.tags[OWNER_TAG] !== undefined;
  if (isTagged) refuseForeignSecret(secret, policy);
  if (secret.deletedAt !== undefined || secret.replica) {
    const what = secret.replica ? 'a replica' : 'scheduled for deletion';
    throw new AdoptionError(`${entry.secret} is ${what}, so it cannot be adopted`);
  }
  if (holdOf(secret)) return { result: 'held', heldSince: holdSince(secret) };
  const token = await existingToken(tokenId, tools);
  const { version, value } = await currentString(entry, secret, tools);
  const owned = ownedToken(token, markerOf(token, secret, policy.owner, entry.name));
  const candidate = { secret, version, value, owned };
  if (isBelieved(candidate)) {
    // An earlier run adopted it, and the listing does not show that yet; or it died before the tag.
    return isTagged && !leftOfProof(owned) ? { result: 'skipped' } : candidate;
  }
  refuseUseless(token, tools);
  await refuseOutsiders({ secret, holders: new Map() }, tools);
  await refuseOtherString(candidate, tools);
  refuseKnownOther(candidate, entry.name);
  return candidate;
}
