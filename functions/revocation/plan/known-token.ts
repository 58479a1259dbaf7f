import type { Permission, Token } from '../../management-api/token.ts';
import { pendingVersion, type Secret } from '../../secrets-manager/secret.ts';
import { formatInstant, type Marker, parseMarker } from '../../tokens/marker.ts';
import { asOwned } from '../../tokens/observation.ts';
import type { KnownToken, TokenState } from '../report.ts';

/** What is known beside the token; the less of it, the less is told. */
export interface Acquaintance {
  /** By the Management API's time. */
  readonly now: number;
  /** The deployment that asks. */
  readonly owner: string;
  /** The policy's tokens. */
  readonly entries: readonly { readonly name: string; readonly secret: string }[];
  /** Secrets of the deployment by name; absent: AWS was not asked, and its labels are unknown. */
  readonly secrets?: ReadonlyMap<string, Secret>;
}

/** What a token may do or, frozen or quarantined, might. */
export const grantsOf = (token: Token, marker: Marker | undefined): readonly Permission[] =>
  token.permissions.length > 0 ? token.permissions : (marker?.was ?? []);

function labelState(secret: Secret | undefined, version: string): TokenState | undefined {
  if (!secret) return undefined;
  if (secret.labels.AWSCURRENT === version) return 'current';
  return pendingVersion(secret) === version ? 'pending' : undefined;
}

function stateOf(
  token: Token,
  marker: Marker | undefined,
  label: TokenState | undefined,
  now: number,
): TokenState {
  if (token.revokedAt !== undefined) return 'revoked';
  if (token.expiresAt !== undefined && token.expiresAt <= now) return 'expired';
  if (marker?.frozen !== undefined) return 'frozen';
  if (marker?.quarantined !== undefined) return 'quarantined';
  if (token.permissions.length === 0) {
    return marker && marker.fp === undefined ? 'inert' : 'stripped';
  }
  return label ?? (marker?.superseded === undefined ? 'live' : 'superseded');
}

/** Reads a token as people want to know it. Works from the token alone. */
export function knowToken(token: Token, about: Acquaintance): KnownToken {
  const { marker, text } = parseMarker(token.description) ?? { text: token.description };
  const secret = marker && about.secrets?.get(marker.secret);
  const claimed =
    marker?.owner === about.owner && (marker.id === undefined || marker.id === token.id);
  const owned = about.secrets
    ? asOwned(token, about.owner, (name) => about.secrets?.get(name))
    : undefined;
  const isOurs = about.secrets ? owned !== undefined : claimed;
  const name = about.entries.find((entry) => entry.secret === marker?.secret)?.name;
  return {
    tokenId: token.id,
    ...(isOurs && name !== undefined && { token: name }),
    ...(marker && { secret: marker.secret, owner: marker.owner }),
    owned: isOurs,
    description: text,
    permissions: grantsOf(token, marker),
    createdAt: formatInstant(token.createdAt),
    ...(token.expiresAt !== undefined && { expiresAt: formatInstant(token.expiresAt) }),
    state: stateOf(token, marker, owned && labelState(secret, owned.version), about.now),
  };
}

/** Every token, of any age and owner, whose marker bears the fingerprint of a string. */
export const findByFingerprint = (tokens: readonly Token[], fingerprint: string) =>
  tokens.filter(({ description }) => parseMarker(description)?.marker.fp === fingerprint);
