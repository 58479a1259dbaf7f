/** What the servers know of time: the cluster's and AWS's, real or virtual. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export const realClock: Clock = { now: () => Date.now() };
