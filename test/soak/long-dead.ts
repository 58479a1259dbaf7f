import type { StoredToken } from '../../sandbox/cluster/state.ts';
import type { Sorted } from '../crash/view.ts';
import { DAY } from '../world/policy.ts';

/** Longer than a period of grace, a quarantine, and what a run may look back. */
const LONG = 14 * DAY;

/** Tells apart, once a day, what was deleted two weeks ago. A list of tokens grows at its end, and nobody brings one back. */
export function sortTokens() {
  let others: StoredToken[] = [];
  let next = 0;
  let sortedAt = -Infinity;
  const longDead = new Map<string, StoredToken>();
  return (tokens: readonly StoredToken[], now: number): Sorted => {
    others.push(...tokens.slice(next));
    next = tokens.length;
    if (now < sortedAt + DAY) return { others, longDead };
    sortedAt = now;
    const isLong = ({ revokedAt = Infinity }: StoredToken) => revokedAt < now - LONG;
    for (const token of others) if (isLong(token)) longDead.set(token.id, token);
    others = others.filter((token) => !isLong(token));
    return { others, longDead };
  };
}
