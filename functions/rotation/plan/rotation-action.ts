/** Why AWSCURRENT gets a successor. */
export type ReplacementReason =
  | 'Missing'
  | 'Due'
  | 'NearExpiry'
  | 'Expired'
  | 'CurrentGone'
  | 'Forced'
  | 'PermissionsNarrowed';

interface OfEntry {
  /** The token's name in the policy. */
  readonly token: string;
  /** Name of the secret. */
  readonly secret: string;
}

/** Mints a successor and promotes it; its id is not known yet. */
export interface Replacement extends OfEntry {
  readonly kind: 'rotate';
  readonly reason: ReplacementReason;
}

/** Continues with a token that an earlier run minted. */
export interface Resumption extends OfEntry {
  readonly kind: 'resume';
  readonly tokenId: string;
  readonly reason: ReplacementReason | 'Pending' | 'Unarmed';
}

/** Takes AWSPENDING off a version that nobody waits for. */
export interface PendingDetachment extends OfEntry {
  readonly kind: 'detach-pending';
  /** Id of the version that has AWSPENDING. */
  readonly version: string;
  readonly reason: 'PendingNotDue' | 'PendingDead';
}

/** Adds the permissions that the policy adds. */
export interface Widening extends OfEntry {
  readonly kind: 'widen';
  readonly tokenId: string;
  readonly reason: 'PermissionsWidened';
}

/** Gives a quarantined token its permissions back, because somebody rolled back to it. */
export interface RollbackRepair extends OfEntry {
  readonly kind: 'give-back';
  readonly tokenId: string;
  readonly reason: 'RolledBack';
}

/** Takes over a token and its secret as they are. */
export interface Adoption extends OfEntry {
  readonly kind: 'adopt';
  readonly tokenId: string;
  readonly reason: 'Adopted';
  /** Who says that the string is this token's; believed only where it cannot be proven. */
  readonly confirmedBy?: string;
}

/** An action for a secret that is ours already. */
export type RenewalAction =
  | Replacement
  | Resumption
  | PendingDetachment
  | Widening
  | RollbackRepair;

/** One action of `rotate`'s plan. */
export type RotationAction = RenewalAction | Adoption;
