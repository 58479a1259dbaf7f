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

const REPLACEMENTS = {
  Missing: true,
  Due: true,
  NearExpiry: true,
  Expired: true,
  CurrentGone: true,
  Forced: true,
  PermissionsNarrowed: true,
  PermissionsWidened: true,
} satisfies Record<ReplacementReason, true>;
const RESUMPTIONS = {
  ...REPLACEMENTS,
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
} satisfies Record<
  Exclude<
    RowOf<RotationAction | ReapingAction>,
    `${'rotate' | 'mint' | 'resume' | 'arm'} ${string}`
  >,
  true
>;

const rowsOf = (kinds: readonly string[], reasons: object) =>
  kinds.flatMap((kind) => Object.keys(reasons).map((reason) => `${kind} ${reason}`));

/** Every row that `rotate` and `reap` can decide by. */
export const ROWS: readonly string[] = [
  ...rowsOf(['rotate', 'mint'], REPLACEMENTS),
  ...rowsOf(['resume', 'arm'], RESUMPTIONS),
  ...Object.keys(REST),
];
