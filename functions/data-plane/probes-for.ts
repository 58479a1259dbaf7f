import type { Permission } from '../management-api/token.ts';
import type { Probe } from './judge.ts';

// The server checks the token for this name before it looks for the database, which need not exist.
const SOME_DATABASE = 'keyturn';
const ACTIONS = ['read', 'write'] as const;

/** How many probes are one burst. */
const BURST = 10;

/**
 * Everything that can be probed of these permissions, each once. A permission on `*` is probed with the
 * first of `databases` that no other permission names: one that is named would be accepted without it.
 * Actions other than read and write have no probe.
 */
export function probesFor(
  permissions: readonly Permission[],
  databases: readonly string[] = [],
): readonly Probe[] {
  return ACTIONS.flatMap((action) => {
    const granted = permissions
      .filter((permission) => permission.action === action)
      .map(({ resource }) => resource);
    const some = databases.find((each) => !granted.includes(each)) ?? SOME_DATABASE;
    const names = granted.map((resource) => (resource === '*' ? some : resource));
    return [...new Set(names)].map((database) => ({ action, database }));
  });
}

/**
 * The probes of one burst: each of `all` as often as the others, or if they are more than a burst, an
 * even sample. The next `round` takes the next sample.
 */
export function burstOf(all: readonly Probe[], round = 0): readonly Probe[] {
  const step = Math.max(1, all.length / BURST);
  const places = all.length === 0 ? 0 : BURST;
  return Array.from(
    { length: places },
    (_, index) => all[(Math.floor(index * step) + round) % all.length] as Probe,
  );
}
