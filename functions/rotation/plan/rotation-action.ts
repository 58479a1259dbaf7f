/** Why AWSCURRENT gets a successor. */
export type ReplacementReason =
  | 'Missing'
  | 'Due'
  | 'NearExpiry'
  | 'Expired'
  | 'CurrentGone'
  | 'Forced'
  | 'PermissionsNarrowed'
  | 'PermissionsWidened';

/** Why a token of an earlier run is continued. */
export type ResumptionReason = ReplacementReason | 'Pending' | 'Unarmed';

interface OfEntry {
  /** The token's name in the policy. */
  readonly token: string;
  /** Name of the secret. */
  readonly secret: string;
}

/** Mints a successor, arms it, waits until the data plane accepts it, and promotes it. Its id is not known yet. */
export interface Replacement extends OfEntry {
  readonly kind: 'rotate';
  readonly reason: ReplacementReason;
}

/** Mints a successor and arms it; a later run promotes it. */
export interface Minting extends OfEntry {
  readonly kind: 'mint';
  readonly reason: ReplacementReason;
}

/** Promotes a token that an earlier run minted, after what is left to do before that. */
export interface Resumption extends OfEntry {
  readonly kind: 'resume';
  readonly tokenId: string;
  readonly reason: ResumptionReason;
}

/** Asks the data plane again whether it accepts the token under AWSCURRENT, which it did not accept in time before. */
export interface Verification extends OfEntry {
  readonly kind: 'verify';
  readonly tokenId: string;
  readonly reason: 'Refused';
}

/** Arms a token that an earlier run minted, with the policy's permissions of today; a later run promotes it. */
export interface ArmingOfPending extends OfEntry {
  readonly kind: 'arm';
  readonly tokenId: string;
  readonly reason: ResumptionReason;
}

/** Takes AWSPENDING off a version that nobody waits for. */
export interface PendingDetachment extends OfEntry {
  readonly kind: 'detach-pending';
  /** Id of the version that has AWSPENDING. */
  readonly version: string;
  readonly reason: 'PendingNotDue' | 'PendingDead' | 'PendingOlder';
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

/**
 * Writes into a token's marker that a version has its string, because a person saved it under another id; or that
 * it is current again, because a person rolled back to it.
 */
export interface Recognition extends OfEntry {
  readonly kind: 'recognise';
  readonly tokenId: string;
  /** Id of the version. */
  readonly version: string;
  readonly label: 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING';
  readonly reason: 'SavedByPerson' | 'RolledBack' | 'Promoted';
}

/** Writes into a token's marker that another secret of ours has its string, or that it has it no more. */
export interface SharingMark extends OfEntry {
  readonly kind: 'mark-shared';
  readonly tokenId: string;
  /** Hash of that secret's ARN. Absent: no secret has it any more. */
  readonly by?: string;
  readonly reason: 'PastedByPerson' | 'SharedNoMore';
}

/** Writes into a tag of the secret what was adopted, so that it is known also when the token's marker is lost. */
export interface AdoptionNote extends OfEntry {
  readonly kind: 'note-adoption';
  readonly tokenId: string;
  readonly reason: 'Adopted';
}

/** Starts the grace period of every superseded token again: nobody knows what consumers have. */
export interface GraceRestart extends OfEntry {
  readonly kind: 'restart-grace';
  readonly reason: 'UnknownVersion';
}

/** Makes the replicas that the policy names and the secret lacks, or tries again where one failed. */
export interface Replication extends OfEntry {
  readonly kind: 'replicate';
  /** In order. */
  readonly regions: readonly string[];
  readonly reason: 'ReplicaMissing' | 'ReplicaFailed';
}

/** Looks again at replicas that should have been in sync long ago, or that failed and are others', and fails if they still are not. */
export interface ReplicaCheck extends OfEntry {
  readonly kind: 'check-replicas';
  /** In order. */
  readonly regions: readonly string[];
  readonly reason: 'ReplicaLate' | 'ReplicaFailed';
}

/** An action for a secret's replicas. */
export type ReplicaAction = Replication | ReplicaCheck;

/** Tags a secret with the policy's cluster: from then on its tokens are sought there. */
export interface ClusterMove extends OfEntry {
  readonly kind: 'move-cluster';
  /** URL of the cluster that its tokens were of; `unknown`: the tag was lost, and they are not in this one. Absent: they are. */
  readonly from?: string;
  readonly reason: 'ClusterChanged' | 'ClusterTagLost';
}

/** An action for the current and the pending token of a secret that is ours already; at most one for each entry. */
export type RenewalAction =
  | Replacement
  | Minting
  | Resumption
  | ArmingOfPending
  | Verification
  | PendingDetachment
  | Widening
  | RollbackRepair;

/** An action that only writes down what a run has seen, into markers, or into a tag. */
export type NotingAction = Recognition | SharingMark | GraceRestart | AdoptionNote;

/** One action of `rotate`'s plan. */
export type RotationAction = ClusterMove | NotingAction | RenewalAction | Adoption | ReplicaAction;
