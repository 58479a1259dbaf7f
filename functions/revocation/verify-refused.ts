import { entryOf, namedDatabases } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import type { TokenResult } from './end-token.ts';
import type { RevokedToken } from './report.ts';

/** Each of the cluster's routers holds its own copy of the tokens. */
const REFUSED_IN_A_ROW = 3;
const PROBE_INTERVAL_MS = 5_000;
/** For the last look and the report. */
const RESERVE_MS = MINUTE_MS;

const ENDED: readonly TokenResult['result'][] = ['deleted', 'frozen', 'gone'];

type Proof = Pick<RevokedToken, 'deadAfterSeconds' | 'unconfirmed'>;

/** The string of a token that was ended, from the version that holds it: it can be read without a label, too. */
async function readString(
  { secret = '', version, fingerprint }: TokenResult,
  { secrets, policy }: Tools,
): Promise<TokenValue | string> {
  if (version === undefined) return 'no secret of ours holds its string';
  const text = await secrets.value(secret, version);
  if (!text) return `${secret} has no version ${version} any longer, which held its string`;
  const value = readTokenString(entryOf(policy, secret) ?? { secret }, text);
  const isOther = fingerprint !== undefined && value.fingerprint() !== fingerprint;
  return isOther ? `version ${version} of ${secret} holds another string` : value;
}

async function untilRefused(ended: TokenResult, startedAt: number, tools: Tools): Promise<Proof> {
  const value = await readString(ended, tools);
  if (typeof value === 'string') return { unconfirmed: value };
  const { policy, dataPlane, now, deadline } = tools;
  const { refused, lastAnswer, detail } = await dataPlane.untilRefused(value, ended.had, {
    times: REFUSED_IN_A_ROW,
    intervalMs: PROBE_INTERVAL_MS,
    deadline: Math.min(deadline - RESERVE_MS, now() + 2 * policy.activationTimeout),
    databases: namedDatabases(policy),
  });
  if (refused) return { deadAfterSeconds: Math.round((now() - startedAt) / 1_000) };
  if (lastAnswer === undefined) return { unconfirmed: 'nothing that it could do can be probed' };
  if (lastAnswer === 'accepted') return { unconfirmed: 'the cluster still accepts its string' };
  return { unconfirmed: `the cluster did not say: ${detail ?? lastAnswer}` };
}

/**
 * Waits until the cluster refuses the string of a token that was ended, by connections of their
 * own. Never rejects: the token is gone for the Management API, whoever confirms it.
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
