import { namedDatabases } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import { LOST, NOT_KEPT } from '../tokens/change-token.ts';
import type { TokenResult } from './end-token.ts';
import { readString } from './verify-refused.ts';

/** It works nevertheless. */
const LESS = [NOT_KEPT, LOST];

/** Kept for reading the secret once more and for the report. */
const RESERVE_MS = MINUTE_MS;

/**
 * Tokens of ours with permissions: it does not tell who gave them, so it may have been the same order a moment ago. A
 * successor that was promoted unverified may be accepted by now.
 */
const isToWork = ({ result, secret, wasRefused, had = [] }: TokenResult) =>
  result === 'given-back' ||
  wasRefused === true ||
  (result === 'left' && secret !== undefined && had.length > 0);

async function notAcceptedBecause(given: TokenResult, tools: Tools): Promise<string | undefined> {
  const { policy, dataPlane, now, deadline } = tools;
  const value = await readString(given, tools);
  if (typeof value === 'string') return `it was not seen accepted: ${value}`;
  const { accepted, detail = 'no probe exists for its permissions' } =
    await dataPlane.untilAccepted(value, given.had ?? [], {
      armedAt: now(),
      settleMs: policy.settle,
      firstBy: now() + policy.activationTimeout,
      deadline: deadline - RESERVE_MS,
      wasRefused: given.wasRefused ?? false,
      databases: namedDatabases(policy),
    });
  return accepted ? undefined : `it was not seen accepted in time: ${detail}`;
}

/**
 * Waits until the cluster accepts the string of a token that got its permissions back, or has them already. Never
 * rejects: without that the result is `unconfirmed`, and the token has its permissions anyway.
 */
export async function verifyAccepted(given: TokenResult, tools: Tools): Promise<TokenResult> {
  const { unconfirmed: before } = given;
  // What got less than it had must work nevertheless.
  if (!isToWork(given) || !(before === undefined || LESS.includes(before))) return given;
  const also = (why: string) => ({
    ...given,
    unconfirmed: [before, why].filter(Boolean).join('; '),
  });
  try {
    const why = await notAcceptedBecause(given, tools);
    return why === undefined ? given : also(why);
  } catch (error) {
    return also(`it was not seen accepted: ${messageOf(error)}`);
  }
}
