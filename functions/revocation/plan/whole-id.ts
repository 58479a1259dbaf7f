import type { Token } from '../../management-api/token.ts';
import { isTokenId } from '../../tokens/version-id.ts';
import { SelectionError } from './target.ts';

/** As many characters as the tables of the command line show. */
const SHORTEST = 8;

/**
 * The id of a token, of which a person may give the beginning alone. A revoked one is meant where no other begins so:
 * the order that ended it may be repeated. Pure.
 * @throws SelectionError if no token's id begins so, or those of several
 */
export function wholeIdOf(given: string, tokens: readonly Token[]): string {
  const id = given.toLowerCase();
  if (isTokenId(id)) return id;
  if (id.length < SHORTEST) {
    throw new SelectionError(
      `${id} is too short to tell tokens apart; give the whole id, or at least ${SHORTEST} characters of it`,
    );
  }
  const all = tokens.filter((each) => each.id.startsWith(id));
  const live = all.filter(({ revokedAt }) => revokedAt === undefined);
  const fitting = live.length > 0 ? live : all;
  const [found, another] = fitting;
  if (!found) {
    throw new SelectionError(
      `no listed token has an id that begins with ${id}; give the whole id, or find the token by its string (--leaked)`,
    );
  }
  if (!another) return found.id;
  const ids = fitting.map((each) => each.id).join(', ');
  throw new SelectionError(
    `several tokens have ids that begin with ${id}: ${ids}; give a whole id`,
  );
}
