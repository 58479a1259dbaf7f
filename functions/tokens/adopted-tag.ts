import { ADOPTED_TAG, type Secret } from '../secrets-manager/secret.ts';
import { formatInstant } from '../time.ts';
import { isTokenId } from './version-id.ts';

/** What a secret's tag remembers of an adoption, because tools that manage the token by hand take its marker away. */
interface Adopted {
  readonly tokenId: string;
  /** `TokenValue.fingerprint()` of the string that was seen to be its own. */
  readonly fp: string;
  /** When it was taken over first, in milliseconds since 1970: `rotateEvery` counts from then. */
  readonly at: number;
}

const FINGERPRINT = /^[0-9a-f]{16}$/;

/** The tag of an adopted secret: token, fingerprint and instant. */
export const adoptedTag = ({ tokenId, fp, at }: Adopted): Record<string, string> => ({
  [ADOPTED_TAG]: `${tokenId} ${fp} ${formatInstant(at)}`,
});

/**
 * Undefined: nothing was adopted, or a part of the tag cannot be read. Its instant is no later than the secret's last
 * change: a hand that edits it can put no rotation off.
 */
export function adoptedOf({
  tags,
  changedAt,
}: Pick<Secret, 'tags' | 'changedAt'>): Adopted | undefined {
  const [tokenId = '', fp = '', instant = '', ...more] = tags[ADOPTED_TAG]?.split(' ') ?? [];
  const at = Math.min(Date.parse(instant), changedAt);
  const isRead = isTokenId(tokenId) && FINGERPRINT.test(fp) && !Number.isNaN(at);
  return isRead && more.length === 0 ? { tokenId: tokenId.toLowerCase(), fp, at } : undefined;
}
