import type { Tools } from '../run/tools.ts';
import { ENDED_TAG } from '../secrets-manager/secret.ts';
import { formatInstant } from '../time.ts';
import type { TokenResult } from './end-token.ts';
import type { Order } from './plan/order.ts';

/**
 * Leaves on a secret when an order about a single token of it deleted that, so that no alarm takes it for a person's act; one
 * about the whole secret leaves a hold, or a successor, if that got AWSCURRENT. Best effort: without it `rotate` alarms for the rest of a grace
 * period. What an earlier run of the order deleted counts, too: that may have died before it came here.
 */
export async function noteEnded(
  secret: string,
  { result }: TokenResult,
  { way, isProof }: Order,
  { secrets, apiNow, log }: Tools,
): Promise<void> {
  const isEnded = result === 'deleted' || result === 'gone';
  if (!isEnded || isProof || way === 'freeze') return;
  try {
    await secrets.tag(secret, { [ENDED_TAG]: formatInstant(apiNow()) });
  } catch (error) {
    log.warn('an end could not be noted', { secret, error });
  }
}
