import { readDatabases } from '../management-api/database-schemas.ts';
import type { Answer } from '../management-api/exchange.ts';
import { InfluxError } from '../management-api/influx-error.ts';
import { accountPrefix, CLUSTERED_PREFIXES } from '../management-api/prefix.ts';
import { readTokens } from '../management-api/token-schemas.ts';
import type { Policy } from '../policy/policy.ts';
import type { FoundManagementToken, LookTools } from '../run/look-tools.ts';
import { TokenValue } from '../token-value.ts';
import { answers, noAnswer } from './answers.ts';
import { type Check, examined, type Verdict } from './check.ts';
import { howToMend, sourceOf } from './examine-secrets.ts';

/** What a path answered. `skewMs`: how far the clock there is ahead of ours, in milliseconds. */
interface Looked {
  readonly prefix: string;
  readonly answer?: Answer;
  readonly error?: InfluxError;
  readonly skewMs?: number;
}

/** A `Date` has whole seconds. */
const HALF_SECOND_MS = 500;
const MOST_SKEW_MS = 60_000;

async function lookAt(
  { send, now }: LookTools,
  path: { readonly prefix: string; readonly rest: string },
  token: TokenValue,
): Promise<Looked> {
  const { prefix, rest } = path;
  const asked = now();
  const skewOf = (at: number | undefined) =>
    at === undefined || Number.isNaN(at)
      ? {}
      : { skewMs: at + HALF_SECOND_MS - (asked + now()) / 2 };
  try {
    const answer = await send('managementApi', { method: 'GET', path: `${prefix}${rest}`, token });
    return { prefix, answer, ...skewOf(Date.parse(answer.headers.date ?? '')) };
  } catch (error) {
    if (!(error instanceof InfluxError)) throw error;
    return { prefix, error, ...skewOf(error.at) };
  }
}

const isNowhere = ({ error }: Looked) => error?.status === 404;

/** Asks one prefix after the other, until one is there. The last one asked, and all of them. */
async function findPrefix(
  tools: LookTools,
  prefixes: readonly string[],
  token: TokenValue,
): Promise<Looked | undefined> {
  let last: Looked | undefined;
  for (const prefix of prefixes) {
    last = await lookAt(tools, { prefix, rest: '/databases' }, token);
    if (!isNowhere(last)) return last;
  }
  return last;
}

function reachable(url: string, { answer, error }: Looked): Verdict {
  const { host } = new URL(url);
  const status = answer?.status ?? error?.status;
  if (status === undefined && error) return noAnswer(url, error);
  if (status !== undefined && status >= 500) {
    const advice = 'look at the cluster, and at what stands before it';
    return { state: 'fail', found: `${host} answers ${status}`, advice };
  }
  // A login page with any status, or a way to one.
  const isElsewhere =
    status !== 404 &&
    (error?.foreignBody || (status !== undefined && status >= 300 && status < 400));
  if (isElsewhere || (answer && 'problem' in readDatabases(answer.text))) {
    const found = `${host} answers ${status}, and not as the Management API does`;
    return {
      state: 'fail',
      found,
      advice: 'check cluster.url: a login page or a proxy may stand there',
    };
  }
  return answers(url);
}

function prefixVerdict(
  { cluster: { accountId } }: LookTools['policy'],
  looked: Looked,
  elsewhere: Looked | undefined,
): Verdict {
  const { prefix, answer, error } = looked;
  if (answer && !('problem' in readDatabases(answer.text))) {
    return { state: 'ok', found: `${prefix} answers` };
  }
  if (!isNowhere(looked)) {
    return {
      state: 'unknown',
      found: `nobody knows, since ${prefix} answered ${error?.status ?? 'nothing of use'}`,
    };
  }
  if (elsewhere) {
    const advice = 'take cluster.accountId and clusterId out of the policy: this cluster has none';
    return { state: 'fail', found: `it is at ${elsewhere.prefix}, not at ${prefix}`, advice };
  }
  return {
    state: 'fail',
    found: `found nothing at ${accountId ? prefix : CLUSTERED_PREFIXES.join(', nor at ')} (404)`,
    advice: accountId
      ? 'check cluster.url, accountId and clusterId'
      : 'check cluster.url; Cloud Dedicated needs cluster.accountId and clusterId',
  };
}

function tokenVerdict(
  { answer, error }: Looked,
  cluster: Policy['cluster'],
  token: FoundManagementToken,
): Verdict {
  if (answer) {
    return 'problem' in readDatabases(answer.text)
      ? { state: 'unknown', found: 'something else answered in place of the cluster' }
      : { state: 'ok', found: 'the cluster takes it' };
  }
  const status = error?.status;
  if (status !== 401 && status !== 403) {
    return { state: 'unknown', found: 'the cluster was not asked, or did not say' };
  }
  if (error?.foreignBody) {
    const found = `a page, and no answer of InfluxDB, says ${status}`;
    return { state: 'unknown', found, advice: 'look what stands before the cluster' };
  }
  const mending = howToMend(cluster, token);
  if (status === 403) {
    const found = `the cluster knows the one ${sourceOf(cluster, token)}, and lets it list nothing (403)`;
    const isOfProvider = token.by === 'identity provider';
    const advice = isOfProvider ? mending : `a database token is not enough; ${mending}`;
    return { state: 'fail', found, advice };
  }
  const { found, advice } = token.refused?.() ?? {
    found: 'it is wrong, revoked or expired',
    advice: mending,
  };
  const whose = `the cluster refuses the one ${sourceOf(cluster, token)} (401)`;
  return { state: 'fail', found: `${whose}: ${found}`, advice };
}

function clockVerdict({ skewMs }: Looked): Verdict {
  if (skewMs === undefined) return { state: 'unknown', found: 'no answer said what time it is' };
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  if (Math.abs(skewMs) <= MOST_SKEW_MS) {
    return { state: 'ok', found: seconds <= 1 ? 'the same, to a second' : `${seconds} s apart` };
  }
  return {
    state: 'fail',
    found: `the cluster’s is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the one here`,
    advice: 'set the clock that is wrong: tokens expire, and waits are measured, by both',
  };
}

const listVerdict = (tools: LookTools, prefix: string, token: TokenValue) => async () => {
  const { answer, error } = await lookAt(tools, { prefix, rest: '/tokens' }, token);
  const read = answer && readTokens(answer.text);
  if (read && 'value' in read) {
    return { state: 'ok', found: `it lists ${read.value.length}` } as const;
  }
  return { state: 'fail', found: read?.problem ?? error?.message ?? 'no answer' } as const;
};

const unlooked = (check: string, why: string): Check => ({ check, state: 'unknown', found: why });

/** Looks at the Management API, from its name to its list of tokens, with the management token if it was read. */
export async function examineManagementApi(
  tools: LookTools,
  token: FoundManagementToken | undefined,
): Promise<readonly Check[]> {
  const { policy } = tools;
  const { url, accountId, clusterId } = policy.cluster;
  const sent = token?.value ?? new TokenValue('keyturn-doctor');
  const named = accountId && clusterId ? [accountPrefix(accountId, clusterId)] : undefined;
  let looked: Looked | undefined;
  const answers = await examined('Management API', async () => {
    looked = await findPrefix(tools, named ?? CLUSTERED_PREFIXES, sent);
    return looked ? reachable(url, looked) : { state: 'unknown', found: 'nothing was asked' };
  });
  const checks = ['path prefix', 'management token is taken', 'clocks', 'tokens'] as const;
  if (!looked || (looked.error && looked.error.status === undefined)) {
    return [answers, ...checks.map((each) => unlooked(each, 'nobody answered'))];
  }
  const seen = looked;
  const elsewhere =
    named && isNowhere(seen) ? await findPrefix(tools, CLUSTERED_PREFIXES, sent) : undefined;
  const [prefix, taken, clocks, tokens] = checks;
  return [
    answers,
    {
      check: prefix,
      ...prefixVerdict(policy, seen, elsewhere && !isNowhere(elsewhere) ? elsewhere : undefined),
    },
    token
      ? { check: taken, ...tokenVerdict(seen, policy.cluster, token) }
      : unlooked(taken, 'it was not read'),
    { check: clocks, ...clockVerdict(seen) },
    token && seen.answer
      ? await examined(tokens, listVerdict(tools, seen.prefix, token.value))
      : unlooked(tokens, 'they were not asked for'),
  ];
}
