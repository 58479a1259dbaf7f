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
/** Once its string is cut off. Of a cluster that asks to wait, or is slow, a deletion needs that long. */
const LAST_PATIENCE_MS = 20_000;

/**
 * Where the cluster does not delete a token at once, its permissions are taken, so that its string is cut off, and then it
 * is deleted with more patience. Nothing notes what it could do: a mark of a freeze would keep the same order from it, and
 * nothing gives back what was leaked. Deletions take turns: those that nobody answers would hold every connection, and
 * keep the strings of all other tokens waiting. After as many failures in a row as have their turn, the rest is cut off
 * without another attempt, and the same order again deletes it.
 * @throws NotDeletedError, or the error of the deletion if not even the permissions could be taken
 */
export function createDeleteToken({ policy }: Pick<Tools, 'policy'>): DeleteToken {
  const firstTurn = pLimit(policy.concurrency);
  // So that permissions can be taken beside them.
  const lastTurn = pLimit(Math.ceil(policy.concurrency / 2));
  let [silences, failures] = [0, 0];

  /** Why it is not deleted yet. */
  async function attempt(id: string, { api }: Tools): Promise<{ readonly error?: unknown }> {
    if (silences >= policy.concurrency) return { error: new Error('it answers no deletion') };
    try {
      await within(PATIENCE_MS, (signal) => api.deleteToken(id, signal));
      silences = 0;
      return {};
    } catch (error) {
      if (error instanceof TimeoutError) silences += 1;
      return { error };
    }
  }

  async function cutOff({ token: { id }, owned }: ObservedToken, tools: Tools, error: unknown) {
    const [taken] = await Promise.allSettled([tools.api.updateToken(id, { permissions: [] })]);
    if (taken.status === 'rejected') return false;
    const about = { tokenId: id, reason: 'Revoked' };
    tools.log.warn('stripped', { ...about, error });
    const secret = owned?.marker.secret;
    const detail = { ...about, ...(secret !== undefined && { secret }) };
    tools.publish({ type: 'Token Permissions Changed', detail });
    return true;
  }

  async function lastAttempt(id: string, { api }: Tools): Promise<void> {
    if (failures >= policy.concurrency) throw new Error('it answers no deletion');
    try {
      await within(LAST_PATIENCE_MS, (signal) => api.deleteToken(id, signal));
      failures = 0;
    } catch (error) {
      failures += 1;
      throw error;
    }
  }

  return async (observed, tools) => {
    const { id } = observed.token;
    const { error, isCutOff } = await firstTurn(async () => {
      const tried = await attempt(id, tools);
      return 'error' in tried
        ? { ...tried, isCutOff: await cutOff(observed, tools, tried.error) }
        : { isCutOff: true };
    });
    if (error === undefined) return resultOf(observed, 'deleted');
    try {
      // A string that works is worth every attempt.
      await (isCutOff ? lastTurn(() => lastAttempt(id, tools)) : tools.api.deleteToken(id));
    } catch (last) {
      if (!isCutOff) throw last;
      const why = `its permissions were taken, and the cluster did not delete it: ${messageOf(last)}`;
      throw new NotDeletedError(why, { cause: last });
    }
    return resultOf(observed, 'deleted');
  };
}
