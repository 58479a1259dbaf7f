import type { Request } from '../management-api/exchange.ts';
import { InfluxError } from '../management-api/influx-error.ts';
import { createTransport } from '../management-api/transport.ts';
import type { TokenValue } from '../token-value.ts';

/** What a token may be able to do. */
export interface Probe {
  readonly action: 'read' | 'write';
  readonly database: string;
}

/**
 * `refused`: not authorised *now*, be the token invalid, not yet known, or short of a permission;
 * the cluster's 401 and 403 do not tell these apart. `indeterminate`: nothing was learnt.
 */
export type ProbeAnswer = 'accepted' | 'refused' | 'indeterminate';

export interface Finding {
  readonly answer: ProbeAnswer;
  /** What was answered instead of acceptance, for people. */
  readonly detail?: string;
}

export interface ClusterAddress {
  readonly url: string;
  /** PEM of the authorities to trust, instead of the public ones. */
  readonly ca?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const TIMEOUT_MS = 10_000;

// Both change nothing: a write without lines, and a query that InfluxData's own tools probe with.
// A parameter that is in the wrong is answered before the token is looked at, so there is no other.
const requestFor = ({ action, database }: Probe, token: TokenValue): Request =>
  action === 'write'
    ? { method: 'POST', path: '/api/v2/write', query: { bucket: database }, body: '', token }
    : {
        method: 'GET',
        path: '/query',
        query: { db: database, q: 'SELECT * FROM dummy WHERE time > now()' },
        token,
      };

/** `/query` answers 200 to what it could not do, and says so in the body. */
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

// The database is looked up only after the token was found good for it.
const isMissingDatabase = (error: unknown) => /database.*not found/i.test(String(error));

function judgeQuery(text: string): Finding {
  const errors = readQueryErrors(text);
  return errors.every(isMissingDatabase)
    ? { answer: 'accepted' }
    : { answer: 'indeterminate', detail: 'GET /query answered 200 with an error in its body' };
}

function judgeError(error: unknown, { action }: Probe): Finding {
  if (!(error instanceof InfluxError)) throw error;
  const { status, serverMessage = '', message: detail } = error;
  if (status === 401 || status === 403) return { answer: 'refused', detail };
  // InfluxDB 3 Core says so, after it has looked at the token; Clustered says 204.
  const wasEmpty = action === 'write' && status === 400 && /empty/i.test(serverMessage);
  return wasEmpty ? { answer: 'accepted' } : { answer: 'indeterminate', detail };
}

/**
 * Asks the cluster, by one request on a connection of its own, whether a token is good for
 * something. A connection that is kept would always reach the same router, and many hold a copy.
 */
export async function ask(
  options: ClusterAddress,
  token: TokenValue,
  wanted: Probe,
): Promise<Finding> {
  const transport = createTransport({
    ...options,
    connections: 1,
    keepAlive: false,
    timeoutMs: TIMEOUT_MS,
  });
  try {
    const { status, text } = await transport.send(requestFor(wanted, token));
    if (wanted.action === 'read') return judgeQuery(text);
    return status === 204
      ? { answer: 'accepted' }
      : { answer: 'indeterminate', detail: `POST /api/v2/write answered ${status}` };
  } catch (error) {
    return judgeError(error, wanted);
  } finally {
    await transport.close();
  }
}
