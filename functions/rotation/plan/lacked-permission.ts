import type { Permission } from '../../management-api/token.ts';
import { namedDatabases, type Policy } from '../../policy/policy.ts';
import { proofDatabase } from '../../tokens/proof.ts';

const ANY = '*';

const has = (permissions: readonly Permission[], { action, resource }: Permission) =>
  permissions.some(
    (each) => each.action === action && (each.resource === resource || each.resource === ANY),
  );

const firstLacked = (permissions: readonly Permission[], resources: readonly string[]) =>
  ['read', 'write']
    .flatMap((action) => resources.map((resource) => ({ action, resource })))
    .find((each) => !has(permissions, each));

/** A permission that a token lacks, for its proof. Undefined: it may read and write everything. */
export const lackedPermission = (
  tokenId: string,
  permissions: readonly Permission[],
): Permission | undefined => firstLacked(permissions, [proofDatabase(tokenId)]);

/**
 * A permission that a token lacks, on a database that the policy names: a string that has it is another token's,
 * which shows before anything is given.
 */
export function namedButLacked(
  permissions: readonly Permission[],
  policy: Pick<Policy, 'databases' | 'tokens'>,
): Permission | undefined {
  const granted = policy.tokens.flatMap((entry) => entry.permissions.map((each) => each.resource));
  const named = [...namedDatabases(policy), ...granted].filter((name) => name !== ANY);
  return firstLacked(permissions, named);
}
