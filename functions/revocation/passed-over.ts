import type { Tools } from '../run/tools.ts';
import { works } from '../tokens/state.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { SecretResult } from './progress.ts';

/** Tokens that were to be ended and were not touched. */
export interface PassedOver {
  /** Of these a `GET` shows none: somebody else deleted them. */
  readonly gone: readonly string[];
  /** Sentences about those that may work; what can do nothing needs none. */
  readonly alive: readonly string[];
}

/**
 * What was planned from a listing, and was another's when its turn came: its secret was made anew, which the listing
 * did not show yet, or its marker changed meanwhile. Without a result nothing else tells of it.
 */
export async function findPassedOver(
  actions: readonly RevocationAction[],
  applied: readonly SecretResult[],
  { api, apiNow }: Pick<Tools, 'api' | 'apiNow'>,
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
      const token = await api.getToken(tokenId).catch(() => 'unknown' as const);
      const isGone = token === undefined || (token !== 'unknown' && token.revokedAt !== undefined);
      const mayWork = token === 'unknown' || (token !== undefined && works(token, apiNow()));
      const sentence = `${tokenId} was to be ended, and was not seen in ${secret ?? 'its secret'} any more when that was done: it may work. To end it, name it by its id (--token-id)`;
      return { tokenId, isGone, mayWork, sentence };
    }),
  );
  return {
    gone: looked.flatMap(({ tokenId, isGone }) => (isGone ? [tokenId] : [])),
    alive: looked.flatMap(({ mayWork, sentence }) => (mayWork ? [sentence] : [])),
  };
}
