/** What a program knows of time and chance; handed in, so that tests neither wait nor vary. */
export interface Timing {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

export interface RetryOptions extends Timing {
  /** `afterMs`: retryable, but no sooner, because the server asked for it. */
  readonly retryable: (error: unknown) => boolean | { readonly afterMs: number };
  /** Tries in all, the first one included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** An instant. A wait that would end behind it is not begun. */
  readonly deadline: number;
}

/**
 * Repeats a failed attempt with full jitter: a fleet that failed together does not come back
 * together. Rejects with the last attempt's error.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const verdict = options.retryable(error);
      if (!verdict || tried >= options.attempts) throw error;
      const jitterMs =
        options.random() * Math.min(options.maxMs, options.baseMs * 2 ** (tried - 1));
      const waitMs = jitterMs + (verdict === true ? 0 : verdict.afterMs);
      if (options.now() + waitMs >= options.deadline) throw error;
      await options.sleep(waitMs);
    }
  }
}
