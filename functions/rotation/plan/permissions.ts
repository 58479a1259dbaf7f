import type { Permission } from '../../management-api/token.ts';
import { namedDatabases, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { covers } from '../../tokens/covers.ts';
import { grantsHash, hashOfTexts, permissionText } from '../../tokens/marker.ts';

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

/** All that is in one of them, each once. */
export function union(
  given: readonly Permission[],
  added: readonly Permission[],
): readonly Permission[] {
  const has = new Set(given.map(permissionText));
  return [...given, ...added.filter((each) => !has.has(permissionText(each)))];
}

/** So many sets are tried: of those that a person took something from, a hash of 32 bits misses one in a million. */
const MOST_SETS = 4_096;

/** All sets that lack so many of these items. */
function* setsWithout(
  all: readonly string[],
  count: number,
  from = 0,
): Generator<readonly string[]> {
  if (count === 0) return yield all;
  for (let at = from; at < all.length; at += 1) {
    yield* setsWithout(all.toSpliced(at, 1), count - 1, at);
  }
}

/** The set of that hash, of those that lack the fewest first. */
function setOf(all: readonly Permission[], hash: string): readonly Permission[] | undefined {
  const texts = all.map(permissionText).sort();
  let tried = 0;
  for (let count = 0; count <= texts.length; count += 1) {
    for (const set of setsWithout(texts, count)) {
      if (hashOfTexts(set) === hash) {
        return all.filter((each) => set.includes(permissionText(each)));
      }
      tried += 1;
      if (tried === MOST_SETS) return undefined;
    }
  }
  return undefined;
}

/**
 * What Keyturn gave to a token that may still do all of it, whatever a person added. Undefined: it may not; or a person
 * added so much that nobody can tell, or no marker says what was given.
 * @param grants the hash of what was given
 */
export function stillGiven(
  has: readonly Permission[],
  grants: string | undefined,
  { permissions }: Pick<TokenPolicy, 'permissions'>,
): readonly Permission[] | undefined {
  if (grants === undefined) return undefined;
  if (grants === grantsHash(has)) return has;
  // Who gives everything in place of each takes nothing.
  const covered = permissions.filter((each) => covers(has, [each]));
  return setOf(union(has, covered), grants) ?? setOf(covered, grants);
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
  const has = new Set(given.map(permissionText));
  return permissions.filter((each) => !isKnown(each.resource) && !has.has(permissionText(each)));
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
