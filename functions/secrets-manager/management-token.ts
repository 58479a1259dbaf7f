import { TokenValue } from '../token-value.ts';
import type { Secrets } from './client.ts';

export interface ManagementToken {
  readonly value: TokenValue;
  /** As whoever stored it wrote beside it: InfluxDB does not tell. NaN: unreadable. */
  readonly expiresAt?: number;
}

/** A plain string, or `{"token", "expiresAt"}`. */
function parse(text: TokenValue): ManagementToken {
  try {
    const parsed: unknown = JSON.parse(text.reveal());
    if (typeof parsed === 'object' && parsed !== null && 'token' in parsed) {
      const value = new TokenValue(String(parsed.token).trim());
      if (!('expiresAt' in parsed)) return { value };
      return { value, expiresAt: Date.parse(String(parsed.expiresAt)) };
    }
  } catch {
    // Not JSON, hence the token itself; the parser's words would quote it.
  }
  return { value: new TokenValue(text.reveal().trim()) }; // consoles and files love a last newline
}

/** @throws Error where there is no such secret, or no value in it */
export async function readManagementToken(
  secrets: Pick<Secrets, 'value'>,
  name: string,
): Promise<ManagementToken> {
  const text = await secrets.value(name);
  if (!text) throw new Error(`there is no management token in ${name}`);
  return parse(text);
}
