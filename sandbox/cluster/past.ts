import type { Manners } from './manners.ts';
import type { StoredToken } from './state.ts';

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
    /** What was is another cluster's past. */
    forget(): void {
      moments = [];
    },
    /** The tokens as reads show them now. */
    asShown(tokens: readonly StoredToken[], now: number, manners: Manners): readonly StoredToken[] {
      const { lagMs = 0, hidesRevoked = false, hidesExpired = false } = manners;
      const then = lagMs > 0 ? moments.find(({ until }) => until > now - lagMs) : undefined;
      return (then?.tokens ?? tokens).filter(
        ({ revokedAt, expiresAt }) =>
          !(hidesRevoked && revokedAt !== undefined) &&
          !(hidesExpired === true && expiresAt !== undefined && expiresAt <= now),
      );
    },
  };
}
