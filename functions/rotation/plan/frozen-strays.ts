import { counted } from '../../run/counted.ts';
import type { Finding } from '../../run/plan.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation } from '../../tokens/observation.ts';
import { isExpired } from '../../tokens/state.ts';

const MOST_NAMED = 5;

/**
 * Tokens of ours that an order froze and that are of no secret that is seen, by the name of their secret. A hold goes with
 * its secret; what it froze tells of it, until somebody gives that its permissions back or deletes it, or it expires.
 */
export function frozenStrays(
  { foreign, at }: Pick<Observation, 'foreign' | 'at'>,
  owner: string,
): ReadonlyMap<string, readonly string[]> {
  const strays = new Map<string, string[]>();
  for (const token of foreign.values()) {
    if (token.permissions.length > 0 || isExpired(token, at)) continue;
    const { marker } = parseMarker(token.description) ?? {};
    if (marker?.owner !== owner || marker.id !== token.id || marker.frozen === undefined) continue;
    strays.set(marker.secret, [...(strays.get(marker.secret) ?? []), token.id]);
  }
  return strays;
}

/** What a person should know of an entry whose secret may have lost a hold with the one before it. */
export function findingOfStrays(
  { name, secret }: { readonly name: string; readonly secret: string },
  ids: readonly string[] = [],
): Finding[] {
  if (ids.length === 0) return [];
  const named = [...ids].sort().slice(0, MOST_NAMED);
  const rest = ids.length > MOST_NAMED ? ', …' : '';
  const frozen =
    ids.length === 1
      ? 'is frozen, and of no secret that is seen now'
      : 'are frozen, and of no secret that is seen now';
  const message = `${counted(ids.length, 'token')} of ${secret} ${frozen} (${named.join(', ')}${rest}): if an order held the secret that was here before, or that is in another Region, that hold does not hold this one; keyturn revoke --token ${name} --freeze holds it, and keyturn revoke --token-id ID --delete ends what is frozen`;
  return [{ kind: 'FrozenStray', token: name, secret, message }];
}
