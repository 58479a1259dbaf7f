import { ADOPTED_TAG, type Secret } from '../secrets-manager/secret.ts';
import { formatInstant } from '../time.ts';
import { isTokenId } from './version-id.ts';

/** What a secret's tag remembers of an adoption, because tools that manage the token by hand take its marker away. */
interface Adopted {
  readonly tokenId: string;
  /** The version that was seen to have its string. */
  readonly version: string;
  /** When it was taken over first, in milliseconds since 1970: `rotateEvery` counts from then. */
  readonly at: number;
}

/** The tag of an adopted secret: token, version and instant. */
export const adoptedTag = ({ tokenId, version, at }: Adopted): Record<string, string> => ({
  [ADOPTED_TAG]: `${tokenId} ${version} ${formatInstant(at)}`,
});

/** Undefined: nothing was adopted, or a part of the tag cannot be read. */
export function adoptedOf({ tags }: Pick<Secret, 'tags'>): Adopted | undefined {
  const [tokenId = '', version = '', instant = '', ...more] = tags[ADOPTED_TAG]?.split(' ') ?? [];
  const at = Date.parse(instant);
  const isRead = isTokenId(tokenId) && version !== '' && !Number.isNaN(at) && more.length === 0;
  return isRead ? { tokenId: tokenId.toLowerCase(), version, at } : undefined;
}
