import type { Manners } from './manners.ts';
import type { StoredToken } from './state.ts';

/** How the tokens were before one request. */
interface Moment {
  /** They were so until then. */
  readonly until: number;
  /** How many there were: a list of tokens grows at its end. */
  readonly count: number;
  /** The one that the request is about. */
  readonly token: StoredToken | undefined;
}

/** Remembers the tokens for as long as a lag asks for them. */
export function createPast() {
  let moments: Moment[] = [];

  const asTheyWere = (tokens: readonly StoredToken[], since: number): readonly StoredToken[] => {
    const later = moments.filter(({ until }) => until > since);
    const [first] = later;
    if (!first) return tokens;
    // Of what was changed twice, the earlier one counts.
    const former = new Map(
      later.toReversed().flatMap(({ token }) => (token ? [[token.id, token]] : [])),
    );
    return tokens.slice(0, first.count).map((token) => former.get(token.id) ?? token);
  };

  return {
    /** To be called before a request that may change a token, of which it is told the id, or add one. */
    remember(
      tokens: readonly StoredToken[],
      id: string | undefined,
      { now, manners: { lagMs = 0 } }: { readonly now: number; readonly manners: Manners },
    ): void {
      moments = moments.filter(({ until }) => until > now - lagMs);
      if (lagMs === 0) return;
      const token = id === undefined ? undefined : tokens.find((each) => each.id === id);
      moments.push({ until: now, count: tokens.length, token: token && { ...token } });
    },
    /** What was is another cluster's past. */
    forget(): void {
      moments = [];
    },
    /** The tokens as reads show them now. */
    asShown(tokens: readonly StoredToken[], now: number, manners: Manners): readonly StoredToken[] {
      const { lagMs = 0, hidesRevoked = false, hidesExpired = false } = manners;
      const known = lagMs > 0 ? asTheyWere(tokens, now - lagMs) : tokens;
      if (!hidesRevoked && !hidesExpired) return known;
      return known.filter(
        ({ revokedAt, expiresAt }) =>
          !(hidesRevoked && revokedAt !== undefined) &&
          !(hidesExpired === true && expiresAt !== undefined && expiresAt <= now),
      );
    },
  };
}
