import type { MintedToken } from '../management-api/management-api.ts';
import type { Policy, TokenPolicy } from '../policy/policy.ts';
import { formatInstant } from '../time.ts';
import { TokenValue } from '../token-value.ts';

/** Key of the token string in the secrets that Keyturn creates. */
const TOKEN_KEY = 'token';
const TOKEN_ID_KEY = 'tokenId';

/** A secret's string does not have the form that the policy says; nothing of it is quoted. */
export class SecretShapeError extends Error {
  override readonly name = 'SecretShapeError';
}

function parseObject(secret: string, text: TokenValue): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text.reveal());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return { ...parsed };
  } catch {
    // The error of JSON.parse quotes the text, so it is not passed on.
  }
  throw new SecretShapeError(`${secret} does not contain a JSON object`);
}

/** The JSON key of the token string in an entry's secret. Undefined: the secret is the token string itself. */
const keyOf = ({ adopt }: Pick<TokenPolicy, 'adopt'>) => (adopt ? adopt.key : TOKEN_KEY);

/**
 * Finds the token string in a secret's string.
 * @throws SecretShapeError
 */
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
 * Whether Keyturn wrote a version's value. An adopted secret does not show that; its values count as
 * written by Keyturn.
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
 * The value of a new version. A secret that Keyturn created gets the token and what consumers need to
 * use it. An adopted one keeps its form: only the token string in `former`, its present value, changes.
 * @throws SecretShapeError if `former` is missing or has another form
 */
export function composeSecretString(
  entry: TokenPolicy,
  { cluster }: Policy,
  { token, value }: MintedToken,
  former: TokenValue | undefined,
): TokenValue {
  if (entry.adopt) {
    if (entry.adopt.key === undefined) return value;
    if (!former) throw new SecretShapeError(`${entry.secret} has no value that can be copied`);
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
