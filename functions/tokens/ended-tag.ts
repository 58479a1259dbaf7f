import { ENDED_TAG, LONGEST_TAG, type Secret } from '../secrets-manager/secret.ts';

/** So much of an id as tells tokens apart: a tag has room for 18 of them. `revoke` takes an id that is cut so, too. */
const short = (tokenId: string) => tokenId.slice(0, 13);

const endedIn = ({ tags }: Pick<Secret, 'tags'>): readonly string[] =>
  tags[ENDED_TAG]?.split(' ') ?? [];

/** The tag of a secret of which an order ended tokens: the beginnings of their ids, the last ones first. */
export function endedTag(
  tokenIds: readonly string[],
  secret: Pick<Secret, 'tags'>,
): Record<string, string> {
  const ids = [...new Set([...tokenIds.map(short), ...endedIn(secret)])];
  while (ids.join(' ').length > LONGEST_TAG) ids.pop();
  return { [ENDED_TAG]: ids.join(' ') };
}

/** Whether an order ended this token, and said so on its secret: then it is no person's act. */
export const isEndedByOrder = (tokenId: string, secret: Pick<Secret, 'tags'>): boolean =>
  endedIn(secret).includes(short(tokenId));
