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
  /** Absent: never. The API says that by null, 1970, the year 1, or by leaving it out. */
  readonly expiresAt?: number;
  /** Present: the token is deleted, even if the API still lists it. */
  readonly revokedAt?: number;
}
