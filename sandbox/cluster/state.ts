import type { PartitionTemplatePart } from './schemas.ts';

/** As the Management API takes it: neither property is required, and `action` is any string. */
export interface Permission {
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
}

/** A permission on the data plane, from one instant to another (milliseconds since 1970). */
export interface Grant extends Permission {
  readonly from: number;
  until?: number;
}

export interface StoredToken {
  readonly id: string;
  /** All that is kept of the token's string: its SHA-512, in hex. */
  readonly sha512: string;
  description: string;
  permissions: readonly Permission[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  revokedAt?: number;
  /** When the data plane hears of the token, of its revocation, and of its permissions. */
  readonly knownFrom: number;
  knownUntil?: number;
  grants: Grant[];
}

export type ColumnType =
  | 'timestamp'
  | 'tag'
  | 'float'
  | 'integer'
  | 'unsigned'
  | 'boolean'
  | 'string';

export type FieldValue = number | bigint | boolean | string;

export interface Row {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Tags and fields by column name. */
  readonly values: Record<string, FieldValue>;
}

export interface StoredTable {
  readonly id: number;
  name: string;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  deletedAt?: number;
  columns: Record<string, ColumnType>;
  /** By series and time: a point written twice is one row. */
  rows: Record<string, Row>;
}

export interface StoredDatabase {
  readonly id: number;
  name: string;
  maxTables: number;
  maxColumnsPerTable: number;
  /** Nanoseconds; 0 means infinite. */
  retentionPeriod: bigint;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
  /** Deleted databases and tables stay, and can be undeleted by id. */
  deletedAt?: number;
  tables: StoredTable[];
}

/** Everything the cluster knows: plain data that `structuredClone` copies. */
export interface ClusterState {
  /** In order of creation, expired and revoked ones included. */
  readonly tokens: StoredToken[];
  readonly databases: StoredDatabase[];
  /** How often each operation was answered how: `PATCH /tokens/{id} 200`, `POST /tokens reset`. */
  readonly calls: Record<string, number>;
  nextId: number;
}

export const emptyState = (): ClusterState => ({ tokens: [], databases: [], calls: {}, nextId: 1 });

/** What a route needs besides the request. */
export interface World {
  readonly state: ClusterState;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly activationDelayMs: number;
  readonly revocationDelayMs: number;
  /** A fresh string at every call. */
  readonly random: () => string;
}

const UNDELETE_WINDOW_MS = 14 * 86_400_000;

/** Whether a deleted database or table is still within its recovery window. */
export const recoverable = ({ deletedAt }: { readonly deletedAt?: number }, now: number) =>
  deletedAt !== undefined && now < deletedAt + UNDELETE_WINDOW_MS;

/** The one that bears the name and is not deleted. */
export const findActive = <T extends { readonly name: string; readonly deletedAt?: number }>(
  all: readonly T[],
  name: string,
) => all.find((each) => each.name === name && each.deletedAt === undefined);
