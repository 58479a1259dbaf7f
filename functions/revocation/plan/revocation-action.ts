import type { Hold } from '../../secrets-manager/secret.ts';

/** Tags the secret, so that no schedule gives anything back. */
export interface Holding {
  readonly kind: 'hold';
  readonly secret: string;
  readonly hold: Hold;
}

/** Removes that tag. */
export interface Release {
  readonly kind: 'release';
  readonly secret: string;
}

/** Mints, stores, arms, verifies and promotes a successor, or goes on with the one that has an id already. */
export interface Succession {
  readonly kind: 'replace';
  readonly secret: string;
  readonly tokenId?: string;
}

/** Takes a label off a version, so that nobody rolls back to what is revoked. */
export interface LabelDetachment {
  readonly kind: 'detach-label';
  readonly secret: string;
  readonly label: string;
  /** Id of the version that has the label. */
  readonly version: string;
}

/** Something that is done to one token; without a secret it is not ours. */
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

/** Gives back what freezing or quarantine took away. */
export interface Restoration extends OfToken {
  readonly kind: 'give-back';
}

/** What may be done to a token that is dealt with by itself. */
export type SingleTokenAction = LabelDetachment | Stripping | TokenDeletion | Restoration;

/** One action of a revocation, in the order in which they are taken. */
export type RevocationAction = Holding | Release | Succession | SingleTokenAction;
