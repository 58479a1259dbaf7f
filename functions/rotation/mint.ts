import { EchoError } from '../management-api/influx-error.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';
import { isRefused, withShorterDescriptions } from '../tokens/change-token.ts';
import { neededLength, withRoom } from '../tokens/description-room.ts';
import { homeOf, type Marker } from '../tokens/marker.ts';
import { type ObservedSecret, type OwnedToken, ownedToken } from '../tokens/observation.ts';

/** Why a token is minted. */
export interface Cause {
  /** Somebody asked for it. */
  readonly forced: boolean;
  /** Id of the token that `revoke` replaces. */
  readonly replaces?: string;
  /** `orderId` of the order by which `revoke` mints it. */
  readonly order?: string;
  /** Id of the version that Secrets Manager made for it. Absent: the version's id names the token. */
  readonly minted?: string;
}

/** A token without a version yet, and its string. */
export interface Minted {
  readonly owned: OwnedToken;
  readonly value: TokenValue;
}

/** The server refused the shortest description that a token of this secret can do with. */
class DescriptionLimitError extends Error {
  override readonly name = 'DescriptionLimitError';
}

/**
 * Sends the first description of a token. Where nothing shows that the server takes the longest one that the
 * token will need, it is filled up to that, so that nothing is minted which could not be armed or retired.
 * @throws DescriptionLimitError if the server refuses it
 */
async function withRoomForLater<T>(
  { text, marker }: Pick<OwnedToken, 'text' | 'marker'>,
  { secret, tokens }: ObservedSecret,
  send: (description: string) => Promise<T>,
): Promise<T> {
  const needed = neededLength(marker);
  const isKnown = tokens.some(({ token }) => token.description.length >= needed);
  try {
    return await withShorterDescriptions(text, marker, (description) =>
      send(isKnown ? description : withRoom(description, needed)),
    );
  } catch (error) {
    if (isKnown || !isRefused(error)) throw error;
    const why = messageOf(error);
    throw new DescriptionLimitError(
      `nothing was minted for ${secret.name}: the cluster refused the request also with the shortest description that a token of this secret can do with, ${needed} characters (${why}). ` +
        'If it is the length: a shorter owner or name of the secret needs less',
      { cause: error },
    );
  }
}

/** Step 2: mints a token without permissions, so that one that is lost before it is stored does no harm. */
export async function mint(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { forced, ...cause }: Cause,
  { api, policy, apiNow, log }: Tools,
): Promise<Minted> {
  const { secret } = seen;
  const text = entry.description;
  const marker: Marker = {
    owner: policy.owner,
    secret: secret.name,
    home: homeOf(secret.arn),
    ...(forced && { forced }),
    ...cause,
  };
  const lifetime = entry.expiresAfter;
  // Rounded up, because `formatInstant` cuts to the whole second.
  const expiresAt =
    lifetime === undefined ? undefined : Math.ceil((apiNow() + lifetime) / 1_000) * 1_000;
  const { token, value } = await withRoomForLater({ text, marker }, seen, async (description) => {
    const minted = await api.createToken({ description, permissions: [], expiresAt });
    // A server that ignores expiresAt would mint tokens that never expire. This one is inert, and reap deletes it.
    if (minted.token.expiresAt === expiresAt && minted.token.description === description) {
      return minted;
    }
    throw new EchoError(
      `POST /tokens made ${minted.token.id} with another expiry or description than asked for`,
    );
  });
  log.info('minted', { token: entry.name, secret: secret.name, tokenId: token.id });
  return { owned: ownedToken(token, { marker, text }), value };
}
