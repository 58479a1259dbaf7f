import { ROUNDS } from '../data-plane/data-plane.ts';
import { entryOf, namedDatabases } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import type { TokenResult } from './end-token.ts';
import type { RevokedToken } from './report.ts';

/** Kept for reading the secret once more and for the report. */
const RESERVE_MS = MINUTE_MS;

const ENDED: readonly TokenResult['result'][] = ['deleted', 'frozen', 'gone'];

type Checked = Pick<RevokedToken, 'deadAfterSeconds' | 'unconfirmed'>;

/** The string of a token that was ended, or why it is not known. A version can be read even without a label. */
async function readString(
  { secret = '', version, fingerprint }: TokenResult,
  { secrets, policy }: Tools,
): Promise<TokenValue | string> {
  if (version === undefined) return 'no secret of ours has its string';
  const text = await secrets.value(secret, version);
  if (!text) return `version ${version} of ${secret}, which had its string, is gone`;
  const entry = entryOf(policy, secret) ?? { secret };
  const value = readTokenString(entry, text, [fingerprint ?? '']);
  const isOther = fingerprint !== undefined && value.fingerprint() !== fingerprint;
  return isOther ? `version ${version} of ${secret} has another string` : value;
}

async function untilRefused(ended: TokenResult, startedAt: number, tools: Tools): Promise<Checked> {
  const value = await readString(ended, tools);
  if (typeof value === 'string') return { unconfirmed: value };
  const { policy, dataPlane, now, deadline } = tools;
  const { refused, lastAnswer, detail } = await dataPlane.untilRefused(value, ended.had, {
    ...ROUNDS,
    deadline: Math.min(deadline - RESERVE_MS, now() + 2 * policy.activationTimeout),
    databases: namedDatabases(policy),
  });
  if (refused) return { deadAfterSeconds: Math.round((now() - startedAt) / 1_000) };
  if (lastAnswer === undefined) return { unconfirmed: 'no probe exists for its permissions' };
  if (lastAnswer === 'accepted') return { unconfirmed: 'the cluster still accepts its string' };
  return {
    unconfirmed: `it was not refused ${ROUNDS.times} times in a row; last answer: ${detail ?? lastAnswer}`,
  };
}

/**
 * Waits until the cluster refuses the string of a token that was ended. Never rejects: without an answer
 * the result is `unconfirmed`, and the token is ended in the Management API anyway.
 */
export async function verifyRefused(
  ended: TokenResult,
  startedAt: number,
  tools: Tools,
): Promise<TokenResult> {
  const wasArmed = ended.fingerprint !== undefined || ended.had.length > 0;
  if (!ENDED.includes(ended.result) || !wasArmed) return ended;
  try {
    return { ...ended, ...(await untilRefused(ended, startedAt, tools)) };
  } catch (error) {
    return { ...ended, unconfirmed: error instanceof Error ? error.message : String(error) };
  }
}
