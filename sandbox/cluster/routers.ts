import { createHash } from 'node:crypto';

/**
 * The cluster's routers (and queriers): each has its own copy of the tokens, and learns of a change
 * at its own time. A kept connection stays with one router; a new one may meet any.
 */
export interface Routers {
  readonly count: number;
  /** The slowest learns of a change this much later than the fastest may. */
  readonly spreadMs: number;
}

/** From 0 up to 1, the same number for the same text. */
const draw = (text: string) => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;

/** How much later than the fastest a router learns of what was changed at one instant. */
export function lagOf(
  router: number,
  subject: string,
  changedAt: number,
  spreadMs: number,
): number {
  return spreadMs === 0 ? 0 : Math.floor(draw(`${router} ${subject} ${changedAt}`) * spreadMs);
}

/** Which router a connection meets, by its number; drawn, so that no pattern of requests meets all in turn. */
export const routerOf = (connection: number, { count }: Routers): number =>
  Math.floor(draw(`connection ${connection}`) * count);
