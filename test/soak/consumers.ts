import type { StoredToken } from '../../sandbox/cluster/state.ts';
import type { Call } from '../../sandbox/interception.ts';
import type { World } from '../world/world.ts';
import type { Chance } from './chance.ts';
import { isRead } from './writes.ts';

/** When consumers ask besides the firings of schedules. */
export interface Asking {
  /** Between two drawn instants, on average. */
  readonly meanMs: number;
}

/** When the first and the last router may answer otherwise about a token. */
function turnsOf(
  { knownFrom, knownUntil, expiresAt, grants }: StoredToken,
  { routers, revocationDelayMs }: World['cluster'],
): number[] {
  const learnt = [knownFrom, knownUntil, ...grants.flatMap(({ from, until }) => [from, until])];
  const known = learnt.flatMap((at) => (at === undefined ? [] : [at, at + routers.spreadMs]));
  return expiresAt === undefined ? known : [...known, expiresAt, expiresAt + revocationDelayMs];
}

/**
 * Asks right before and right after each instant at which an answer may change by itself: a router learns of a token, of its
 * permissions or of its end; it expires; the cache of whoever read it last is over. And at drawn instants between.
 */
export function askConsumers(
  { cluster, clock, watch }: Pick<World, 'cluster' | 'clock' | 'watch'>,
  {
    asking: { meanMs },
    chance,
    gracePeriod,
    ask,
  }: {
    readonly asking: Asking;
    readonly chance: Chance;
    readonly gracePeriod: number;
    readonly ask: () => void;
  },
): void {
  const waited = new Set<number>();
  const askAt = (instant: number) => {
    if (instant < clock.now() || waited.has(instant)) return;
    waited.add(instant);
    clock.at(instant, () => {
      waited.delete(instant);
      ask();
    });
  };
  const askAround = (instant: number) => {
    askAt(instant - 1);
    askAt(instant);
  };

  const changedBy = ({ operation, subject }: Call): StoredToken | undefined =>
    operation === 'POST /tokens'
      ? cluster.state.tokens.at(-1)
      : cluster.state.tokens.findLast(({ id }) => id === subject);

  watch((call, effect) => {
    const reply = effect();
    if (isRead(call)) return reply;
    if (call.server === 'secrets-manager') askAround(clock.now() + gracePeriod);
    const changed = call.server === 'management-api' ? changedBy(call) : undefined;
    if (changed) for (const instant of turnsOf(changed, cluster)) askAround(instant);
    return reply;
  });

  const goOn = () => {
    const gap = Math.ceil(-Math.log(1 - chance.next()) * meanMs);
    clock.at(clock.now() + gap, () => {
      ask();
      goOn();
    });
  };
  goOn();
}
