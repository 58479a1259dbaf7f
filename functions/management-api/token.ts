/** A permission as the Management API spells it; `resource` is a database name or `*`. */
export interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** A database token as the Management API reports it. Instants are milliseconds since 1970, UTC. */
export interface Token {
  readonly id: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly createdAt: number;
  /** Absent: never. The API's null, missing, 1970 and year 1 all mean that. */
  readonly expiresAt?: number;
  /** Present: deleted, though the API still lists it. */
  readonly revokedAt?: number;
}
