import type { Permission, Token } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import { grantsHash, hashOfTexts, type Marker } from './marker.ts';
import { hasAllOf, permissionText } from './permission-sum.ts';

const ANY = '*';

/** Whether two lists are the same, in the same order: what a server shows mostly is what it was given. */
export const isSameList = (some: readonly Permission[], others: readonly Permission[]): boolean =>
  some.length === others.length &&
  some.every(
    ({ action, resource }, at) =>
      others[at]?.action === action && others[at]?.resource === resource,
  );

/** Whether `declared` allows all that `given` does. */
export function covers(declared: readonly Permission[], given: readonly Permission[]): boolean {
  if (isSameList(declared, given)) return true;
  const allowed = new Set(declared.map(permissionText));
  return given.every(
    (each) =>
      allowed.has(permissionText(each)) || allowed.has(permissionText({ ...each, resource: ANY })),
  );
}

/** All that is in one of them, each once. */
export function union(
  given: readonly Permission[],
  added: readonly Permission[],
): readonly Permission[] {
  const has = new Set(given.map(permissionText));
  return [...given, ...added.filter((each) => !has.has(permissionText(each)))];
}

/** Whether nothing shows that a token lacks what was taken from it before: what was kept of that, or the sum of it, tells. */
export const isWhole = (
  has: readonly Permission[],
  { was, had }: Pick<Marker, 'was' | 'had'>,
): boolean => (had === undefined ? covers(has, was ?? []) : hasAllOf(has, had));

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

/** Whether a token that got permissions back has all that it had before. Where only an earlier version took them, what it was given tells. */
export const isAsBefore = (
  { permissions }: Pick<Token, 'permissions'>,
  { marker }: { readonly marker: Pick<Marker, 'was' | 'had' | 'grants'> },
): boolean =>
  marker.was === undefined && marker.had === undefined
    ? stillGiven(permissions, marker.grants, { permissions }) !== undefined
    : isWhole(permissions, marker);
