import type { History } from './history.ts';
import { OWNER } from './policy.ts';
import {
  isAlive,
  isArmed,
  isExpired,
  pendingOf,
  type SeenToken,
  type View,
  wasEverArmed,
} from './view.ts';

function describe(token: SeenToken | undefined, at: number): string {
  if (!token || !isAlive(token)) return 'gone';
  const { superseded, fenced, quarantined, frozen } = token.marker;
  const marks = Object.entries({ superseded, fenced, quarantined, frozen });
  return [
    !wasEverArmed(token) ? 'inert' : isArmed(token) ? 'armed' : 'stripped',
    ...(isExpired(token, at) ? ['expired'] : []),
    ...marks.flatMap(([mark, since]) => (since === undefined ? [] : [mark])),
  ].join(' ');
}

/** A state without names and numbers: which roles there are, and how their tokens are. */
export function normalise({ at, secrets, tokens }: View, { foreign }: History): object {
  return [...secrets.values()].map((secret) => {
    const { AWSCURRENT = '', AWSPREVIOUS = '' } = secret.holders;
    const others = [...tokens.values()].filter(
      ({ id, marker }) =>
        marker.owner === OWNER &&
        marker.secret === secret.name &&
        id !== AWSCURRENT &&
        !foreign[id],
    );
    return {
      secret: secret.name,
      current: describe(tokens.get(AWSCURRENT), at),
      previous: describe(tokens.get(AWSPREVIOUS), at),
      pending: pendingOf(secret, tokens) ? 'there' : 'none',
      others: others.filter(isAlive).map((token) => describe(token, at)),
    };
  });
}
