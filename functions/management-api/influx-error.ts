import { redact } from '../credentials.ts';
import type { Unanswered } from './unanswered.ts';

interface InfluxErrorFields {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
  /** Absent: there was no answer. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly serverMessage?: string | undefined;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly gone?: boolean;
  readonly foreignBody?: boolean;
  readonly at?: number | undefined;
  readonly unanswered?: Unanswered | undefined;
  readonly cause?: unknown;
}

/** A call to InfluxDB, Management API or data plane, that did not do what was asked. */
export class InfluxError extends Error {
  override readonly name = 'InfluxError';
  readonly method: string;
  readonly path: string;
  readonly status: number | undefined;
  /** The code in the answer's body as text, such as `404` or `not found`. */
  readonly code: string | undefined;
  /** Redacted and shortened. */
  readonly serverMessage: string | undefined;
  /** The same call may succeed later: the status was 429 or 5xx, or there was no answer. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** The API itself answered 404; a proxy's page with that status does not count. */
  readonly gone: boolean;
  /** The answer's body is neither empty nor a JSON object: a proxy wrote it, not InfluxDB. */
  readonly foreignBody: boolean;
  /** The answer's `Date`, in milliseconds since 1970. Undefined: it has none, or there was no answer. */
  readonly at: number | undefined;
  /** Why there was no answer, without the place. Undefined: there was one, or nothing was sent. */
  readonly unanswered: Unanswered | undefined;

  constructor(message: string, fields: InfluxErrorFields) {
    super(redact(message), fields.cause === undefined ? undefined : { cause: fields.cause });
    this.method = fields.method;
    this.path = redact(fields.path);
    this.status = fields.status;
    this.code = fields.code;
    this.serverMessage = fields.serverMessage;
    this.retryable = fields.retryable ?? false;
    this.retryAfterMs = fields.retryAfterMs;
    this.gone = fields.gone ?? false;
    this.foreignBody = fields.foreignBody ?? false;
    this.at = fields.at;
    this.unanswered = fields.unanswered;
  }
}

/** The server's answer shows something else than was asked for. */
export class EchoError extends Error {
  override readonly name = 'EchoError';
}
