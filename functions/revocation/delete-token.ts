import pLimit from 'p-limit';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import type { ObservedToken } from '../tokens/observation.ts';
import { TimeoutError, within } from '../within.ts';
import { resultOf, type TokenResult } from './end-token.ts';

/** The cluster did not delete it. Its string is cut off all the same. */
export class NotDeletedError extends Error {
  override readonly name = 'NotDeletedError';
}

/** Deletes the tokens of one order. */
export type DeleteToken = (observed: ObservedToken, tools: Tools) => Promise<TokenResult>;

/** A cluster that does not delete a token in that time may still take its permissions. */
const PATIENCE_MS = 10_000;

/**
 * Where the cluster does not delete a token, its permissions are taken, so that its string is cut off, and the same order
 * again deletes it. Nothing notes what it could do: a mark of a freeze would keep the same order from it, and nothing
 * gives back what was leaked. Deletions take turns: those that nobody answers would hold every connection, and keep the
 * strings of all other tokens waiting.
 * @throws NotDeletedError, or the error of the deletion if not even the permissions could be taken
 */
export function createDeleteToken({ policy }: Pick<Tools, 'policy'>): DeleteToken {
  const inTurn = pLimit(policy.concurrency);
  let silences = 0;

  async function attempt(id: string, { api }: Tools): Promise<void> {
    // As many as wait at once: the others are cut off without another wait.
    if (silences >= policy.concurrency) throw new Error('it answers no deletion');
    try {
      await within(PATIENCE_MS, (signal) => api.deleteToken(id, signal));
      silences = 0;
    } catch (error) {
      if (error instanceof TimeoutError) silences += 1;
      throw error;
    }
  }

  return (observed, tools) =>
    inTurn(async () => {
      const { id } = observed.token;
      try {
        await attempt(id, tools);
      } catch (error) {
        const taking = tools.api.updateToken(id, { permissions: [] });
        await taking.catch(() => Promise.reject(error));
        const about = { tokenId: id, reason: 'Revoked' };
        tools.log.warn('stripped', { ...about, error });
        const secret = observed.owned?.marker.secret;
        tools.publish({
          type: 'Token Permissions Changed',
          detail: { ...about, ...(secret !== undefined && { secret }) },
        });
        const why = `its permissions were taken, and the cluster did not delete it: ${messageOf(error)}`;
        throw new NotDeletedError(why, { cause: error });
      }
      return resultOf(observed, 'deleted');
    });
}
