import type { DatabaseAction } from '../../functions/enforcement/plan/database-action.ts';
import type { ReapingAction } from '../../functions/reaping/plan/reaping-action.ts';
import type {
  ReplacementReason,
  ResumptionReason,
  RotationAction,
} from '../../functions/rotation/plan/rotation-action.ts';

/** A row of a decision table: an action and its reason. */
type RowOf<Action> = Action extends { readonly kind: infer Kind; readonly reason: infer Reason }
  ? `${Kind & string} ${Reason & string}`
  : never;

/** Consumers have nothing, or a person does not want to wait: one run does it all. */
type Urgent = 'Missing' | 'Expired' | 'CurrentGone' | 'Forced';

const URGENT = {
  Missing: true,
  Expired: true,
  CurrentGone: true,
  Forced: true,
} satisfies Record<Urgent, true>;
/** Two runs do it, and one where the token would expire before the second. */
const ORDINARY = {
  Due: true,
  NearExpiry: true,
  PermissionsNarrowed: true,
  PermissionsWidened: true,
} satisfies Record<Exclude<ReplacementReason, Urgent>, true>;
const RESUMPTIONS = {
  ...URGENT,
  ...ORDINARY,
  Pending: true,
  Unarmed: true,
} satisfies Record<ResumptionReason, true>;

const REST = {
  'verify Refused': true,
  'detach-pending PendingNotDue': true,
  'detach-pending PendingDead': true,
  'detach-pending PendingOlder': true,
  'widen PermissionsWidened': true,
  'give-back RolledBack': true,
  'adopt Adopted': true,
  'recognise SavedByPerson': true,
  'recognise RolledBack': true,
  'recognise Promoted': true,
  'mark-shared PastedByPerson': true,
  'mark-shared SharedNoMore': true,
  'restart-grace UnknownVersion': true,
  'move-cluster ClusterChanged': true,
  'move-cluster ClusterTagLost': true,
  'supersede Replaced': true,
  'supersede Removed': true,
  'fence GraceOver': true,
  'fence PreviousAgain': true,
  'quarantine FenceOver': true,
  'delete Orphan': true,
  'delete Expired': true,
  'delete FenceOver': true,
  'delete QuarantineOver': true,
  'delete HoldDeleted': true,
  'strip HoldFrozen': true,
  'delete-foreign ForeignExpired': true,
  'delete-secret Removed': true,
  'detach-previous PreviousDead': true,
  'detach-previous UnknownVersion': true,
  'end-proof ProofOverdue': true,
  'note-adoption Adopted': true,
  'replicate ReplicaMissing': true,
  'replicate ReplicaFailed': true,
  'check-replicas ReplicaLate': true,
  'check-replicas ReplicaFailed': true,
  'change Differs': true,
  'change BelowMinimum': true,
  'change AboveMaximum': true,
  'create-database DatabaseMissing': true,
  'create-table TableDeclared': true,
} satisfies Record<
  Exclude<
    RowOf<RotationAction | ReapingAction | DatabaseAction>,
    `${'rotate' | 'mint' | 'resume' | 'arm'} ${string}`
  >,
  true
>;

const rowsOf = (kinds: readonly string[], reasons: object) =>
  kinds.flatMap((kind) => Object.keys(reasons).map((reason) => `${kind} ${reason}`));

/** Every row that a schedule can decide by. */
export const ROWS: readonly string[] = [
  ...rowsOf(['rotate'], { ...URGENT, ...ORDINARY }),
  ...rowsOf(['mint', 'arm'], ORDINARY),
  ...rowsOf(['resume'], RESUMPTIONS),
  ...Object.keys(REST),
];
