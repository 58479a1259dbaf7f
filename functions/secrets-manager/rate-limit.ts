import type { Timing } from '../retry.ts';

/** Waits until the next call may be made. */
export type RateLimit = () => Promise<void>;

/**
 * Spaces calls evenly, at most `perSecond`, however many callers wait. Secrets Manager allows 50 calls
 * of PutSecretValue and UpdateSecretVersionStage a second for the whole account and Region, 50 of TagResource and
 * UntagResource, and 50 of CreateSecret, and others need them too. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export function rateLimit(
  perSecond: number,
  { now, sleep }: Pick<Timing, 'now' | 'sleep'>,
): RateLimit {
  const spacing = 1_000 / perSecond;
  let next = 0;
  return async () => {
    const at = Math.max(next, now());
    next = at + spacing;
    if (at > now()) await sleep(at - now());
  };
}
