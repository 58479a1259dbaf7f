import type { Hold } from '../../secrets-manager/hold.ts';

/** Sets the secret's hold, so that no schedule undoes the order. */
export interface Holding {
  readonly kind: 'hold';
  readonly secret: string;
  readonly hold: Hold;
}

/** Removes that hold. */
export interface Release {
  readonly kind: 'release';
  readonly secret: string;
  /** That hold in words: who set it, when and why. */
  readonly hold: string;
}

/** Mints, stores, arms, verifies and promotes a successor. `tokenId`: continues with this one. */
export interface CurrentReplacement {
  readonly kind: 'replace';
  readonly secret: string;
  readonly tokenId?: string;
}

/** Takes a label off a version, so that nobody rolls back to a revoked token. */
export interface LabelDetachment {
  readonly kind: 'detach-label';
  readonly secret: string;
  readonly label: string;
  /** Id of the version that has the label. */
  readonly version: string;
}

/** An action on one token. No secret: the token is not ours. */
interface OfToken {
  readonly tokenId: string;
  readonly secret?: string;
}

/** Takes the permissions away; the marker keeps them. */
export interface Stripping extends OfToken {
  readonly kind: 'strip';
}

export interface TokenDeletion extends OfToken {
  readonly kind: 'delete';
}

/** Gives back the permissions that freezing or quarantine took away. */
export interface GivingBack {
  readonly kind: 'give-back';
  readonly tokenId: string;
  readonly secret: string;
}

/** An action of an order about one token by itself. */
export type SingleTokenAction = LabelDetachment | Stripping | TokenDeletion | GivingBack;

/** One action of a revocation. */
export type RevocationAction = Holding | Release | CurrentReplacement | SingleTokenAction;
