const CREDENTIALS = /apiv\d+_[A-Za-z0-9+/=_%-]{20,}|M\.V1\.\S+/g;

/** The text without anything that has the form of an InfluxDB credential. */
export const redact = (text: string): string => text.replace(CREDENTIALS, '[token]');

interface InfluxErrorFields {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
  /** Absent where no answer came. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly serverMessage?: string | undefined;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly gone?: boolean;
  readonly cause?: unknown;
}

/** A call to InfluxDB, Management API or data plane, that did not do what was asked. */
export class InfluxError extends Error {
  override readonly name = 'InfluxError';
  readonly method: string;
  readonly path: string;
  readonly status: number | undefined;
  /** The server's own, `404` or `not found`, as text. */
  readonly code: string | undefined;
  /** Redacted and shortened. */
  readonly serverMessage: string | undefined;
  /** The same call may succeed later: 429, 5xx, or no answer. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** The API itself says 404; a proxy's page with that status does not count. */
  readonly gone: boolean;

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
  }
}

/** The server's answer shows something else than it was asked for. */
export class EchoError extends Error {
  override readonly name = 'EchoError';
}
