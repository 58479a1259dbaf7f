/** Time and chance as parameters, so that tests do not wait and always give the same result. */
export interface Timing {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after this many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

export interface RetryOptions extends Timing {
  /** `afterMs`: retryable, but not before this time has passed, because the server asked for it. */
  readonly retryable: (error: unknown) => boolean | { readonly afterMs: number };
  /** How many attempts in all, the first one included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** An instant. A wait that would end after it is not begun. */
  readonly deadline: number;
}

/**
 * How long to wait after so many attempts: up to a bound that doubles, and by chance, so that many callers
 * that failed together do not retry together.
 * "Full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoffMs = (
  tried: number,
  { random, baseMs, maxMs }: Pick<RetryOptions, 'random' | 'baseMs' | 'maxMs'>,
): number => random() * Math.min(maxMs, baseMs * 2 ** (tried - 1));

/** Repeats a failed attempt after a random wait. Rejects with the error of the last attempt. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const verdict = options.retryable(error);
      if (!verdict || tried >= options.attempts) throw error;
      const waitMs = backoffMs(tried, options) + (verdict === true ? 0 : verdict.afterMs);
      if (options.now() + waitMs >= options.deadline) throw error;
      await options.sleep(waitMs);
    }
  }
}
