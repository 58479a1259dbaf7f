import { entryOf } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { parseMarker } from '../tokens/marker.ts';
import { ownedToken } from '../tokens/observation.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import type { RevocationObservation } from './observe.ts';
import { ENDING_WAYS, type Order } from './plan/order.ts';
import { type Proving, verifyRefused } from './verify-refused.ts';

/** What is known of a token that the cluster still lists as revoked: its marker says where its string was. */
function knownOf(
  tokenId: string,
  { tokens }: RevocationObservation,
  { policy }: Tools,
): TokenResult | undefined {
  const token = tokens.find(({ id }) => id === tokenId);
  const parsed = token && parseMarker(token.description);
  if (!parsed || parsed.marker.owner !== policy.owner) return undefined;
  const result = resultOf({ token, owned: ownedToken(token, parsed) }, 'gone');
  const had =
    result.had.length > 0 ? result.had : entryOf(policy, result.secret ?? '')?.permissions;
  return { ...result, had: had ?? [] };
}

/**
 * A token that was named and is revoked already, by an earlier order of the same words or by others. Its string is
 * probed like those that this order ends, as long as its version can be read.
 */
export async function goneBefore(
  tokenId: string,
  observation: RevocationObservation,
  { way }: Order,
  proving: Proving,
  tools: Tools,
): Promise<TokenResult> {
  const known = ENDING_WAYS.includes(way) ? knownOf(tokenId, observation, tools) : undefined;
  if (known) return await verifyRefused(known, proving, tools);
  const unconfirmed = 'the cluster has no such token; nobody knows its string';
  return { tokenId, result: 'gone', had: [], unconfirmed };
}
