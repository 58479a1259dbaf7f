import { entryOf, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { describeHold, holdOf } from '../../secrets-manager/hold.ts';
import type { Secret } from '../../secrets-manager/secret.ts';
import { keptOf } from '../../tokens/description-room.ts';
import type { ObservedSecret, ObservedToken, OwnedToken } from '../../tokens/observation.ts';
import { covers } from '../../tokens/permission-sets.ts';
import { isExpired, isFrozen, isVersionOf } from '../../tokens/state.ts';
import type { RevocationWay } from '../request.ts';
import { UNDOING_WAYS } from './order.ts';
import type { GivingBack, LabelDetachment, SingleTokenAction } from './revocation-action.ts';

/** Whether unfreezing could give anything back: its description keeps what it may do, or an entry of the policy says something. */
export const canGiveBack = (
  owned: OwnedToken,
  policy: Pick<Policy, 'tokens'>,
  now: number,
): boolean =>
  // Nothing gives life back to what has expired.
  isExpired(owned.token, now) ||
  keptOf(owned).kept !== undefined ||
  entryOf(policy, owned.marker.secret) !== undefined;

/** How many of its permissions neither the description keeps nor the policy says: unfreezing does not give them back. */
export function lostByFreeze(owned: OwnedToken, policy: Pick<Policy, 'tokens'>): number {
  const { all, kept = [] } = keptOf(owned);
  const { permissions = [] } = entryOf(policy, owned.marker.secret) ?? {};
  return all.filter((each) => !covers(kept, [each]) && !covers(permissions, [each])).length;
}

function detachPrevious(
  { token, owned }: ObservedToken,
  seen: ObservedSecret | undefined,
): LabelDetachment[] {
  const version = seen?.secret.labels.AWSPREVIOUS;
  if (!seen || seen.secret.replica || version === undefined) return [];
  const about = { id: token.id, versions: owned?.versions ?? [] };
  if (!isVersionOf(about, seen, version)) return [];
  const { name } = seen.secret;
  return [{ kind: 'detach-label', secret: name, label: 'AWSPREVIOUS', version }];
}

const givingBack = ({ token, marker }: OwnedToken): GivingBack => ({
  kind: 'give-back',
  tokenId: token.id,
  secret: marker.secret,
});

/**
 * Why an order does not reach a token: it would give back what the hold of its secret takes away again, or replace
 * what a person holds or froze. Undefined: it does. `secret`: the token's, if it is ours.
 */
export function heldBecause(
  { owned }: ObservedToken,
  way: RevocationWay,
  secret: Secret | undefined,
): string | undefined {
  const obeys = way === 'replace' || UNDOING_WAYS.includes(way);
  if (!owned || !secret || !obeys) return undefined;
  const hold = holdOf(secret);
  if (hold) {
    return `is ${describeHold(secret)}; ${hold === 'deleted' ? 'lift' : 'unfreeze'} the whole secret`;
  }
  if (way !== 'replace' || !isFrozen(owned)) return undefined;
  return `has ${owned.token.id}, which is frozen, and replace ends nothing that is; to end it, give the order with "way": "delete" (--delete)`;
}

function aboutOf({ token, owned }: ObservedToken, seen: ObservedSecret | undefined) {
  const secret = owned?.marker.secret ?? seen?.secret.name;
  return { tokenId: token.id, ...(secret !== undefined && { secret }) };
}

const deletion = (
  observed: ObservedToken,
  seen: ObservedSecret | undefined,
): SingleTokenAction[] => [
  ...detachPrevious(observed, seen),
  { kind: 'delete', ...aboutOf(observed, seen) },
];

/** The actions for one token by itself. `seen`: the secret that it is in, if we see that. */
export function decideToken(
  observed: ObservedToken,
  way: RevocationWay,
  seen: ObservedSecret | undefined,
): readonly SingleTokenAction[] {
  if (heldBecause(observed, way, seen?.secret) !== undefined) return [];
  const { token, owned } = observed;
  const { frozen, quarantined } = owned?.marker ?? {};
  switch (way) {
    case 'freeze':
      return token.permissions.length > 0 || (owned && frozen === undefined)
        ? [{ kind: 'strip', ...aboutOf(observed, seen) }]
        : [];
    case 'replace':
    case 'delete':
      return deletion(observed, seen);
    case 'unfreeze':
      return owned && frozen !== undefined ? [givingBack(owned)] : [];
    case 'restore':
      return owned && quarantined !== undefined && frozen === undefined ? [givingBack(owned)] : [];
    case 'lift':
    case 'whois':
      return [];
    default:
      way satisfies never;
      throw new Error('unknown way of an order');
  }
}

/** How consumers get a token that works, where nothing that is undone gives them one. */
export const mendedBy = (entry: Pick<TokenPolicy, 'name'> | undefined): string =>
  entry
    ? `to mint another one, keyturn rotate ${entry.name}`
    : 'no entry of the policy says what another one may do';
