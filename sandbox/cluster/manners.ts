/**
 * In what the Management API of one installation may differ from another's: the specification leaves
 * it open, or the server is in trouble. By default it shows everything at once, and takes all.
 */
export interface Manners {
  /** Reads show the tokens as they were so long ago, as a replica or a cache would. */
  readonly lagMs?: number;
  /** Revoked tokens are not shown; asked for by id, there are none. */
  readonly hidesRevoked?: boolean;
  /** The same of expired ones; `from listings`: asked for by id, they are shown. */
  readonly hidesExpired?: boolean | 'from listings';
  /** `GET /tokens` shows the oldest so many, and says nothing of the others. */
  readonly longestListing?: number;
  /** In characters; a longer one is answered with 400. */
  readonly longestDescription?: number;
  /** Of a `PATCH` that changes both, only this half takes effect, and the answer is 500. */
  readonly patchesOnly?: 'description' | 'permissions';
}
