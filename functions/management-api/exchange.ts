import type { IncomingHttpHeaders } from 'node:http';
import type { TokenValue } from '../token-value.ts';

/** One request to InfluxDB. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Percent-encoded; added to the cluster's address. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly token: TokenValue;
  readonly body?: string;
  readonly timeoutMs?: number;
  /** Ends it at once, also while it waits for a connection. */
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
