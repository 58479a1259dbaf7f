import { TokenValue } from '../token-value.ts';
import type { Secrets } from './secrets.ts';

export interface ManagementToken {
  readonly value: TokenValue;
  /** From the secret, because the Management API does not return it. Milliseconds since 1970; NaN: unreadable. */
  readonly expiresAt?: number;
}

/** Secrets Manager did not answer; the cause says why. */
export class ManagementTokenError extends Error {
  override readonly name = 'ManagementTokenError';
}

/** A secret or a file has a plain string, or JSON: `{"token", "expiresAt"}`. */
export function parseManagementToken(text: TokenValue): ManagementToken {
  try {
    const parsed: unknown = JSON.parse(text.reveal());
    if (typeof parsed === 'object' && parsed !== null && 'token' in parsed) {
      const value = new TokenValue(String(parsed.token).trim());
      if (!('expiresAt' in parsed)) return { value };
      return { value, expiresAt: Date.parse(String(parsed.expiresAt)) };
    }
  } catch {
    // Not JSON, so it is the token itself. The parser's error would quote it.
  }
  return { value: new TokenValue(text.reveal().trim()) }; // consoles and files often add a newline
}

/** @throws Error if there is no such secret, or no value in it; ManagementTokenError if nobody knows */
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
  return parseManagementToken(text);
}
