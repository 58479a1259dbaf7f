import { parseJson } from './json.ts';

/** A line in a stream of a log group; `at` is its own timestamp, as Lambda takes it over from lines in JSON. */
export interface LogEvent {
  readonly stream: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

export interface LogGroup {
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** All lines, in the order in which they came. */
  readonly events: () => readonly LogEvent[];
}

/** The log groups of a Region, and how FilterLogEvents divides what it finds. */
export interface Logs {
  readonly groups: Record<string, LogGroup>;
  /** Events of a page at most. */
  pageSize: number;
  /** Before every page comes an empty one that only has a token, as where AWS searches long and finds nothing. */
  isSparse: boolean;
}

export const emptyLogs = (): Logs => ({ groups: {}, pageSize: 10_000, isSparse: false });

/** The instant that a line in JSON says of itself. Undefined: it says none. */
export function instantIn(line: string): number | undefined {
  const { timestamp } = Object(parseJson(line));
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
