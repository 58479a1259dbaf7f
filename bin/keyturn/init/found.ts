import type { Database } from '../../../functions/management-api/database.ts';
import type { Token } from '../../../functions/management-api/token.ts';

/** A token that exists, as a cluster or a state file shows it. */
export interface FoundToken extends Omit<Token, 'createdAt'> {
  /** Milliseconds since 1970. Absent: what was read does not say it. */
  readonly createdAt?: number;
  /** What it is called where it was found. Absent: only its description tells. */
  readonly calledThere?: string;
  /** It is yet to be made: its id is what it is called where it is planned. */
  readonly isPlanned?: true;
}

/** A database that exists. Absent fields: what was read does not say them, and no rule is written about them. */
export type FoundDatabase = Pick<Database, 'name'> & Partial<Database>;

/** What is to be written down as a policy. */
export interface Found {
  readonly tokens: readonly FoundToken[];
  readonly databases: readonly FoundDatabase[];
}

/** The secret that has a token's string. */
export interface SecretPlace {
  readonly name: string;
  /** Where the string is in the secret's JSON, with dots between keys. Absent: Keyturn finds it by itself. */
  readonly key?: string;
}
