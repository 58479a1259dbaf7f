import type { Permission, Token } from '../../management-api/token.ts';
import { entryOf, type Policy } from '../../policy/policy.ts';
import { pendingVersion, type Secret } from '../../secrets-manager/secret.ts';
import { formatInstant } from '../../time.ts';
import { type Marker, parseMarker } from '../../tokens/marker.ts';
import { asOwned, type OwnedToken } from '../../tokens/observation.ts';
import { stateOf } from '../../tokens/state.ts';
import type { KnownToken } from '../report.ts';

/** What else is known when a token is described. */
export interface KnownAbout {
  /** The Management API's time, in milliseconds since 1970. */
  readonly now: number;
  /** Of the deployment that asks. */
  readonly policy: Pick<Policy, 'owner' | 'tokens'>;
  /** Secrets of the deployment by name. Absent: AWS was not asked, so the labels are not known. */
  readonly secrets?: ReadonlyMap<string, Secret>;
  /** Names of secrets that could not be looked at: of them only the marker is known. */
  readonly unseen?: ReadonlySet<string>;
}

/** The permissions of a token; for a frozen or quarantined one those that were taken away. */
export const grantsOf = (token: Token, marker: Marker | undefined): readonly Permission[] =>
  token.permissions.length > 0 ? token.permissions : (marker?.was ?? []);

function labelOf(
  secret: Secret | undefined,
  { versions }: OwnedToken,
): 'current' | 'pending' | undefined {
  if (!secret) return undefined;
  if (versions.includes(secret.labels.AWSCURRENT ?? '')) return 'current';
  return versions.includes(pendingVersion(secret) ?? '') ? 'pending' : undefined;
}

/** Describes a token for people. The token alone is enough. */
export function knowToken(token: Token, about: KnownAbout): KnownToken {
  const { owner } = about.policy;
  const { marker, text } = parseMarker(token.description) ?? { text: token.description };
  const secret = marker && about.secrets?.get(marker.secret);
  const claimed = marker?.owner === owner && (marker.id === undefined || marker.id === token.id);
  const owned = about.secrets
    ? asOwned(token, owner, (name) => about.secrets?.get(name))
    : undefined;
  const isAsked = about.secrets && !about.unseen?.has(marker?.secret ?? '');
  const isOurs = isAsked ? owned !== undefined : claimed;
  const name = marker && entryOf(about.policy, marker.secret)?.name;
  return {
    tokenId: token.id,
    ...(isOurs && name !== undefined && { token: name }),
    ...(marker && { secret: marker.secret, owner: marker.owner }),
    owned: isOurs,
    description: text,
    permissions: grantsOf(token, marker),
    createdAt: formatInstant(token.createdAt),
    ...(token.expiresAt !== undefined && { expiresAt: formatInstant(token.expiresAt) }),
    state: stateOf({ token, marker, label: owned && labelOf(secret, owned) }, about.now),
  };
}

/**
 * Every token, of any state and owner, whose marker has this fingerprint. People copy descriptions: a marker that
 * names another token says nothing of this one, and of several those count that name their own.
 */
export function findByFingerprint(tokens: readonly Token[], fingerprint: string): Token[] {
  const bearing = tokens.flatMap((token) => {
    const marker = parseMarker(token.description)?.marker;
    const { fp, id = token.id } = marker ?? {};
    return fp === fingerprint && id === token.id ? [{ token, isNamed: marker?.id === id }] : [];
  });
  const named = bearing.filter(({ isNamed }) => isNamed);
  return (named.length > 0 ? named : bearing).map(({ token }) => token);
}
