import { DAY_MS } from '../../time.ts';
import type { Observation } from '../../tokens/observation.ts';
import { currentHolder } from '../../tokens/state.ts';
import { expiryOf } from './reason-to-replace.ts';

interface Around extends Pick<Observation, 'at' | 'secrets'> {
  /** Secrets whose unknown AWSCURRENT the data plane refused. */
  readonly refused: ReadonlySet<string>;
  /** At least 0, below 1. */
  random(): number;
}

/** 0: consumers have no token that works. Then by the time to its expiry. */
function classOf(name: string, { at, secrets, refused }: Around): number {
  const seen = secrets.get(name);
  const holder = seen && currentHolder(seen);
  if (!holder || holder.state === 'gone' || refused.has(name)) return 0;
  const left = (expiryOf(holder) ?? Number.POSITIVE_INFINITY) - at;
  const limits = [0, DAY_MS, 7 * DAY_MS];
  const found = limits.findIndex((limit) => left <= limit);
  return found === -1 ? limits.length : found;
}

/**
 * Secrets in the order in which a run takes them: first whose tokens are gone or expired, then those that
 * expire within a day, within a week, and the rest. Within a class chance decides, so that one secret that
 * always takes too long does not always keep the same others waiting.
 */
export function inOrderOfNeed(names: readonly string[], around: Around): readonly string[] {
  const drawn = names.map((name) => ({
    name,
    rank: classOf(name, around),
    chance: around.random(),
  }));
  return drawn.sort((a, b) => a.rank - b.rank || a.chance - b.chance).map(({ name }) => name);
}
