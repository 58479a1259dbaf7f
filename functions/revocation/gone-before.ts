import type { Tools } from '../run/tools.ts';
import { parseMarker } from '../tokens/marker.ts';
import { ownedToken } from '../tokens/observation.ts';
import { versionIdOf } from '../tokens/version-id.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import { endedBy, noteEnded } from './note-ended.ts';
import type { RevocationObservation } from './observe.ts';
import type { Order } from './plan/order.ts';
import type { OrderObservation } from './plan/target.ts';
import { NO_STRING } from './report.ts';
import { type Proving, verifyRefused } from './verify-refused.ts';

/**
 * What is known of a token that is gone: its marker, while the cluster lists revoked tokens, says where its string was;
 * otherwise the version that Keyturn put for it.
 */
function knownOf(
  tokenId: string,
  { tokens, endedIn }: RevocationObservation & Pick<OrderObservation, 'endedIn'>,
  { policy }: Tools,
): TokenResult | undefined {
  const token = tokens.find(({ id }) => id === tokenId);
  const parsed = token && parseMarker(token.description);
  if (parsed && parsed.marker.owner === policy.owner) {
    return resultOf({ token, owned: ownedToken(token, parsed) }, 'gone');
  }
  if (endedIn === undefined) return undefined;
  return { tokenId, result: 'gone', secret: endedIn.secret, versions: [versionIdOf(tokenId)] };
}

/**
 * A token that was named and is gone already, by an earlier order of the same words or by others. Its string is
 * probed like those that this order ends, as long as its version can be read, with or without a label.
 */
export async function goneBefore(
  tokenId: string,
  observation: RevocationObservation & Pick<OrderObservation, 'endedIn'>,
  order: Order,
  proving: Proving,
  tools: Tools,
): Promise<TokenResult> {
  const known = knownOf(tokenId, observation, tools);
  if (!known) {
    const unconfirmed = `the cluster has no such token; ${NO_STRING}`;
    return { tokenId, result: 'gone', unconfirmed };
  }
  const { secret = '' } = known;
  const own = order.way === 'replace' ? known.secret : undefined;
  const [verified] = await Promise.all([
    verifyRefused(known, { ...proving, own }, tools),
    observation.secrets.has(secret) && noteEnded(secret, endedBy([known], order, true), tools),
  ]);
  return verified;
}
