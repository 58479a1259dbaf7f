import { MINUTE_MS } from '../policy/duration.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import type { Deed } from './end-token.ts';
import type { RevokedToken } from './report.ts';

/** Each of the cluster's routers holds its own copy of the tokens. */
const REFUSED_IN_A_ROW = 3;
const PROBE_INTERVAL_MS = 5_000;
/** For the last look and the report. */
const RESERVE_MS = MINUTE_MS;

const KILLED: readonly Deed['result'][] = ['deleted', 'frozen', 'gone'];

type Proof = Pick<RevokedToken, 'deadAfterSeconds' | 'unconfirmed'>;

/** The dead string, from the version that holds it: readable without a label, too. */
async function readString(
  { secret = '', version, fingerprint }: Deed,
  { secrets, policy }: Tools,
): Promise<TokenValue | string> {
  if (version === undefined) return 'no secret of ours holds its string';
  const entry = policy.tokens.find((each) => each.secret === secret);
  const text = await secrets.value(secret, version);
  if (!text) return `${secret} has no version ${version} any longer, which held its string`;
  const value = readTokenString(entry ?? { secret }, text);
  const isOther = fingerprint !== undefined && value.fingerprint() !== fingerprint;
  return isOther ? `version ${version} of ${secret} holds another string` : value;
}

async function watch(deed: Deed, startedAt: number, tools: Tools): Promise<Proof> {
  const value = await readString(deed, tools);
  if (typeof value === 'string') return { unconfirmed: value };
  const { policy, dataPlane, now, deadline } = tools;
  const { refused, lastAnswer, detail } = await dataPlane.untilRefused(value, deed.had, {
    times: REFUSED_IN_A_ROW,
    intervalMs: PROBE_INTERVAL_MS,
    deadline: Math.min(deadline - RESERVE_MS, now() + 2 * policy.activationTimeout),
    databases: policy.databases.flatMap((rule) => ('name' in rule ? [rule.name] : [])),
  });
  if (refused) return { deadAfterSeconds: Math.round((now() - startedAt) / 1_000) };
  if (lastAnswer === undefined) return { unconfirmed: 'nothing that it could do can be probed' };
  if (lastAnswer === 'accepted') return { unconfirmed: 'the cluster still accepts its string' };
  return { unconfirmed: `the cluster did not say: ${detail ?? lastAnswer}` };
}

/**
 * Waits until the cluster refuses the string of a token that was killed, by connections of their
 * own. Never rejects: the token is dead for the Management API, whoever confirms it.
 */
export async function proveDeath(deed: Deed, startedAt: number, tools: Tools): Promise<Deed> {
  const wasArmed = deed.fingerprint !== undefined || deed.had.length > 0;
  if (!KILLED.includes(deed.result) || !wasArmed) return deed;
  try {
    return { ...deed, ...(await watch(deed, startedAt, tools)) };
  } catch (error) {
    return { ...deed, unconfirmed: error instanceof Error ? error.message : String(error) };
  }
}
