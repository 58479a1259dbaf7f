import { InfluxError } from '../management-api/influx-error.ts';
import { managementSecret, type Policy } from '../policy/policy.ts';
import { ENDING_WAYS } from './plan/order.ts';
import type { RevocationRequest } from './request.ts';

/** The cluster did not say what there is, or nobody had a management token to ask it with; nothing was done. */
class NotSeenError extends Error {
  override readonly name = 'NotSeenError';
}

type Given = Pick<RevocationRequest, 'way'>;

/** That nothing was done, and what that means. */
export const nothingDone = ({ way }: Given): string =>
  ENDING_WAYS.includes(way)
    ? 'nothing was done, and what was meant may still work'
    : 'nothing was done';

const IN_HAND =
  'with a management token in hand (KEYTURN_MANAGEMENT_TOKEN or --management-token-file)';

/** What needs the cluster alone, if anything does, and otherwise when to try again. */
function nextOf({ way }: Given, otherwise: string): string {
  if (way === 'whois') return `${IN_HAND}, keyturn whois --local asks the cluster alone`;
  if (!ENDING_WAYS.includes(way)) return otherwise;
  return `${IN_HAND}, keyturn revoke --leaked (or --token-id ID) --freeze --local needs the cluster alone`;
}

/** Errors of the runtime, which no job imports. */
const WITHOUT_TOKEN = ['ManagementTokenError', 'RefusedClientError'];

/** @throws the error as it is, but where Secrets Manager, or the identity provider, does not give a management token */
export function refuseWithoutToken(error: unknown, given: Given): never {
  if (!(error instanceof Error && WITHOUT_TOKEN.includes(error.name))) throw error;
  const next = nextOf(given, 'give the same order again when it answers');
  throw new NotSeenError(`${error.message}; ${nothingDone(given)}; ${next}`, { cause: error });
}

/** Whether the cluster itself refuses the management token; what a proxy refuses says nothing about it. */
export const isTokenRefused = (error: unknown): error is InfluxError =>
  error instanceof InfluxError &&
  !error.foreignBody &&
  (error.status === 401 || error.status === 403);

/** What helps where the cluster does not say what there is. Undefined: the error says all that there is to say of a question. */
function helpOf(error: InfluxError, given: Given, cluster: Policy['cluster']): string | undefined {
  if (!isTokenRefused(error)) {
    const again = 'give the same order again when the Management API answers';
    return given.way === 'whois' ? undefined : again;
  }
  const mend = cluster.oauth
    ? 'let the cluster take the tokens of its client (docs/management-token.md)'
    : `put another management token into ${managementSecret(cluster)}`;
  return `${mend}; ${nextOf(given, 'then give the same order again')}`;
}

/**
 * What an order asks before it does anything.
 * @throws NotSeenError if the Management API does not answer
 */
export async function seenFor<T>(
  given: Given,
  { cluster }: Pick<Policy, 'cluster'>,
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof InfluxError)) throw error;
    const help = helpOf(error, given, cluster);
    if (help === undefined) throw error;
    throw new NotSeenError(`${error.message}; ${nothingDone(given)}: ${help}`, { cause: error });
  }
}
