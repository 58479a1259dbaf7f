import type { Answer, Request } from '../management-api/exchange.ts';
import type { InfluxError } from '../management-api/influx-error.ts';
import type { TokenValue } from '../token-value.ts';

/** What a token is probed for. */
export interface Probe {
  readonly action: 'read' | 'write';
  readonly database: string;
}

/**
 * `refused`: InfluxDB does not authorise it now. The token may be invalid, not yet known (InfluxDB takes
 * up to a few minutes), or without the permission; 401 and 403 do not distinguish these.
 * `indeterminate`: nothing was learnt; among others, a proxy answered with its own 401 or 403.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/database-tokens/
 */
export type ProbeAnswer = 'accepted' | 'refused' | 'indeterminate';

export interface ProbeResult {
  readonly answer: ProbeAnswer;
  /** What was answered if not `accepted`, for people. */
  readonly detail?: string;
}

// Neither changes anything: a write without lines, and the query by which Chronograf checks a connection
// (influx/cloud_dedicated.go). No other parameter is sent: a wrong one is refused before the token is
// checked.
export const requestFor = ({ action, database }: Probe, token: TokenValue): Request =>
  action === 'write'
    ? { method: 'POST', path: '/api/v2/write', query: { bucket: database }, body: '', token }
    : {
        method: 'GET',
        path: '/query',
        query: { db: database, q: 'SELECT * FROM dummy WHERE time > now()' },
        token,
      };

/** `/query` answers 200 also for an error, which is then in the body (influxdb3_core, iox_v1_query_api). */
function readQueryErrors(text: string): readonly unknown[] {
  try {
    const body = JSON.parse(text);
    const results: unknown = body.results;
    if (!Array.isArray(results)) return [body.error ?? 'no results'];
    return [body, ...results].map((each) => each?.error).filter((error) => error !== undefined);
  } catch {
    return ['not JSON'];
  }
}

// The server looks for the database only after it has accepted the token for it. Routers call it a namespace,
// version 2 of the API a bucket.
function isMissingDatabase(error: unknown): boolean {
  const text = String(error);
  const at = text.search(/database|namespace|bucket/i);
  return at >= 0 && /not found|does not exist/i.test(text.slice(at));
}

function judgeQuery(text: string): ProbeResult {
  const errors = readQueryErrors(text);
  return errors.every(isMissingDatabase)
    ? { answer: 'accepted' }
    : { answer: 'indeterminate', detail: 'GET /query answered 200 with an error in its body' };
}

/** What an answer with a status of 2xx means. */
export function judgeAnswer({ status, text }: Answer, { action }: Probe): ProbeResult {
  if (action === 'read') return judgeQuery(text);
  return status === 204
    ? { answer: 'accepted' }
    : { answer: 'indeterminate', detail: `POST /api/v2/write answered ${status}` };
}

/** What any other means, and none. */
export function judgeError(error: InfluxError, { action }: Probe): ProbeResult {
  const { status, serverMessage = '', foreignBody, message: detail } = error;
  // InfluxDB's own 401 and 403 have an empty body or JSON.
  if (status === 401 || status === 403) {
    return { answer: foreignBody ? 'indeterminate' : 'refused', detail };
  }
  // InfluxDB 3 Core refuses an empty write like this, after it has accepted the token; Clustered answers 204.
  const wasEmpty = action === 'write' && status === 400 && /empty/i.test(serverMessage);
  const isMissing = status === 404 && !foreignBody && isMissingDatabase(serverMessage);
  return wasEmpty || isMissing ? { answer: 'accepted' } : { answer: 'indeterminate', detail };
}
