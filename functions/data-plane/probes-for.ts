import type { Permission } from '../management-api/token.ts';
import type { Probe } from './ask.ts';

// A token is judged by the name, before the database is looked up: it need not exist.
const SOME_DATABASE = 'keyturn';
const ACTIONS = ['read', 'write'] as const;

/**
 * The distinct things that a token with these permissions can prove; a sample, spread evenly over
 * both actions, where there are more than `most`. `*` is proved by the first of `databases`.
 * Actions other than read and write have no probe.
 */
export function probesFor(
  permissions: readonly Permission[],
  databases: readonly string[] = [],
  most = 10,
): readonly Probe[] {
  const some = databases[0] ?? SOME_DATABASE;
  const probes = ACTIONS.flatMap((action) => {
    const names = permissions
      .filter((permission) => permission.action === action)
      .map(({ resource }) => (resource === '*' ? some : resource));
    return [...new Set(names)].map((database) => ({ action, database }));
  });
  const step = Math.max(1, probes.length / most);
  return probes.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
