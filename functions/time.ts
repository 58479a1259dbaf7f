const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * `2026-01-31T00:00:00Z`: an instant in milliseconds since 1970, cut to the whole second, which is
 * what the Management API takes (`expiresAt`) and what markers, reports and secrets say.
 */
export const formatInstant = (instant: number) =>
  `${new Date(instant).toISOString().slice(0, 19)}Z`;
