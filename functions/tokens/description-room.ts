import { type Marker, shorterDescriptions } from './marker.ts';

/**
 * The OpenAPI document names no limit for a description. A server that has one must not be found out about
 * when a token already waits for its permissions, so the first description is as long as the longest that
 * Keyturn cannot do without.
 */

const INSTANT = Date.UTC(2026, 0);
const ARMED = {
  id: '0'.repeat(36),
  fp: '0'.repeat(16),
  grants: '0'.repeat(8),
  armed: INSTANT,
  refused: INSTANT,
  promoted: INSTANT,
};
const RETIRED = {
  superseded: INSTANT,
  grace: 1_000_000,
  fenced: INSTANT,
  quarantined: INSTANT,
  frozen: INSTANT,
};

const shortestOf = (marker: Marker) =>
  Math.min(...[...shorterDescriptions('', marker)].map(({ length }) => length));

/** How many characters the longest description has that the token of this marker needs in its life. */
export const neededLength = (marker: Marker): number =>
  Math.max(shortestOf({ ...marker, ...ARMED }), shortestOf({ ...marker, ...ARMED, ...RETIRED }));

/** The description, filled up to that many characters. */
export function withRoom(description: string, length: number): string {
  const opening = ' room=';
  const missing = length - description.length - opening.length;
  return missing <= 0
    ? description
    : `${description.slice(0, -1)}${opening}${'.'.repeat(missing)}]`;
}
