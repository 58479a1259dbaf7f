import type { Range, Spread } from './samples.ts';

/** `why`: it could not be measured. Nobody may take that for a value. */
export type Measured<T> = { readonly value: T } | { readonly why: string };

export const seen = <T>(measured: Measured<T>): T | undefined =>
  'value' in measured ? measured.value : undefined;

/** The statuses with which a string was refused, each once. */
export interface Refusals {
  readonly read: readonly number[];
  readonly write: readonly number[];
}

/** How a token that is dead is shown: `dead` says so, `live` as if it worked, `hidden` not at all. */
export interface Shown {
  readonly listed: 'dead' | 'live' | 'hidden';
  readonly byId: 'dead' | 'live' | 'hidden';
}

/** How many tokens were listed, and how many of those that exist were not. Times in milliseconds. */
export interface Listing {
  readonly listed: number;
  readonly missing: number;
  /** After the last change, when the list was read last. */
  readonly waitedMs: number;
  /** How long after a change the list showed it. Absent: it was not seen to be late. */
  readonly late?: Range;
}

/** What was seen. Every time is in milliseconds. */
export interface Facts {
  /** When a new token was accepted. */
  readonly activation: Measured<Spread>;
  readonly permissionAdded: Measured<Spread>;
  readonly permissionRemoved: Measured<Spread>;
  readonly revocation: Measured<Spread>;
  /** Of what is no token's string, of a token without the permission, of a revoked one. */
  readonly unknownString: Measured<Refusals>;
  readonly withoutPermission: Measured<Refusals>;
  readonly revokedString: Measured<Refusals>;
  /** How late reads of the Management API show what was written. */
  readonly reads: Measured<Range>;
  readonly revoked: Measured<Shown>;
  readonly expired: Measured<Shown>;
  /** Its status. */
  readonly secondDelete: Measured<number>;
  /** What a `PATCH` of description and permissions had changed. */
  readonly patch: Measured<'both' | 'description' | 'permissions' | 'neither'>;
  /** The longest description that was taken, and whether a longer one was refused. */
  readonly description: Measured<{ readonly longest: number; readonly isLimit: boolean }>;
  /** Whether a slash in a database's name, `%2F` in a path, comes to the API. */
  readonly slash: Measured<'passes' | 'refused' | 'unclear'>;
  readonly listing: Measured<Listing>;
}
