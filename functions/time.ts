const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * No run lasts longer, in Lambda or on a laptop: much less than a grace period and than the hour that
 * `reap` waits. Lambda ends a function after 15 minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const LONGEST_RUN_MS = 15 * MINUTE_MS;
/** All looks of an examination together. */
export const LONGEST_EXAMINATION_MS = 90_000;
/** With the time to remove what it has made. */
export const LONGEST_MEASUREMENT_MS = 10 * MINUTE_MS;

/**
 * `2026-01-31T00:00:00Z` for an instant in milliseconds since 1970, cut to the whole second. The
 * Management API takes whole seconds in `expiresAt`; markers, reports and secrets have the same form.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/database-tokens/
 */
export const formatInstant = (instant: number) =>
  `${new Date(instant).toISOString().slice(0, 19)}Z`;
