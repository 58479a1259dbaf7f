import type { StoredToken } from './state.ts';

/**
 * In what the Management API of one installation may differ from another's: the specification leaves
 * it open, or the server is in trouble. By default it shows everything at once, and takes all.
 */
export interface Manners {
  /** Reads show the tokens as they were so long ago, as a replica or a cache would. */
  readonly lagMs?: number;
  /** Revoked tokens are not shown; asked for by id, there are none. */
  readonly hidesRevoked?: boolean;
  readonly hidesExpired?: boolean;
  /** `GET /tokens` shows the oldest so many, and says nothing of the others. */
  readonly longestListing?: number;
  /** In characters; a longer one is answered with 400. */
  readonly longestDescription?: number;
  /** Of a `PATCH` that changes both, only this half takes effect, and the answer is 500. */
  readonly patchesOnly?: 'description' | 'permissions';
}

interface Moment {
  /** The tokens were so until then. */
  readonly until: number;
  readonly tokens: readonly StoredToken[];
}

/** Remembers the tokens for as long as a lag asks for them. */
export function createPast() {
  let moments: Moment[] = [];
  return {
    /** To be called before a change. */
    remember(tokens: readonly StoredToken[], now: number, { lagMs = 0 }: Manners): void {
      moments = moments.filter(({ until }) => until > now - lagMs);
      if (lagMs > 0) moments.push({ until: now, tokens: structuredClone(tokens) });
    },
    /** The tokens as reads show them now. */
    asShown(tokens: readonly StoredToken[], now: number, manners: Manners): readonly StoredToken[] {
      const { lagMs = 0, hidesRevoked = false, hidesExpired = false } = manners;
      const then = lagMs > 0 ? moments.find(({ until }) => until > now - lagMs) : undefined;
      return (then?.tokens ?? tokens).filter(
        ({ revokedAt, expiresAt }) =>
          !(hidesRevoked && revokedAt !== undefined) &&
          !(hidesExpired && expiresAt !== undefined && expiresAt <= now),
      );
    },
  };
}
