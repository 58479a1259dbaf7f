import { InfluxError } from './influx-error.ts';

const BARE = '/api/v0';

/** Where Cloud Dedicated keeps its Management API. */
export const accountPrefix = (accountId: string, clusterId: string) =>
  `${BARE}/accounts/${encodeURIComponent(accountId)}/clusters/${encodeURIComponent(clusterId)}`;

// InfluxData's own clients call a Clustered installation by this account and cluster.
const CLUSTERED_ID = '11111111-1111-1111-1111-111111111111';
const PREFIXED = accountPrefix(CLUSTERED_ID, CLUSTERED_ID);

const notThere = (error: unknown) => error instanceof InfluxError && error.status === 404;

// An error of its own: a 404 that the API itself speaks would say of a token that it is gone.
const nowhereError = (cause: unknown) =>
  new InfluxError(`the Management API is neither at ${BARE} nor at ${PREFIXED}`, {
    method: 'GET',
    path: `${BARE}/databases`,
    status: 404,
    cause,
  });

/** The specification and InfluxData's own clients disagree on a Clustered installation's paths. */
async function detectPrefix(list: (prefix: string) => Promise<unknown>): Promise<string> {
  try {
    await list(BARE);
    return BARE;
  } catch (bareError) {
    if (!notThere(bareError)) throw bareError;
    try {
      await list(PREFIXED);
      return PREFIXED;
    } catch (error) {
      throw notThere(error) ? nowhereError(error) : error;
    }
  }
}

/**
 * The prefix of every path, found by listing databases and nothing else, and then remembered. A
 * failure is not: a Lambda outlives an outage.
 */
export function prefixFinder(list: (prefix: string) => Promise<unknown>): () => Promise<string> {
  let found: Promise<string> | undefined;
  return () => {
    found ??= detectPrefix(list).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}
