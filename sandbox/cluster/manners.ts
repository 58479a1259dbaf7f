/** With which status the data plane refuses. */
interface Statuses {
  readonly read?: 401 | 403;
  readonly write?: 401 | 403;
}

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
  /** Who deletes a token a second time is answered as the first time, and not with 404. */
  readonly deletesTwice?: boolean;
  /** The ingress lets no `%2F` pass. */
  readonly refusesSlash?: boolean;
  /** `unknown`: no token has the string; by default 401. `forbidden`: its token lacks the permission; by default reads 401, writes 403. */
  readonly refusals?: { readonly unknown?: Statuses; readonly forbidden?: Statuses };
  /** From this instant on (milliseconds since 1970) the management token is none: 401. */
  readonly managementTokenExpiresAt?: number;
  /** Operations that the management token may not carry out, such as `DELETE /tokens/{id}`: 403. */
  readonly forbids?: readonly string[];
  /** Only these paths are served: those of the specification, or those with the ids of an account and a cluster. */
  readonly serves?: '/api/v0' | '/api/v0/accounts';
  /** What comes above it is answered with 429, and that the next second will do. InfluxData documents no such limit. */
  readonly requestsPerSecond?: number;
}
