type Step<Kind extends string, Reason extends string> = {
  readonly kind: Kind;
  readonly reason: Reason;
};

/** One step of a token's retirement: docs/how-a-token-lives.md says what each does. */
export type RetirementStep =
  | Step<'supersede', 'Replaced' | 'Removed'>
  | Step<'fence', 'GraceOver' | 'PreviousAgain'>
  | Step<'quarantine', 'FenceOver'>
  | Step<'delete', 'Orphan' | 'Expired' | 'FenceOver' | 'QuarantineOver' | 'HoldDeleted'>
  | Step<'strip', 'HoldFrozen'>;

/** The next step in the retirement of a token of ours. */
export type Retirement = RetirementStep & {
  /** Name of the secret in the token's marker. */
  readonly secret: string;
  readonly tokenId: string;
};

/** The deletion of an expired token that is not ours. */
export interface ForeignDeletion {
  readonly kind: 'delete-foreign';
  readonly tokenId: string;
  readonly reason: 'ForeignExpired';
}

/** The deletion of a secret whose entry left the policy, after all of its tokens are gone. */
export interface SecretDeletion {
  readonly kind: 'delete-secret';
  readonly secret: string;
  readonly reason: 'Removed';
}

/**
 * Takes AWSPREVIOUS off a version whose token does not work; or whose string nobody knows, long after it was replaced:
 * before that every grace period of the secret starts again.
 */
export interface PreviousDetachment {
  readonly kind: 'detach-previous';
  readonly secret: string;
  /** Id of the version that has AWSPREVIOUS. */
  readonly version: string;
  readonly reason: 'PreviousDead' | 'UnknownVersion';
}

/** R17: takes away the permission that a proof of an adoption gave, and that the run which gave it left. */
export interface ProofEnding {
  readonly kind: 'end-proof';
  readonly tokenId: string;
  readonly reason: 'ProofOverdue';
}

/** One action of `reap`'s plan. */
export type ReapingAction =
  | Retirement
  | PreviousDetachment
  | ProofEnding
  | ForeignDeletion
  | SecretDeletion;
