/**
 * A month has 30 days, as influxctl's documentation says, and a year 365.
 * https://docs.influxdata.com/influxdb3/clustered/admin/databases/create/#retention-period-syntax-influxctl-cli
 */
const UNIT_NS = {
  ns: 1n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
  mo: 2_592_000_000_000_000n,
  y: 31_536_000_000_000_000n,
} as const;
const PART = /(?<!\d)(\d+)(ns|mo|[smhdwy])/g;

/**
 * The shortest period that InfluxDB documents; the API's own minimum is 0.
 * https://docs.influxdata.com/influxdb3/clustered/admin/databases/#retention-periods
 */
export const SHORTEST_RETENTION_NS = UNIT_NS.h;
export const INFINITE_RETENTION = 0n;

/** Nanoseconds of a valid retention period, also of what `formatRetention` writes; 0 for infinite. */
export function parseRetention(text: string): bigint {
  let total = 0n;
  for (const [, count = '0', unit] of text.matchAll(PART)) {
    total += BigInt(count) * UNIT_NS[unit as keyof typeof UNIT_NS];
  }
  return total;
}

/** Orders retention periods by how much data they keep: infinite (0) keeps the most. */
export function compareRetention(a: bigint, b: bigint): number {
  if (a === b) return 0;
  if (a === INFINITE_RETENTION) return 1;
  if (b === INFINITE_RETENTION) return -1;
  return a < b ? -1 : 1;
}

/** `infinite`, `30d`, `90d12h5ns`: the text that the policy accepts for a period in nanoseconds. */
export function formatRetention(period: bigint): string {
  if (period === INFINITE_RETENTION) return 'infinite';
  let rest = period;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ns'] as const) {
    const count = rest / UNIT_NS[unit];
    if (count > 0n) text += `${count}${unit}`;
    rest %= UNIT_NS[unit];
  }
  return text;
}
