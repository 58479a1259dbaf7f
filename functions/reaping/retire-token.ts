import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { changeToken, stripped, superseding, supersedingFormer } from '../tokens/change-token.ts';
import { isMarkedByOthers } from '../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { isExpired, isSame, ownedCurrent, ownedPrevious } from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import { lookAgain } from './look-again.ts';
import { decideReaping, type ReapingContext } from './plan/decide-reaping.ts';
import { reapingContext } from './plan/plan-reaping.ts';
import type { ForeignDeletion, Retirement } from './plan/reaping-action.ts';

/** A token and its secret as they are now. */
interface ObservedAgain {
  readonly owned: OwnedToken;
  readonly seen: ObservedSecret;
}

/** Reads the planned token and its secret again; the other tokens of the secret are as they were listed. */
async function observeAgain(
  { secret, tokenId }: Retirement,
  observation: Observation,
  tools: Tools,
): Promise<ObservedAgain | undefined> {
  const listed = observation.secrets.get(secret);
  const seen = listed && (await lookAgain(listed, observation, tools, tokenId));
  const owned = seen?.tokens.find(({ token }) => token.id === tokenId);
  return owned && seen && { owned, seen };
}

const hasLabel = ({ labels }: Secret, version: string, names: readonly string[]) =>
  names.some((name) => labels[name] === version);

/**
 * R13 and R15: takes AWSPREVIOUS off the version, so that a version with this label always has a token that works.
 * If somebody rolled back just now, the compare-and-set fails, or the secret shows it afterwards.
 */
async function fence(
  { owned, seen }: ObservedAgain,
  { retire, now }: ReapingContext,
  tools: Tools,
): Promise<Result> {
  const { name, labels } = seen.secret;
  const previous = isSame(ownedPrevious(seen), owned) ? labels.AWSPREVIOUS : undefined;
  if (previous !== undefined) {
    // R13: whoever dies behind taking the label off must leave no old clock.
    if (owned.marker.fenced !== undefined) {
      await changeToken(tools, owned, { marker: { fenced: undefined } });
    }
    if (!(await takeLabelOff({ secret: name, label: 'AWSPREVIOUS', version: previous }, tools)))
      return 'lost';
    const again = await tools.secrets.describe(name);
    if (!again || hasLabel(again, previous, ['AWSCURRENT', 'AWSPREVIOUS'])) return 'lost';
  }
  if (!retire && isSame(ownedCurrent(seen), owned)) return 'lost';
  await changeToken(tools, owned, { marker: { fenced: now } });
  return 'done';
}

/** Carries out one step of a token's retirement, if the token and its secret, read again, decide the same. */
export async function retireToken(
  action: Retirement,
  observation: Observation,
  tools: Tools,
): Promise<Result> {
  const observed = await observeAgain(action, observation, tools);
  if (!observed) return 'skipped';
  const { owned, seen } = observed;
  const context = reapingContext(tools.policy, seen.secret.name, tools.apiNow());
  const step = decideReaping(owned, seen, context);
  if (step?.kind !== action.kind || step.reason !== action.reason) return 'skipped';
  const { token } = owned;
  const detail = { secret: seen.secret.name, tokenId: token.id, reason: step.reason };
  switch (step.kind) {
    case 'supersede': {
      const { gracePeriod } = context.lifetimes;
      // What AWSPREVIOUS has was AWSCURRENT, whatever its marker says.
      const isFormer = isSame(ownedPrevious(seen), owned);
      const change = isFormer ? supersedingFormer : superseding;
      await changeToken(tools, owned, change(owned, gracePeriod, tools.apiNow()));
      return 'done';
    }
    case 'fence':
      return fence(observed, context, tools);
    case 'quarantine':
      await changeToken(tools, owned, stripped(owned, 'quarantined', tools.apiNow()));
      break;
    case 'strip':
      await changeToken(tools, owned, stripped(owned, 'frozen', tools.apiNow()));
      break;
    case 'delete':
      await tools.api.deleteToken(token.id);
      tools.publish({ type: 'Token Deleted', detail });
      return 'done';
    default:
      step satisfies never;
      throw new Error('unknown kind of action');
  }
  tools.publish({ type: 'Token Retired', detail });
  return 'done';
}

/** R16: deletes an expired foreign token, unless it was revoked or marked by another deployment meanwhile. */
export async function deleteForeign(
  { tokenId: id, reason }: ForeignDeletion,
  tools: Tools,
): Promise<Result> {
  const token = await tools.api.getToken(id);
  const changed =
    !token ||
    token.revokedAt !== undefined ||
    isMarkedByOthers(token.description, tools.policy.owner);
  if (changed || !isExpired(token, tools.apiNow())) return 'skipped';
  await tools.api.deleteToken(id);
  tools.publish({ type: 'Token Deleted', detail: { tokenId: id, reason } });
  return 'done';
}
