import { redact } from '../../functions/credentials.ts';
import { isWithoutRegion, namedAsRegion } from '../../functions/run/message-of.ts';
import { oneLine } from '../harmless.ts';

/** Exit codes; `keyturn --help` lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  wouldChange: 2,
  unconfirmed: 3,
  refused: 4,
  cancelled: 5,
  notWell: 6,
  unknown: 7,
} as const;

/** In words, for who has no report. */
export const meaningOf = (code: unknown): string =>
  code === EXIT.done || code === undefined
    ? 'everything was done'
    : code === EXIT.unconfirmed
      ? 'everything was done, and not all of it is proven'
      : 'not everything was done';

interface Options extends ErrorOptions {
  readonly exitCode?: number;
}

/** An error that a person can read and act on: one sentence, no stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, { exitCode = EXIT.failed, ...options }: Options = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Lambda has no room for a run; nothing was done. */
export class NotStartedError extends CommandError {}

/** The function threw; `kind` is the name of its error. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The name of the error; the same whether the engine ran here or in Lambda. */
export const kindOf = (error: unknown): string =>
  error instanceof FunctionError ? error.kind : error instanceof Error ? error.name : '';

/** Why the SDK has no credentials. Of a profile that is not there, or whose parts are not, it says nothing. */
function withoutCredentials({ message }: Error): string {
  const { AWS_PROFILE: profile } = process.env;
  if (message.includes('Could not load credentials from any providers')) {
    const [of, how] = profile
      ? [
          ` of the profile ${profile}`,
          `aws sts get-caller-identity --profile ${profile} says what it lacks`,
        ]
      : ['', 'log in (aws sso login)'];
    return `found no AWS credentials${of}, expected a profile, a role or AWS_ACCESS_KEY_ID; ${how}, then repeat the command`;
  }
  // The SDK passes fromEnv over as long as a profile is named.
  const how = /\bMFA\b/.test(message)
    ? `let the AWS CLI ask for the code, eval "$(aws configure export-credentials --profile ${profile ?? 'default'} --format env)"; unset AWS_PROFILE, `
    : '';
  return `found no AWS credentials: ${message.replace(/\.$/, '')}; ${how}then repeat the command`;
}

const EXPLAINED: Readonly<Record<string, (error: Error) => string>> = {
  CredentialsProviderError: (error) => oneLine(withoutCredentials(error)),
  ExpiredTokenException: () =>
    'the AWS session has expired; log in again (aws sso login), then repeat the command',
};

/** The functions' sentences name keys of their events and, behind them, the flag. */
export const inFlags = (text: string) =>
  text.replaceAll(/"\w{1,40}": \S{1,200} \((--[\w-]{1,40}(?: [^)]{1,200})?)\)/g, '$1');

/** What went wrong, for people. */
export const sentenceOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (isWithoutRegion(error)) {
    const named = namedAsRegion(error);
    const found = named === undefined ? 'no AWS Region' : `"${named}" for the AWS Region`;
    return `found ${found}, expected AWS_REGION or a profile with a Region; set one of them`;
  }
  // The functions' messages name their events; here it is a flag.
  const said = inFlags(error.message).replaceAll(
    /\{"approve": "(\w+)"\}/g,
    'repeat with --approve $1',
  );
  return EXPLAINED[error.name]?.(error) ?? said;
};

/** Prints what went wrong and returns the exit code. */
export function explain(error: unknown, write: (text: string) => void): number {
  write(`keyturn: ${redact(sentenceOf(error))}`);
  if (process.env.DEBUG && error instanceof Error) write(redact(error.stack ?? ''));
  if (error instanceof CommandError) return error.exitCode;
  return kindOf(error) === 'PlanRefusedError' ? EXIT.refused : EXIT.failed;
}
