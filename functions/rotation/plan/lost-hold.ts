import type { Token } from '../../management-api/token.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret } from '../../tokens/observation.ts';
import { isExpired } from '../../tokens/state.ts';
import type { Note } from './rotation-case.ts';

/** A finding of this kind keeps an entry from getting a token, and fails the run, until a person decides. */
export const HOLD_LOST = 'HoldLost';

/**
 * Tokens that an order froze, and whose secret is not among ours any more, by its name. A hold goes with its secret; what it
 * froze tells of it until somebody gives that its permissions back or deletes it, or it expires.
 */
export function frozenWithoutSecret(
  { foreign, at }: Pick<Observation, 'foreign' | 'at'>,
  owner: string,
): ReadonlyMap<string, Token> {
  const frozen = [...foreign.values()].flatMap((token) => {
    if (token.permissions.length > 0 || isExpired(token, at)) return [];
    const { marker } = parseMarker(token.description) ?? {};
    const isOurs = marker?.owner === owner && marker.id === token.id;
    return isOurs && marker.frozen !== undefined ? [[marker.secret, token] as const] : [];
  });
  return new Map(frozen);
}

/** Why nobody but a person gives an entry another token. Undefined: no hold was lost, or one was minted since, by a person's word. */
export function lostHold(
  { name, secret }: TokenPolicy,
  seen: ObservedSecret | undefined,
  frozen: ReadonlyMap<string, Token>,
): Note | undefined {
  const tokenId = frozen.get(secret)?.id;
  if (tokenId === undefined || (seen?.tokens.length ?? 0) > 0) return undefined;
  return {
    kind: HOLD_LOST,
    message: `${secret} was on hold (frozen) with ${tokenId}, and was deleted or made anew since, or lost its tag keyturn:owner; keyturn rotate ${name} gives it a token all the same, and keyturn unfreeze --token-id ${tokenId} ends the hold`,
    tokenId,
  };
}
