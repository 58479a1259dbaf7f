/** What a run measured. Absent: it did not look, or there is nothing to tell. */
export interface Measures {
  readonly ownedTokens?: number;
  /** Whose rotation should have happened, or who wait for a first token that nothing brings. */
  readonly overdueTokens?: number;
  /** With less than half of their `renewBefore` left. */
  readonly tokensNearExpiry?: number;
  /** Until the first current token expires; below zero: it has. */
  readonly runwayDays?: number;
  /** Age of the oldest current token. */
  readonly oldestTokenDays?: number;
  /** Databases that differ from their rule and are left so. */
  readonly driftedDatabases?: number;
  readonly refusedPlans?: number;
  readonly failedActions?: number;
  /** Orders of which nobody can say that they are complete. */
  readonly unconfirmedRevocations?: number;
  /** Until the management token expires, as far as its secret says. */
  readonly managementTokenDays?: number;
  /** How many were carried out, by kind. */
  readonly actions?: Readonly<Record<string, number>>;
}
