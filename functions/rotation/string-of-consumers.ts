import type { Permission } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import type { ObservedSecret } from '../tokens/observation.ts';
import { stringForConsumers } from '../tokens/secret-string.ts';
import { formerText } from './successor.ts';

/** How many permissions one burst is sure to ask about. */
const BURST = 10;
/** What a header can carry: RFC 9110, section 5.5. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** No cluster accepts what cannot be sent. */
export const isSendable = (value: TokenValue): boolean => SENDABLE.test(value.reveal());

/** A burst has ten probes, and every permission must be asked about. */
export function samplesOf(permissions: readonly Permission[]): readonly (readonly Permission[])[] {
  const count = Math.ceil(permissions.length / BURST);
  return Array.from({ length: count }, (_, index) =>
    permissions.slice(index * BURST, (index + 1) * BURST),
  );
}

/**
 * The string that an entry's consumers send: what is under AWSCURRENT. Undefined: there is none, or nobody can tell what of
 * it they send.
 * @param seen undefined: the secret is not known as ours, such as one that is to be adopted
 * @throws if it cannot be read
 */
export async function readStringOfConsumers(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  tools: Tools,
): Promise<TokenValue | undefined> {
  // Of bytes, which it refuses, nobody can tell what consumers send.
  const text = await tools.secrets.value(entry.secret, seen?.secret.labels.AWSCURRENT);
  const hints = text && (seen ? await formerText(entry, seen, tools) : { known: [] });
  return text && hints && stringForConsumers(entry, text, hints);
}

/** The same; undefined also if it cannot be read, which the log says. */
export async function stringOfConsumers(
  ...asked: Parameters<typeof readStringOfConsumers>
): Promise<TokenValue | undefined> {
  const [entry, , tools] = asked;
  try {
    return await readStringOfConsumers(...asked);
  } catch (error) {
    tools.log.warn('a value could not be read', { secret: entry.secret, error });
    return undefined;
  }
}
