import type { TokenValue } from '../token-value.ts';
import type { Database, PartitionTemplatePart, Table } from './database.ts';
import type { Permission, Token } from './token.ts';

type DatabaseLimits = Pick<Database, 'maxTables' | 'maxColumnsPerTable' | 'retentionPeriod'>;

export type NewDatabase = Pick<Database, 'name' | 'partitionTemplate'> & Partial<DatabaseLimits>;

export interface NewTable {
  readonly name: string;
  readonly partitionTemplate?: readonly PartitionTemplatePart[];
}

export interface NewToken {
  readonly description: string;
  readonly permissions: readonly Permission[];
  /** Milliseconds since 1970, cut to whole seconds. Absent: the token never expires. */
  readonly expiresAt?: number | undefined;
}

/** `at`: the server's time of the listing, in milliseconds since 1970. */
export interface TokenListing {
  readonly tokens: readonly Token[];
  readonly at: number;
}

/**
 * Every operation of `/api/v0`. All reject with an `InfluxError`.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/
 */
export interface ManagementApi {
  listTokens(): Promise<TokenListing>;
  /** Undefined only if the API itself answers 404. A revoked token may still be returned. */
  getToken(id: string): Promise<Token | undefined>;
  createToken(token: NewToken): Promise<MintedToken>;
  updateToken(
    id: string,
    change: Partial<Pick<Token, 'description' | 'permissions'>>,
  ): Promise<Token>;
  /** Also resolves if the token was gone already. `signal` ends the attempts; the last one may have taken effect. */
  deleteToken(id: string, signal?: AbortSignal): Promise<void>;
  /** `at`: the server's time of the listing, in milliseconds since 1970. */
  listDatabases(): Promise<{ readonly databases: readonly Database[]; readonly at: number }>;
  createDatabase(database: NewDatabase): Promise<Database>;
  updateDatabase(name: string, change: Partial<DatabaseLimits>): Promise<Database>;
  renameDatabase(name: string, newName: string): Promise<Database>;
  deleteDatabase(name: string): Promise<void>;
  undeleteDatabase(id: bigint): Promise<Database>;
  createTable(databaseName: string, table: NewTable): Promise<Table>;
  renameTable(databaseName: string, name: string, newName: string): Promise<Table>;
  deleteTable(databaseName: string, name: string): Promise<void>;
  undeleteTable(databaseName: string, id: bigint): Promise<Table>;
  /** Cuts every connection; the next call makes new ones. */
  disconnect(): Promise<void>;
}

/** The Management API, in which what this run wrote stays written. */
export interface OwnWritesApi extends ManagementApi {
  /** `late`: ids of tokens that the API listed as they were before this run wrote them; `tokens` has them as it left them. */
  listTokens(): Promise<TokenListing & { readonly late: ReadonlySet<string> }>;
  /** Whether the API, asked by id, still shows a token as it was before this run wrote it. */
  isLate(id: string): Promise<boolean>;
}

/** The answer to `POST /tokens`, the only one that contains the token string. */
export interface MintedToken {
  readonly token: Token;
  readonly value: TokenValue;
}
