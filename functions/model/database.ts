/** One part of a partition template; templates cannot be changed after creation. */
export type PartitionTemplatePart =
  | { readonly type: 'tag'; readonly value: string }
  | { readonly type: 'time'; readonly value: string }
  | {
      readonly type: 'bucket';
      readonly value: { readonly tagName: string; readonly numberOfBuckets: number };
    };

/** A database as the Management API reports it. */
export interface Database {
  readonly name: string;
  readonly maxTables: number;
  readonly maxColumnsPerTable: number;
  /** Nanoseconds; 0 means infinite. A bigint, because int64 does not fit a JavaScript number. */
  readonly retentionPeriod: bigint;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
}
