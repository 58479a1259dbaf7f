import { InfluxError } from './influx-error.ts';

const BARE = '/api/v0';

/**
 * The prefix of the Management API in Cloud Dedicated.
 * https://docs.influxdata.com/influxdb3/cloud-dedicated/api/management-api/
 */
export const accountPrefix = (accountId: string, clusterId: string) =>
  `${BARE}/accounts/${encodeURIComponent(accountId)}/clusters/${encodeURIComponent(clusterId)}`;

// InfluxData's own clients use these ids for every Clustered installation: Chronograf in
// server/server.go, influxdb3_mcp_server in src/config.ts.
const CLUSTERED_ID = '11111111-1111-1111-1111-111111111111';
const PREFIXED = accountPrefix(CLUSTERED_ID, CLUSTERED_ID);

/** Where the Management API of a Clustered installation may be, the documented place first. */
export const CLUSTERED_PREFIXES = [BARE, PREFIXED] as const;

const notThere = (error: unknown) => error instanceof InfluxError && error.status === 404;

// A separate error: a 404 from the API itself would mean that a token is gone.
const nowhereError = (cause: unknown) =>
  new InfluxError(`the Management API is neither at ${BARE} nor at ${PREFIXED}`, {
    method: 'GET',
    path: `${BARE}/databases`,
    status: 404,
    cause,
  });

/**
 * Finds the prefix of every path by listing databases.
 * The specification has Clustered paths without a prefix, InfluxData's own clients with one.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/quick-start/
 */
export async function detectPrefix(list: (prefix: string) => Promise<unknown>): Promise<string> {
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
