import type { TokenPolicy } from '../../policy/policy.ts';
import { counted, firstOf } from '../../run/counted.ts';
import type { Finding } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret } from '../../tokens/observation.ts';
import { isExpired } from '../../tokens/state.ts';

/** Where the secret of those tokens may be, and what became of its hold. */
function whereIs(name: string, seen: ObservedSecret | undefined): string {
  if (!seen) {
    return 'it was deleted, and its hold with it, or has lost its tag keyturn:owner, or is not listed yet; look before anything else (aws secretsmanager describe-secret), and leave them as they are where it is there';
  }
  const other = 'that secret was deleted and made anew, or is in another Region';
  return holdOf(seen.secret)
    ? `${other}; the one here is on hold, too`
    : `${other}; if an order held it, nothing holds the one here, until keyturn revoke --token ${name} --freeze does`;
}

/**
 * Tokens of ours that an order froze and that are of no secret that is seen, by the name of their secret. A hold goes with
 * its secret; what it froze tells of it, until somebody gives that its permissions back or deletes it, or it expires.
 */
export function frozenStrays(
  { foreign, secrets, at }: Pick<Observation, 'foreign' | 'secrets' | 'at'>,
  owner: string,
): ReadonlyMap<string, readonly string[]> {
  // As after the promotion of a replica: what that secret's tokens bear is for a takeover, and anything but a stray.
  const homes = new Set(
    [...secrets.values()].flatMap(({ holders }) =>
      [...holders.values()].flatMap((each) =>
        each.state === 'foreign' ? (parseMarker(each.token.description)?.marker.home ?? []) : [],
      ),
    ),
  );
  const strays = new Map<string, string[]>();
  for (const token of foreign.values()) {
    if (token.permissions.length > 0 || isExpired(token, at)) continue;
    const { marker } = parseMarker(token.description) ?? {};
    if (marker?.owner !== owner || marker.id !== token.id || marker.frozen === undefined) continue;
    if (homes.has(marker.home)) continue;
    strays.set(marker.secret, [...(strays.get(marker.secret) ?? []), token.id]);
  }
  return strays;
}

/** What a person should know of an entry whose secret may have lost a hold with the one before it. `seen`: the secret of today. */
export function findingOfStrays(
  { name, secret }: Pick<TokenPolicy, 'name' | 'secret'>,
  seen: ObservedSecret | undefined,
  ids: readonly string[] = [],
): Finding[] {
  if (ids.length === 0) return [];
  const are = ids.length === 1 ? 'is' : 'are';
  const left = 'keyturn revoke --token-id ID --delete ends what is frozen';
  const message = `${counted(ids.length, 'token')} of ${secret} ${are} frozen, and of no secret that is seen now (${firstOf([...ids].sort())}): ${whereIs(name, seen)}; ${left}`;
  return [{ kind: 'FrozenStray', token: name, secret, message }];
}
