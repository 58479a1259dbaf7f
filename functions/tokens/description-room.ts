import type { Permission } from '../management-api/token.ts';
import { describeToken, type Marker, shorterDescriptions } from './marker.ts';
import type { OwnedToken } from './observation.ts';
import { union } from './permission-sets.ts';

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
  had: '0'.repeat(8),
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

/**
 * How long a description may become. The specification has no limit (`PATCH /tokens/{tokenId}`); a server
 * that cut a description would destroy the marker at its end.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/database-tokens/
 */
const LONGEST_DESCRIPTION = 4_096;

/** By so many characters a marker may still grow: five instants of retirement, and the ids of three versions. */
const LATER_MARKS = 300;

/** Whether the description has room for permissions that are taken away, and for what is noted beside them later. */
function canKeep(
  { marker, text }: Pick<OwnedToken, 'marker' | 'text'>,
  was: readonly Permission[],
): boolean {
  const kept = { ...marker, was };
  return describeToken(text, kept).length + LATER_MARKS <= LONGEST_DESCRIPTION;
}

/** What would be taken from a token now, with what was taken before and a person gave back in part; and what of it has room. */
export function keptOf(owned: OwnedToken): {
  readonly all: readonly Permission[];
  readonly kept?: readonly Permission[] | undefined;
} {
  const { was } = owned.marker;
  const all = union(owned.token.permissions, was ?? []);
  if (canKeep(owned, all)) return { all, kept: all };
  return { all, kept: was && canKeep(owned, was) ? was : undefined };
}
