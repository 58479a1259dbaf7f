import type { KeyObject } from 'node:crypto';
import type { Manners } from './manners.ts';
import type { Routers } from './routers.ts';
import type { PartitionTemplatePart } from './schemas.ts';

/** What a cluster is told of an identity provider: `spec.package.spec.admin` of its AppInstance. */
export interface Identity {
  /** By which its tokens are checked. */
  readonly key: KeyObject;
  /** The ids of the users that it admits: the subjects of their tokens. */
  readonly users: readonly string[];
}

/** As in the specification: neither property is required, and `action` is any string. */
export interface Permission {
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
}

/** A permission on the data plane, between two instants (milliseconds since 1970). */
export interface Grant extends Permission {
  readonly from: number;
  until?: number;
}

export interface StoredToken {
  readonly id: string;
  /**
   * SHA-512 of the token's string, in hex. The string is not stored, as in a real cluster:
   * docs.influxdata.com/influxdb3/cloud-dedicated/reference/internals/security/
   */
  readonly sha512: string;
  description: string;
  permissions: readonly Permission[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  revokedAt?: number;
  /** When the data plane learns of the token, of its revocation, and of its permissions. */
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
  /** By series and time: a point that is written twice is one row. */
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
  /** Deleted databases and tables stay and can be undeleted by id. */
  deletedAt?: number;
  tables: StoredTable[];
}

/** All state of the cluster: plain data that `structuredClone` can copy. */
export interface ClusterState {
  /** In order of creation, with expired and revoked tokens. */
  readonly tokens: StoredToken[];
  readonly databases: StoredDatabase[];
  /** Number of requests by operation and answer: `PATCH /tokens/{id} 200`, `POST /tokens reset`. */
  readonly calls: Record<string, number>;
  nextId: number;
}

/** What the cluster keeps of a token's string. */
type Hashed = Pick<StoredToken, 'sha512'>;

interface Known {
  readonly count: number;
  readonly last: Hashed | undefined;
  readonly all: Map<string, Hashed>;
}

const known = new WeakMap<object, Known>();

/** A list of tokens grows at its end, or is replaced; a long life asks it thousands of times. */
export function tokensByHash<T extends Hashed>(tokens: readonly T[]): ReadonlyMap<string, T> {
  const found = known.get(tokens);
  const last = tokens.at(-1);
  if (found?.count === tokens.length && found.last === last) return found.all as Map<string, T>;
  const all = new Map(tokens.map((token) => [token.sha512, token]));
  known.set(tokens, { count: tokens.length, last, all });
  return all;
}

export const emptyState = (): ClusterState => ({ tokens: [], databases: [], calls: {}, nextId: 1 });

/** What a route needs besides the request. */
export interface World {
  readonly state: ClusterState;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly manners: Manners;
  /** The tokens that reads of the Management API show. */
  readonly shown: readonly StoredToken[];
  readonly routers: Routers;
  /** Which of them answers: 0 is the first. */
  readonly router: number;
  readonly activationDelayMs: number;
  readonly revocationDelayMs: number;
  /** Whose tokens the cluster takes besides its own management token. */
  readonly identity: Identity | undefined;
  /** A different string at every call. */
  readonly random: () => string;
}

/** INFLUXDB_IOX_GC_NAMESPACE_CUTOFF has the default 14d (InfluxDB Clustered documentation). */
const UNDELETE_WINDOW_MS = 14 * 86_400_000;

/** Whether a deleted database or table is still within its recovery window. */
export const recoverable = ({ deletedAt }: { readonly deletedAt?: number }, now: number) =>
  deletedAt !== undefined && now < deletedAt + UNDELETE_WINDOW_MS;

/** The one that has the name and is not deleted. */
export const findActive = <T extends { readonly name: string; readonly deletedAt?: number }>(
  all: readonly T[],
  name: string,
) => all.find((each) => each.name === name && each.deletedAt === undefined);
