import { redact } from '../credentials.ts';
import { TimeoutError } from '../within.ts';
import type { Answer, Request } from './exchange.ts';
import { InfluxError } from './influx-error.ts';
import { unanswered } from './unanswered.ts';

const LONGEST_MESSAGE = 300;

const plain = (text: string) => {
  const line = text
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line;
};

/** The Management API answers `{code, message}`, `/query` answers `{error}`, a proxy answers anything. */
function readErrorBody(text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {}
  const object = typeof body === 'object' && body !== null ? body : undefined;
  const fields: Record<string, unknown> = { ...object };
  const { code, message, error } = fields;
  const said = [message, error].find((each) => typeof each === 'string') ?? text;
  const hasCode = typeof code === 'string' || typeof code === 'number';
  return {
    code: hasCode ? String(code) : undefined,
    message: String(said),
    isApiError: hasCode && typeof message === 'string',
    isForeign: !object && text.trim() !== '',
  };
}

/** `Retry-After` in milliseconds (RFC 9110, 10.2.3). A date is compared with the answer's `Date`, not with our clock. */
function retryAfterMs({ headers }: Answer): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const milliseconds = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : Date.parse(text) - Date.parse(headers.date ?? '');
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

/** The clock of whoever answered, in milliseconds since 1970. Undefined: the answer has no `Date`. */
function instantOf({ headers }: Answer): number | undefined {
  const at = Date.parse(headers.date ?? '');
  return Number.isNaN(at) ? undefined : at;
}

const place = ({ method, path }: Request) => `${method} ${path}`;

const status = (answer: Answer) => `${answer.status} ${answer.statusText}`.trim();

/** Also removes the token that was sent: a server may repeat it, in a form that `redact` does not know. */
function withoutToken(text: string, { token }: Request): string {
  const sent = token.reveal();
  return plain(redact(sent ? text.replaceAll(sent, '[token]') : text));
}

export function answerError(request: Request, answer: Answer): InfluxError {
  const body = readErrorBody(answer.text);
  const said = withoutToken(body.message, request);
  return new InfluxError(`${place(request)} answered ${status(answer)}${said && `: ${said}`}`, {
    method: request.method,
    path: request.path,
    status: answer.status,
    code: body.code && withoutToken(body.code, request),
    serverMessage: said || undefined,
    retryable: answer.status === 429 || answer.status >= 500,
    retryAfterMs: retryAfterMs(answer),
    gone: answer.status === 404 && body.isApiError,
    foreignBody: body.isForeign,
    at: instantOf(answer),
  });
}

/** The answer does not have the form that the specification says. */
export function unexpectedAnswerError(request: Request, answer: Answer, why: string): InfluxError {
  return new InfluxError(`${place(request)} answered ${status(answer)}, but ${why}`, {
    method: request.method,
    path: request.path,
    status: answer.status,
  });
}

/** A request that was not sent, because it could take effect after the end of the run. */
export function tooLateError(request: Request): InfluxError {
  return new InfluxError(`${place(request)} was not sent: the time of the run is over`, {
    method: request.method,
    path: request.path,
    retryable: true,
  });
}

/** An answer that would not fit the memory of a function. Waiting does not make it shorter. */
export class TooLongAnswerError extends Error {
  override readonly name = 'TooLongAnswerError';
  readonly code = 'EXCEEDED';

  constructor(bytes: number) {
    super(`the answer is longer than ${bytes / 1024 / 1024} MB, the most that is read`);
  }
}

/** What is said of it in private words of a library, such as OpenSSL's, helps nobody: its code is told. */
const isPrivate = (text: string) => /:error:|\broutines:/.test(text);

/** Nobody answered at `origin`, or nobody who was trusted or understood. */
export function connectionError(request: Request, origin: string, error: Error): InfluxError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const cause = unanswered(code);
  const text = plain(redact(error.message));
  const own = !text || isPrivate(text) ? code : text;
  // How long it was waited for is told by the error itself.
  const what = cause && !(error instanceof TimeoutError) ? cause.what : own;
  return new InfluxError(
    `${place(request)} at ${origin} failed: ${what}${cause ? `; ${cause.advice}` : ''}`,
    {
      method: request.method,
      path: request.path,
      code,
      unanswered: { what, advice: cause?.advice },
      // Waiting does not repair a certificate, or a call that undici itself refused.
      retryable: !/CERT|SIGNATURE|UND_ERR_INVALID|OVERFLOW|EXCEEDED/.test(code),
      // Not the error itself: a parser's error contains the bytes that it could not parse.
      cause: new Error(`${code}: ${text}`),
    },
  );
}
