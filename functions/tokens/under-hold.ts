import type { Token } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/secret.ts';
import { type Arming, changeToken, freshToken, patchToken, stripped } from './change-token.ts';
import type { OwnedToken } from './observation.ts';

/** The tools of a run that may give a token permissions. */
export interface ArmingTools extends Tools {
  /** Like `changeToken`, for a change after which the token may do something. */
  readonly arm: (owned: OwnedToken, change: Arming) => Promise<Token>;
}

/** Permissions were given, and then the hold could not be read, or not be obeyed. */
export class HoldUnreadError extends Error {
  override readonly name = 'HoldUnreadError';

  constructor(secret: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the hold of ${secret} could not be read after permissions were given: ${why}`, {
      cause,
    });
  }
}

/** What came of work that may have given permissions, and of the look at the hold after it. */
export interface UnderHold<T> {
  readonly result: T;
  /** Nobody knows that the hold was obeyed; absent: there is none, or it was. */
  readonly unread?: HoldUnreadError;
}

async function takeBack(owned: OwnedToken, tools: Tools, hold: string): Promise<void> {
  const fresh = await freshToken(tools, owned);
  if (!fresh || fresh.token.permissions.length === 0) return;
  await changeToken(tools, fresh, stripped(fresh, 'frozen', tools.apiNow()));
  const detail = {
    secret: owned.marker.secret,
    tokenId: fresh.token.id,
    reason: 'HoldFrozen',
  };
  tools.log.warn('stripped', { ...detail, hold });
  tools.publish({ type: 'Token Retired', detail });
}

/** Takes from every token what it was given if the secret is on hold; one that fails stops no other. */
async function obeyHold(
  secret: string,
  armed: readonly OwnedToken[],
  tools: Tools,
): Promise<unknown> {
  if (armed.length === 0) return undefined;
  const [described] = await Promise.allSettled([tools.secrets.describe(secret)]);
  if (described.status === 'rejected') return described.reason;
  const hold = described.value && holdOf(described.value);
  if (!hold) return undefined;
  let failure: unknown;
  for (const each of armed) {
    // One after the other: a token that was given something twice is stripped once.
    const [taken] = await Promise.allSettled([takeBack(each, tools, hold)]);
    if (taken.status === 'rejected') failure ??= taken.reason;
  }
  return failure;
}

/**
 * Runs work that may give permissions to tokens of a secret. The hold is read after it, however it
 * ended: a person may have put the secret on hold meanwhile, and may have looked for its tokens
 * before these could do anything. Failing to read it never replaces what the work returned or threw.
 */
export async function underHold<T>(
  secret: string,
  tools: Tools,
  work: (tools: ArmingTools) => Promise<T>,
): Promise<UnderHold<T>> {
  const armed: OwnedToken[] = [];
  const arm: ArmingTools['arm'] = (owned, change) => {
    armed.push(owned); // before the request: its answer may be lost and its effect not
    return patchToken(tools, owned, change);
  };
  const [worked] = await Promise.allSettled([work({ ...tools, arm })]);
  const failure = await obeyHold(secret, armed, tools);
  const unread = failure === undefined ? undefined : new HoldUnreadError(secret, failure);
  if (unread) tools.log.error('the hold could not be read', { secret, error: unread });
  if (worked.status === 'rejected') throw worked.reason;
  return { result: worked.value, ...(unread && { unread }) };
}
