import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/secret.ts';
import { changeToken, freshToken, stripped } from './change-token.ts';
import type { OwnedToken } from './observation.ts';

/**
 * The last look of a run that gave permissions: a person may have put the secret on hold meanwhile,
 * and may have looked for its tokens before these could do anything. Takes from each what it was given.
 */
export async function obeyHold(
  tools: Tools,
  secret: string,
  given: readonly OwnedToken[],
): Promise<boolean> {
  const hold = holdOf((await tools.secrets.describe(secret)) ?? { tags: {} });
  if (!hold) return false;
  for (const each of given) {
    const fresh = await freshToken(tools, each);
    if (fresh && fresh.token.permissions.length > 0) {
      await changeToken(tools, fresh, stripped(fresh, 'frozen', tools.apiNow()));
      const detail = { secret, tokenId: fresh.token.id, reason: 'HoldFrozen' };
      tools.log.warn('stripped', { ...detail, hold });
      tools.publish({ type: 'Token Retired', detail });
    }
  }
  return true;
}
