/** One part of a partition template; templates cannot be changed after creation. */
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

/** `tag "room", time "%Y-%m-%d"`: for people, and equal only for equal templates. */
export const formatTemplate = (parts: readonly PartitionTemplatePart[]): string =>
  parts.map(formatPart).join(', ');

/** A database as the Management API reports it. */
export interface Database {
  readonly name: string;
  readonly maxTables: number;
  readonly maxColumnsPerTable: number;
  /** Nanoseconds; 0 means infinite. A bigint, because int64 does not fit a JavaScript number. */
  readonly retentionPeriod: bigint;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  /** What undeleting needs; told by renaming and undeleting, and by some servers' lists. */
  readonly id?: bigint;
}

/** A table, as far as the Management API tells of one. */
export interface Table {
  readonly databaseName: string;
  readonly name: string;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  /** What undeleting needs; told by renaming and undeleting. */
  readonly id?: bigint;
}

/** Every database of the cluster, by name. */
export interface DatabaseObservation {
  /** The Management API's time, by which approvals run out. */
  readonly at: number;
  /** How far its clock is ahead of ours. */
  readonly skewMs: number;
  readonly databases: ReadonlyMap<string, Database>;
}
