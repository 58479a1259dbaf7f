import type { Tools } from '../run/tools.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { SecretResult } from './progress.ts';

/** Tokens that were to be ended and were not touched. */
export interface PassedOver {
  /** Of these a `GET` shows none: somebody else deleted them. */
  readonly gone: readonly string[];
  /** Sentences about the others. */
  readonly alive: readonly string[];
}

/**
 * What was planned from a listing, and was another's when its turn came: its secret was made anew, which the listing
 * did not show yet, or its marker changed meanwhile. Without a result nothing else tells of it.
 */
export async function findPassedOver(
  actions: readonly RevocationAction[],
  applied: readonly SecretResult[],
  { api }: Pick<Tools, 'api'>,
): Promise<PassedOver> {
  const told = new Set(
    applied.flatMap(({ results, failures }) =>
      [...results, ...failures].flatMap(({ tokenId }) => tokenId ?? []),
    ),
  );
  const passed = actions.flatMap((action) =>
    (action.kind === 'strip' || action.kind === 'delete') && !told.has(action.tokenId)
      ? [action]
      : [],
  );
  const looked = await Promise.all(
    passed.map(async ({ tokenId, secret }) => {
      // What cannot be asked is not gone.
      const isAlive = await api.getToken(tokenId).then(
        (token) => token !== undefined && token.revokedAt === undefined,
        () => true,
      );
      const sentence = `${tokenId} was to be ended, and was not seen in ${secret ?? 'its secret'} any more when that was done: it may work. To end it, name it by its id (--token-id)`;
      return { tokenId, isAlive, sentence };
    }),
  );
  return {
    gone: looked.flatMap(({ tokenId, isAlive }) => (isAlive ? [] : [tokenId])),
    alive: looked.flatMap(({ isAlive, sentence }) => (isAlive ? [sentence] : [])),
  };
}
