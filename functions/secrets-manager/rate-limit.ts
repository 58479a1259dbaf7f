import type { Timing } from '../retry.ts';
import { TooLateError } from '../within.ts';

/** Waits until the next call may be made; rejects at once if that is after the end of the run. */
export type RateLimit = (place: string) => Promise<void>;

export interface RateLimitOptions extends Pick<Timing, 'now' | 'sleep'> {
  /** The instant by which the present run must end. */
  readonly deadline: () => number;
}

/**
 * Spaces calls evenly, at most `perSecond`, however many callers wait. Secrets Manager allows 50 calls
 * of PutSecretValue and UpdateSecretVersionStage a second for the whole account and Region, 50 of TagResource and
 * UntagResource, 50 of CreateSecret and 50 of lists, and others need them too. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export function rateLimit(
  perSecond: number,
  { now, sleep, deadline }: RateLimitOptions,
): RateLimit {
  const spacing = 1_000 / perSecond;
  let next = 0;
  return async (place) => {
    const at = Math.max(next, now());
    if (at >= deadline()) throw new TooLateError(place);
    next = at + spacing;
    if (at > now()) await sleep(at - now());
  };
}
