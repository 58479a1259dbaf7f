import type { Token } from '../../management-api/token.ts';
import type { ObservedSecret, ObservedToken, OwnedToken } from '../../tokens/observation.ts';
import type { LeakedSearch } from './unknown-string.ts';
import type { Unseen } from './unseen.ts';

/** What was selected does not exist, or more than one thing fits; nothing was done. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/** What an order is about: whole secrets, and single tokens. */
export interface Target {
  readonly secrets: readonly string[];
  /** Tokens that are revoked by themselves: they are neither current nor pending, or no secret that we see has them. */
  readonly single: readonly ObservedToken[];
  /** Tokens with our owner that the order means and does not end: their secrets are not visible, so they would get no successor. */
  readonly hidden: readonly OwnedToken[];
  /** The id of the token that was named by id or fingerprint. */
  readonly namedToken?: string;
  /** Secrets in which nothing is done, and all is proven that an earlier order like this one may have ended. */
  readonly proven: readonly string[];
  /** Ids of tokens that are revoked already: the one that was named, or those whose secrets are not visible. */
  readonly gone: readonly string[];
  /** Why nobody knows whose string has the fingerprint that was named. Then nothing is selected. */
  readonly unknown?: string;
}

/** A token that was named, and that the cluster does not show any more. */
export interface Ended {
  /** The secret that still has a version of it. */
  readonly secret: string;
  /** Its consumers read that token's string. */
  readonly isInUse: boolean;
}

/** The part of the observation that a selection needs. */
export interface OrderObservation {
  readonly at: number;
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  readonly tokens: readonly Token[];
  /** Ids of live tokens that the listing lacks though it ought to show them. */
  readonly unlisted?: readonly string[];
  readonly unseen?: readonly Unseen[];
  /** Why Secrets Manager could not be asked. Absent: it answered. */
  readonly awsError?: string;
  /** Absent: no fingerprint was named, or a marker bears it. */
  readonly leaked?: LeakedSearch | undefined;
  /** Secrets that get no successor, and why. Absent: nobody looked. */
  readonly noToken?: ReadonlyMap<string, string>;
  /** Absent: the cluster shows the token that was named, or no secret has a version of it. */
  readonly endedIn?: Ended;
}

export const NONE: Target = { secrets: [], single: [], hidden: [], proven: [], gone: [] };

export const whole = (secrets: readonly string[], namedToken?: string): Target => ({
  ...NONE,
  secrets,
  ...(namedToken !== undefined && { namedToken }),
});

/** Whether the listing is known to lack live tokens: then nothing can be said of every one. */
export const isCutShort = ({ unlisted = [] }: Pick<OrderObservation, 'unlisted'>): boolean =>
  unlisted.length > 0;
