import type { GovernedField, Spelling } from '../../policy/governed-fields.ts';

interface AboutDatabase {
  readonly database: string;
  /** Which rule of the policy asks for it; the first is 1. */
  readonly rule: number;
}

/** One field of one database, which is one `PATCH`. */
export interface FieldChange extends AboutDatabase {
  readonly kind: 'change';
  readonly field: GovernedField;
  /** Spelt as the policy spells them: `90d`, `infinite`, `500`. */
  readonly from: Spelling;
  readonly to: Spelling;
  readonly reason: 'Differs' | 'BelowMinimum' | 'AboveMaximum';
}

/** A database that its rule creates where it is missing. */
export interface DatabaseCreation extends AboutDatabase {
  readonly kind: 'create-database';
  /** What the rule declares, spelt as the policy spells it; the rest is the server's default. */
  readonly fields: Readonly<Partial<Record<GovernedField, Spelling>>>;
  /** As `formatTemplate` writes it. */
  readonly partitionTemplate?: string | undefined;
  readonly reason: 'DatabaseMissing';
}

/** A table that its rule declares; done again where it exists, which the API answers with 409. */
export interface TableCreation extends AboutDatabase {
  readonly kind: 'create-table';
  readonly table: string;
  /** As `formatTemplate` writes it. */
  readonly partitionTemplate?: string | undefined;
  readonly reason: 'TableDeclared';
}

/** One action of `enforce`'s plan. */
export type DatabaseAction = FieldChange | DatabaseCreation | TableCreation;
