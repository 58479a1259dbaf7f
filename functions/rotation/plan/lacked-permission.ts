import type { Permission } from '../../management-api/token.ts';
import { namedDatabases, type Policy } from '../../policy/policy.ts';

/**
 * A database need not exist for a token to have a permission on it, and for the data plane to check that
 * (`probes-for.ts`); this one gives access to nothing.
 */
const NO_DATABASE = 'keyturn';
const ANY = '*';

const has = (permissions: readonly Permission[], { action, resource }: Permission) =>
  permissions.some(
    (each) => each.action === action && (each.resource === resource || each.resource === ANY),
  );

/**
 * A permission that a token lacks, for a proof: to read a database that the policy names, if there is one.
 * Undefined: it may read and write everything.
 */
export function lackedPermission(
  permissions: readonly Permission[],
  policy: Pick<Policy, 'databases' | 'tokens'>,
): Permission | undefined {
  const granted = policy.tokens.flatMap((entry) => entry.permissions.map((each) => each.resource));
  const named = [...namedDatabases(policy), ...granted].filter((name) => name !== ANY);
  const candidates = ['read', 'write'].flatMap((action) =>
    [...named, NO_DATABASE].map((resource) => ({ action, resource })),
  );
  return candidates.find((each) => !has(permissions, each));
}
