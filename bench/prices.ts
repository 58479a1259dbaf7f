/**
 * What AWS charges in us-east-1, in US dollars, as published on 2026-09-20, without what an account has free. Other Regions are up to a
 * third dearer.
 */
export const PRICES = {
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secretsManagerCall: 0.05 / 10_000,
  secretMonth: 0.4,
  /** arm64. https://aws.amazon.com/lambda/pricing/ */
  lambdaGigabyteSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1_000_000,
  /** Of up to 64 KB. https://aws.amazon.com/eventbridge/pricing/ */
  event: 1 / 1_000_000,
  firing: 1 / 1_000_000,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logGigabyte: 0.5,
  /** Of the first 10,000 of an account; in an hour without a value it costs nothing. */
  metricMonth: 0.3,
  /** For each metric that an alarm looks at. */
  alarmMonth: 0.1,
  dashboardMonth: 3,
} as const;

export const HOURS_A_MONTH = 730;
export const DAYS_A_MONTH = HOURS_A_MONTH / 24;
/** As the stack makes the functions. */
export const GIGABYTES = 0.5;
/** A cold start, and a run that finds nothing to do, as Lambda bills both; the sandbox's calls take no time. */
export const IDLE_RUN_SECONDS = 1;
