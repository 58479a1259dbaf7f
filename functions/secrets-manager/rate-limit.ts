import type { Timing } from '../retry.ts';

/**
 * Spaces calls evenly, `perSecond` of them, however many ask at once: Secrets Manager allows 50
 * writes a second to the whole account and Region, and others live there too.
 */
export function rateLimit(
  perSecond: number,
  { now, sleep }: Pick<Timing, 'now' | 'sleep'>,
): () => Promise<void> {
  const spacing = 1_000 / perSecond;
  let next = 0;
  return async () => {
    const at = Math.max(next, now());
    next = at + spacing;
    if (at > now()) await sleep(at - now());
  };
}
