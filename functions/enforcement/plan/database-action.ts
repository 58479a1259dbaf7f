import type { GovernedField, Spelling } from '../../policy/governed-fields.ts';

interface AboutDatabase {
  readonly database: string;
  /** Number of the rule in the policy; the first is 1. */
  readonly rule: number;
}

/** Changes one field of one database by one `PATCH`. */
export interface FieldChange extends AboutDatabase {
  readonly kind: 'change';
  readonly field: GovernedField;
  /** As the policy writes them: `90d`, `infinite`, `500`. */
  readonly from: Spelling;
  readonly to: Spelling;
  readonly reason: 'Differs' | 'BelowMinimum' | 'AboveMaximum';
}

/** Creates a database that does not exist. */
export interface DatabaseCreation extends AboutDatabase {
  readonly kind: 'create-database';
  /** What the rule declares, as the policy writes it; all other fields get the server's default. */
  readonly fields: Readonly<Partial<Record<GovernedField, Spelling>>>;
  /** As `formatTemplate` writes it. */
  readonly partitionTemplate?: string | undefined;
  readonly reason: 'DatabaseMissing';
}

/** Creates a table. The API answers 409 if it exists. */
export interface TableCreation extends AboutDatabase {
  readonly kind: 'create-table';
  readonly table: string;
  /** As `formatTemplate` writes it. */
  readonly partitionTemplate?: string | undefined;
  readonly reason: 'TableDeclared';
}

/** One action of `enforce`'s plan. */
export type DatabaseAction = FieldChange | DatabaseCreation | TableCreation;
