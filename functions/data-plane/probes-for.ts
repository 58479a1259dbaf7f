import type { Permission } from '../management-api/token.ts';
import type { Probe } from './ask.ts';

// The server checks the token for this name before it looks for the database, which need not exist.
const SOME_DATABASE = 'keyturn';
const ACTIONS = ['read', 'write'] as const;

/**
 * The probes for these permissions, each once; if there are more than `most`, an even sample of them.
 * A permission on `*` is probed with the first of `databases`. Actions other than read and write have
 * no probe.
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
