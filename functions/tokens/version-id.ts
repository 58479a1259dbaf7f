const PREFIX = 'keyturn-';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isTokenId = (text: string): boolean => UUID.test(text);

/**
 * Id of the version that Keyturn puts for a token: 44 characters, of the 32 to 64 that are allowed. The
 * console and the SDKs draw UUIDs for theirs, so nobody else's version has such an id.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html (ClientRequestToken)
 */
export const versionIdOf = (tokenId: string): string => `${PREFIX}${tokenId}`;

/** The token that a version's id names. */
export interface NamedToken {
  readonly tokenId: string;
  /**
   * False: the id is a bare UUID. Keyturn 0.1 put its versions under the token's own id, and the console
   * puts UUIDs, too: if no token has the id, nobody knows what the version has.
   */
  readonly certain: boolean;
}

/** Which token a version's id names. Undefined: it names none. */
export function tokenNamedBy(version: string): NamedToken | undefined {
  const certain = version.startsWith(PREFIX);
  const tokenId = certain ? version.slice(PREFIX.length) : version;
  return isTokenId(tokenId) ? { tokenId: tokenId.toLowerCase(), certain } : undefined;
}
