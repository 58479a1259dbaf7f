import { TokenValue } from '../token-value.ts';
import type { Secrets } from './secrets.ts';

export interface ManagementToken {
  readonly value: TokenValue;
  /** From the secret, because the Management API does not return it. Milliseconds since 1970; infinity: never; NaN: unreadable. */
  readonly expiresAt?: number;
}

/** Secrets Manager did not answer; the cause says why. */
export class ManagementTokenError extends Error {
  override readonly name = 'ManagementTokenError';
}

/** Visible ASCII, as the header has it in which it is sent, and none of the marks that texts of other formats begin or are quoted with. */
const TOKEN = /^(?:(?!["'`{}[\]])[!-~])+$/;

/** As policies say it of tokens. */
export const NEVER = 'never';

/** JSON, or undefined: it is none. The parser's error would quote it. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A secret or a file has a plain string, or JSON: `{"token", "expiresAt"}`, with an instant or `never`. What is neither is not sent as a token to whoever answers
 * for the cluster, nor quoted.
 * @param source the name of the secret or the file
 * @throws Error
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
        : 'JSON without the string of a token under the key "token"';
    throw new Error(
      `there is no management token in ${source}: found ${found}, expected the token alone, or {"token": "…"} and perhaps "expiresAt"; write it so`,
    );
  }
  return {
    value: new TokenValue(value),
    ...(expiresAt !== undefined && { expiresAt: instantOf(expiresAt) }),
  };
}

const instantOf = (expiresAt: unknown): number =>
  expiresAt === NEVER ? Number.POSITIVE_INFINITY : Date.parse(String(expiresAt));

/** @throws Error if there is no such secret, or no token in it; ManagementTokenError if nobody knows */
export async function readManagementToken(
  secrets: Pick<Secrets, 'value'>,
  name: string,
): Promise<ManagementToken> {
  const text = await secrets.value(name).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    const said = `Secrets Manager could not be asked for the management token: ${why}`;
    throw new ManagementTokenError(said, { cause });
  });
  if (!text) throw new Error(`there is no management token in ${name}`);
  return parseManagementToken(text, name);
}
