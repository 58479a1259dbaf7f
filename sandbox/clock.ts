/** The time of the sandbox's servers, real or virtual. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const realClock: Clock = { now: () => Date.now() };
