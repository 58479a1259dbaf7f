import type { Token } from '../management-api/token.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { describeHold, holdOf } from '../secrets-manager/hold.ts';
import {
  type Arming,
  changeToken,
  freshToken,
  patchToken,
  patchTokenInUse,
  stripped,
} from './change-token.ts';
import type { OwnedToken } from './observation.ts';

/** The tools of a run that may give a token permissions. */
export interface ArmingTools extends Tools {
  /** Like `changeToken`, for a change that may give permissions. */
  readonly arm: (owned: OwnedToken, change: Arming) => Promise<Token>;
  /** The same for a token that consumers may have, in two requests: no half of it looks like a person's act. */
  readonly armInUse: ArmingTools['arm'];
}

/** Permissions were given, and then the hold could not be read, or not be obeyed. */
export class HoldError extends Error {
  override readonly name = 'HoldError';

  constructor(secret: string, cause: unknown) {
    const why = messageOf(cause);
    super(
      `the hold of ${secret} could not be read or obeyed after permissions were given: ${why}`,
      {
        cause,
      },
    );
  }
}

/** The result of work that may have given permissions, and of reading the hold after it. */
export interface UnderHold<T> {
  readonly result: T;
  /** It is not known that a hold was obeyed. Absent: there was no hold, or it was obeyed. */
  readonly holdError?: HoldError;
  /** The hold in words, if there was one and the permissions were taken away again. */
  readonly obeyed?: string;
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

/**
 * H4: if the secret is on hold now, takes from every token what this run gave it. An error at one token
 * stops no other. Resolves to the first error, and to the hold that was obeyed.
 */
async function obeyHold(
  secret: string,
  armed: readonly OwnedToken[],
  tools: Tools,
): Promise<{ readonly failure?: unknown; readonly obeyed?: string | undefined }> {
  if (armed.length === 0) return {};
  const [described] = await Promise.allSettled([tools.secrets.describe(secret)]);
  if (described.status === 'rejected') return { failure: described.reason };
  const hold = described.value && holdOf(described.value);
  if (!hold) return {};
  let failure: unknown;
  for (const each of armed) {
    // One after the other, so that a token which got permissions twice is stripped once.
    const [taken] = await Promise.allSettled([takeBack(each, tools, hold)]);
    if (taken.status === 'rejected') failure ??= taken.reason;
  }
  return failure === undefined
    ? { obeyed: described.value && describeHold(described.value) }
    : { failure };
}

/**
 * Runs work that may give permissions to tokens of a secret, and then reads the hold, also if the work
 * failed: a person may have put the secret on hold meanwhile, before these tokens had permissions to take
 * away. If the hold cannot be read, the result or the error of the work stays as it is.
 */
export async function underHold<T>(
  secret: string,
  tools: Tools,
  work: (tools: ArmingTools) => Promise<T>,
): Promise<UnderHold<T>> {
  const armed: OwnedToken[] = [];
  const giving =
    (patch: typeof patchToken): ArmingTools['arm'] =>
    (owned, change) => {
      armed.push(owned); // before the request: it may take effect even if its answer is lost
      return patch(tools, owned, change);
    };
  const arming = { ...tools, arm: giving(patchToken), armInUse: giving(patchTokenInUse) };
  const [worked] = await Promise.allSettled([work(arming)]);
  const { failure, obeyed } = await obeyHold(secret, armed, tools);
  const holdError = failure === undefined ? undefined : new HoldError(secret, failure);
  if (holdError)
    tools.log.error('the hold could not be read or obeyed', { secret, error: holdError });
  if (worked.status === 'rejected') throw worked.reason;
  return {
    result: worked.value,
    ...(holdError && { holdError }),
    ...(obeyed !== undefined && { obeyed }),
  };
}
