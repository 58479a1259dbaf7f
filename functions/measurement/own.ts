import type { Database } from '../management-api/database.ts';
import type { Token } from '../management-api/token.ts';
import { LONGEST_RUN_MS } from '../time.ts';

/**
 * What a measurement makes, and how it is known. The description of each of its tokens names its database. The first one is
 * minted before the database and deleted after it: as long as the database is there, a token vouches for who made it.
 */

const NAME = /^keyturn-measure-[0-9a-f]{8}$/;
const DESCRIPTION = /^keyturn-measure owner=(\S+) database=(keyturn-measure-[0-9a-f]{8})(?: |$)/;

/** Drawn: nobody else has it. */
export const databaseName = (random: () => number): string =>
  `keyturn-measure-${Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`;

export const descriptionOf = (owner: string, database: string): string =>
  `keyturn-measure owner=${owner} database=${database}`;

export interface Found {
  /** Tokens of an earlier measurement of this owner that was cut off. */
  readonly tokens: readonly Token[];
  /** Its databases. */
  readonly databases: readonly string[];
  /** Databases that are named like a measurement's, of whom no token tells who made them. */
  readonly unvouched: readonly string[];
  /** A token of this owner's measurement that may be going on. */
  readonly running?: Token;
}

/** What measurements have left. `now` by the server's clock, in milliseconds since 1970. */
export function leftBehind(
  tokens: readonly Token[],
  databases: readonly Pick<Database, 'name'>[],
  { owner, now }: { readonly owner: string; readonly now: number },
): Found {
  // A token is deleted after its database: a revoked one vouches for nothing.
  const marked = tokens.flatMap((token) => {
    const [, of, database] = DESCRIPTION.exec(token.description) ?? [];
    const isOther = of === undefined || database === undefined || token.revokedAt !== undefined;
    return isOther ? [] : [{ token, of, database }];
  });
  const ours = marked.filter(({ of }) => of === owner);
  const live = ours.map(({ token }) => token);
  const running = live.find(({ createdAt }) => createdAt > now - LONGEST_RUN_MS);
  const names = databases.map(({ name }) => name).filter((name) => NAME.test(name));
  return {
    tokens: live,
    databases: names.filter((name) => ours.some(({ database }) => database === name)),
    unvouched: names.filter((name) => !marked.some(({ database }) => database === name)),
    ...(running && { running }),
  };
}
