/**
 * One part of a partition template. A database or table gets its template when it is created.
 * https://docs.influxdata.com/influxdb3/clustered/admin/custom-partitions/
 */
export type PartitionTemplatePart =
  | { readonly type: 'tag'; readonly value: string }
  | { readonly type: 'time'; readonly value: string }
  | {
      readonly type: 'bucket';
      readonly value: { readonly tagName: string; readonly numberOfBuckets: number };
    };

function formatPart(part: PartitionTemplatePart): string {
  if (part.type !== 'bucket') return `${part.type} ${JSON.stringify(part.value)}`;
  const { tagName, numberOfBuckets } = part.value;
  return `bucket ${JSON.stringify(tagName)} of ${numberOfBuckets}`;
}

/** `tag "room", time "%Y-%m-%d"`: a text for people that is equal only for equal templates. */
export const formatTemplate = (parts: readonly PartitionTemplatePart[]): string =>
  parts.map(formatPart).join(', ');

/** A database as the Management API reports it. */
export interface Database {
  readonly name: string;
  readonly maxTables: number;
  readonly maxColumnsPerTable: number;
  /** Nanoseconds; 0 means infinite. A bigint, because a JavaScript number cannot hold every int64. */
  readonly retentionPeriod: bigint;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  /** Needed for undeleting; returned by rename and undelete, and by some servers' lists. */
  readonly id?: bigint;
}

/** A table as the Management API reports it. */
export interface Table {
  readonly databaseName: string;
  readonly name: string;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  /** Needed for undeleting; returned by rename and undelete. */
  readonly id?: bigint;
}

/** Every database of the cluster, by name. */
export interface DatabaseObservation {
  /** The Management API's time in milliseconds since 1970; approvals end by it. */
  readonly at: number;
  /** How many milliseconds its clock is ahead of ours. */
  readonly skewMs: number;
  readonly databases: ReadonlyMap<string, Database>;
}
