import { TokenValue } from '../token-value.ts';
import type { Secrets } from './secrets.ts';

export interface ManagementToken {
  readonly value: TokenValue;
  /** From the secret, because the Management API does not return it. Milliseconds since 1970; infinity: never; NaN: unreadable. */
  readonly expiresAt?: number;
}

/** Nobody gave a management token; the cause says why. */
export class ManagementTokenError extends Error {
  override readonly name = 'ManagementTokenError' as string;
  /** Who was asked for what, as the beginning of a sentence. */
  readonly what: string;

  /** @param what such as `Secrets Manager could not be asked for the management token` */
  constructor(what: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.what = what;
  }
}

/** The identity provider refuses the client: no run gets a token until a person mends it. */
export class RefusedClientError extends ManagementTokenError {
  override readonly name = 'RefusedClientError';
}

/** There is something in place of a management token, which may be in it; the message says how to write it. */
export class MisshapenTokenError extends Error {
  override readonly name = 'MisshapenTokenError';
}

/** The secret is not there, or empty. */
export class AbsentTokenError extends Error {
  override readonly name = 'AbsentTokenError';
}

/** Behind `the management token` or `the one`: no secret has it. */
export const IN_HAND = 'that was given by hand';
export const ANOTHER_IN_HAND =
  'give another management token in KEYTURN_MANAGEMENT_TOKEN or --management-token-file, or none: then the policy says where it is';

/** Visible ASCII, as the header has it in which it is sent, and none of the marks that texts of other formats begin or are quoted with. */
const TOKEN = /^(?:(?!["'`{}[\]])[!-~])+$/;

/** As policies say it of tokens. */
export const NEVER = 'never';

const MOST_KEYS = 5;

/** JSON, or undefined: it is none. The parser's error would quote it. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Which keys there are instead: names, and no values. What could be more than a name is not shown. */
function keysIn(value: unknown): string {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const keys = isMapping ? Object.keys(value) : [];
  const shown = keys.filter((key) => /^[A-Za-z][A-Za-z_-]{0,30}\d{0,2}$/.test(key));
  if (keys.length === 0) return '';
  const others = keys.length - shown.length;
  const names = [...shown.slice(0, MOST_KEYS), ...(others > 0 ? [`${others} more`] : [])];
  return ` (its keys: ${names.join(', ')})`;
}

/**
 * A secret or a file has a plain string, or JSON: `{"token", "expiresAt"}`, with an instant or `never`. What is neither is not sent as a token to whoever answers
 * for the cluster, nor quoted.
 * @param source the name of the secret or the file
 * @throws MisshapenTokenError
 */
export function parseManagementToken(text: TokenValue, source: string): ManagementToken {
  const plain = text.reveal().trim(); // consoles and files often add a newline
  const parsed = jsonIn(plain);
  const { token, expiresAt }: { token?: unknown; expiresAt?: unknown } =
    parsed === undefined ? { token: plain } : Object(parsed);
  const value = typeof token === 'string' ? token.trim() : '';
  if (!TOKEN.test(value)) {
    const found =
      parsed === undefined
        ? 'a text with blanks, quotes or brackets in it'
        : `JSON without the string of a token under the key "token"${keysIn(parsed)}`;
    throw new MisshapenTokenError(
      `there is no management token in ${source}: found ${found}, expected the token alone, or {"token": "…"} and perhaps "expiresAt"; write it so`,
    );
  }
  return {
    value: new TokenValue(value),
    ...(expiresAt !== undefined && { expiresAt: instantOf(expiresAt) }),
  };
}

/** What answers say of an expiry that is no instant. */
export const UNREADABLE = 'unreadable';

const instantOf = (expiresAt: unknown): number =>
  expiresAt === NEVER ? Number.POSITIVE_INFINITY : Date.parse(String(expiresAt));

/** @throws AbsentTokenError, MisshapenTokenError; ManagementTokenError if nobody knows */
export async function readManagementToken(
  secrets: Pick<Secrets, 'value'>,
  name: string,
): Promise<ManagementToken> {
  return parseManagementToken(await textIn(secrets, name, 'the management token'), name);
}

async function textIn(
  secrets: Pick<Secrets, 'value'>,
  name: string,
  what: string,
): Promise<TokenValue> {
  const text = await secrets.value(name).catch((cause: unknown) => {
    throw new ManagementTokenError(`Secrets Manager could not be asked for ${what}`, cause);
  });
  if (!text) throw new AbsentTokenError(`there is no ${what.replace(/^the /, '')} in ${name}`);
  return text;
}

/** Where a client's secret stands in JSON unless the policy says otherwise. */
const CLIENT_SECRET = 'clientSecret';

/**
 * The secret of an OAuth client: a plain string, or a string in JSON.
 * @param field a key, or a path of keys with dots between them; absent: a plain string, or the key `clientSecret`
 * @throws AbsentTokenError, MisshapenTokenError; ManagementTokenError if nobody knows
 */
export async function readClientSecret(
  secrets: Pick<Secrets, 'value'>,
  name: string,
  field?: string,
): Promise<TokenValue> {
  const text = (await textIn(secrets, name, "the OAuth client's secret")).reveal().trim();
  const parsed = jsonIn(text);
  const isJson = typeof parsed === 'object' && parsed !== null;
  if (!isJson && field === undefined && text !== '') return new TokenValue(text);
  const path = field ?? CLIENT_SECRET;
  const found = path
    .split('.')
    .reduce<unknown>(
      (under, key) => (Object.hasOwn(Object(under), key) ? Object(under)[key] : undefined),
      parsed,
    );
  if (typeof found === 'string' && found.trim() !== '') return new TokenValue(found.trim());
  const what = isJson
    ? `JSON without a string under the key "${path}"${keysIn(parsed)}`
    : `${text === '' ? 'nothing' : 'a text that is no JSON'}`;
  throw new MisshapenTokenError(
    `there is no client secret in ${name}: found ${what}, expected ${field === undefined ? `the client's secret alone, or {"${CLIENT_SECRET}": "…"}` : `JSON with it under the key "${field}" (cluster.oauth.clientSecretField)`}; write it so`,
  );
}
