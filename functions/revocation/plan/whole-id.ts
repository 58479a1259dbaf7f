import type { Token } from '../../management-api/token.ts';
import { isTokenId } from '../../tokens/version-id.ts';
import { SelectionError } from './target.ts';

/** As many characters as the tables of the command line show. */
const SHORTEST = 8;

/**
 * The id of a token, of which a person may give the beginning alone. A revoked one is meant where no other begins so, and
 * one that the cluster shows no more, but a version's id: the order that ended it may be repeated. Pure.
 * @param inVersions ids that versions and markers name
 * @throws SelectionError if no token's id begins so, or those of several
 */
export function wholeIdOf(
  given: string,
  tokens: readonly Token[],
  inVersions: readonly string[] = [],
): string {
  const id = given.toLowerCase();
  if (isTokenId(id)) return id;
  if (id.length < SHORTEST) {
    throw new SelectionError(
      `${id} is too short to tell tokens apart; give the whole id, or at least ${SHORTEST} characters of it`,
    );
  }
  const all = tokens.filter((each) => each.id.startsWith(id));
  const live = all.filter(({ revokedAt }) => revokedAt === undefined);
  const inVersion = new Set(inVersions.filter((each) => each.startsWith(id)));
  const [fitting = []] = [live, all]
    .map((each) => each.map((token) => token.id))
    .concat([[...inVersion]])
    .filter(({ length }) => length > 0);
  const [found, another] = fitting;
  if (found === undefined) {
    throw new SelectionError(
      `no listed token has an id that begins with ${id}; give the whole id, or find the token by its string (--leaked)`,
    );
  }
  if (another === undefined) return found;
  const ids = fitting.join(', ');
  throw new SelectionError(
    `several tokens have ids that begin with ${id}: ${ids}; give a whole id`,
  );
}
