import type { Permission } from '../../management-api/token.ts';
import { namedDatabases, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { union } from '../../tokens/permission-sets.ts';
import { permissionText } from '../../tokens/permission-sum.ts';

const ANY = '*';

/** Whether a database exists, or will: the policy declares it. */
export type IsKnown = (database: string) => boolean;

/** `databases`: names of those that exist. Absent: they were not listed, because the policy declares all that it names. */
export function knownDatabases(policy: Policy, databases?: ReadonlySet<string>): IsKnown {
  const declared = new Set(namedDatabases(policy));
  return (name) => name === ANY || declared.has(name) || databases?.has(name) === true;
}

export const unknownDatabases = (
  { permissions }: Pick<TokenPolicy, 'permissions'>,
  isKnown: IsKnown,
): string[] =>
  [...new Set(permissions.map(({ resource }) => resource))].filter((name) => !isKnown(name));

/** Whether the plan must know which databases exist: a token may use one that the policy does not declare. */
export function needsDatabases(policy: Policy): boolean {
  const isKnown = knownDatabases(policy);
  return policy.tokens.some((entry) => unknownDatabases(entry, isKnown).length > 0);
}

/**
 * The permissions of a policy that no token gets: on a database that neither exists nor is declared. Only the
 * successor of a token that has one gets it, so that a database that somebody deleted keeps nobody from being renewed.
 */
export function refusedPermissions(
  { permissions }: Pick<TokenPolicy, 'permissions'>,
  given: readonly Permission[],
  isKnown: IsKnown,
): readonly Permission[] {
  const unknown = permissions.filter((each) => !isKnown(each.resource));
  if (unknown.length === 0) return unknown;
  const has = new Set(given.map(permissionText));
  return unknown.filter((each) => !has.has(permissionText(each)));
}

/**
 * The permissions that a token may get now. Where some are refused, nothing that was `given` is taken away: what
 * is refused may be meant for it, with a typo in its name.
 */
export function grantable(
  entry: Pick<TokenPolicy, 'permissions'>,
  given: readonly Permission[],
  isKnown: IsKnown,
): readonly Permission[] {
  const refused = refusedPermissions(entry, given, isKnown);
  if (refused.length === 0) return entry.permissions;
  return union(
    given,
    entry.permissions.filter((each) => !refused.includes(each)),
  );
}

/** Those that a probe can decide: the server refuses a write to a database that does not exist, whoever asks. */
export function probeable(
  permissions: readonly Permission[],
  isKnown: IsKnown,
): readonly Permission[] {
  const known = permissions.filter(({ resource }) => isKnown(resource));
  return known.length > 0 ? known : permissions;
}
