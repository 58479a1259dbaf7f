import type { MintedToken } from '../management-api/token-schemas.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import { formatInstant } from '../time.ts';
import { TokenValue } from '../token-value.ts';

/** Key of the token string in the secrets that Keyturn creates. */
const TOKEN_KEY = 'token';
const TOKEN_ID_KEY = 'tokenId';

/** A secret's string is not of the shape that the policy says; nothing of it is quoted. */
export class SecretShapeError extends Error {
  override readonly name = 'SecretShapeError';
}

function parseObject(secret: string, text: TokenValue): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text.reveal());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return { ...parsed };
  } catch {
    // What JSON.parse says quotes what it parsed.
  }
  throw new SecretShapeError(`${secret} holds no JSON object`);
}

/** The key under which an entry's secret keeps the token string; undefined: the string is all there is. */
const keyOf = ({ adopt }: Pick<TokenPolicy, 'adopt'>) => (adopt ? adopt.key : TOKEN_KEY);

/** Finds the token string in a secret's string. */
export function readTokenString(
  entry: Pick<TokenPolicy, 'secret' | 'adopt'>,
  text: TokenValue,
): TokenValue {
  const key = keyOf(entry);
  if (key === undefined) return text;
  const found = parseObject(entry.secret, text)[key];
  if (typeof found !== 'string' || found === '') {
    throw new SecretShapeError(`${entry.secret} has no string under "${key}"`);
  }
  return new TokenValue(found);
}

/**
 * Whether a version holds what Keyturn wrote into it. In an adopted secret nothing tells: there it
 * counts as written by Keyturn.
 */
export function isOurs(entry: TokenPolicy, version: string, text: TokenValue): boolean {
  if (entry.adopt) return true;
  try {
    return parseObject(entry.secret, text)[TOKEN_ID_KEY] === version;
  } catch {
    return false;
  }
}

/**
 * What a new version of a secret holds. A secret that Keyturn created gives consumers all they
 * need; an adopted one (`former`: its present string) keeps its shape, with the token replaced.
 */
export function composeSecretString(
  entry: TokenPolicy,
  { cluster }: Policy,
  { token, value }: MintedToken,
  former: TokenValue | undefined,
): TokenValue {
  if (entry.adopt) {
    if (entry.adopt.key === undefined) return value;
    if (!former) throw new SecretShapeError(`${entry.secret} has no value to take its shape from`);
    const shape = parseObject(entry.secret, former);
    return new TokenValue(JSON.stringify({ ...shape, [entry.adopt.key]: value.reveal() }));
  }
  return new TokenValue(
    JSON.stringify({
      [TOKEN_KEY]: value.reveal(),
      [TOKEN_ID_KEY]: token.id,
      url: cluster.dataUrl ?? cluster.url,
      databases: [...new Set(entry.permissions.map(({ resource }) => resource))],
      expiresAt: token.expiresAt === undefined ? null : formatInstant(token.expiresAt),
    }),
  );
}
