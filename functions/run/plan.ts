import { createHash } from 'node:crypto';

/** Why an action is planned. */
export type Reason =
  // rotate
  | 'Missing'
  | 'Due'
  | 'NearExpiry'
  | 'Expired'
  | 'CurrentGone'
  | 'Forced'
  | 'PermissionsNarrowed'
  | 'PermissionsWidened'
  | 'Unarmed'
  | 'Pending'
  | 'PendingNotDue'
  | 'PendingDead'
  | 'RolledBack'
  | 'Adopted'
  // reap
  | 'Replaced'
  | 'Orphan'
  | 'GraceOver'
  | 'FenceOver'
  | 'QuarantineOver'
  | 'ForeignExpired'
  | 'Removed'
  | 'HoldFrozen'
  | 'HoldDeleted'
  // enforce
  | 'Differs'
  | 'BelowMinimum'
  | 'AboveMaximum'
  | 'DatabaseMissing'
  | 'TableDeclared';

/** One step of a plan about one token. */
export interface TokenAction {
  readonly kind:
    | 'rotate'
    | 'resume'
    | 'detach-pending'
    | 'widen'
    | 'give-back'
    | 'adopt'
    | 'supersede'
    | 'fence'
    | 'quarantine'
    | 'delete'
    | 'strip'
    | 'delete-foreign';
  /** Name of the secret, which is the identity of a token; absent for foreign ones. */
  readonly secret?: string;
  /** The policy's name of the token, where it has an entry. */
  readonly token?: string;
  /** The token acted on; absent where it is yet to be minted. */
  readonly tokenId?: string;
  readonly reason: Reason;
}

export interface SecretAction {
  readonly kind: 'delete-secret';
  readonly secret: string;
  readonly reason: 'Removed';
}

export type Action = TokenAction | SecretAction;

interface AboutDatabase {
  readonly database: string;
  /** Which rule of the policy asks for it; the first is 1. */
  readonly rule: number;
  /** For people: `retention telemetry 30d -> 90d (policy keyturn.yaml, rule 2)`. */
  readonly text: string;
  /** What it does to what is there. */
  readonly note?: string;
}

/** One field of one database, which is one `PATCH`. */
export type FieldChange = AboutDatabase & {
  readonly kind: 'change';
  readonly reason: 'Differs' | 'BelowMinimum' | 'AboveMaximum';
} & (
    | {
        readonly field: 'retention';
        /** Spelt as the policy spells them: `90d`, `infinite`. */
        readonly from: string;
        readonly to: string;
      }
    | {
        readonly field: 'maxTables' | 'maxColumnsPerTable';
        readonly from: number;
        readonly to: number;
      }
  );

/** The rule says with what. */
export interface DatabaseCreation extends AboutDatabase {
  readonly kind: 'create-database';
  readonly reason: 'DatabaseMissing';
}

export interface TableCreation extends AboutDatabase {
  readonly kind: 'create-table';
  readonly table: string;
  readonly reason: 'TableDeclared';
}

/** One step of a plan about one database. */
export type DatabaseAction = FieldChange | DatabaseCreation | TableCreation;

/** Something a person should know and that no action of this plan mends. */
export interface Finding {
  readonly kind: string;
  readonly secret?: string;
  readonly token?: string;
  readonly tokenId?: string;
  readonly database?: string;
  readonly message: string;
}

/** How many of a plan's actions leave somebody without a proven successor, and how many may. */
export interface LimitCount {
  readonly counted: number;
  readonly allowed: number;
}

/** What one run would do. A value: sorted, serializable and without secrets. */
export interface Plan<A = Action> {
  readonly job: 'rotate' | 'reap' | 'enforce';
  readonly owner: string;
  readonly cluster: string;
  readonly actions: readonly A[];
  readonly findings: readonly Finding[];
  readonly limit: LimitCount;
  /** Why nothing of this plan may be applied unless its hash is approved. */
  readonly refusal?: string;
  /** Tells this plan from every other: of the job, the owner, the cluster and the actions. */
  readonly hash: string;
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Completes a plan: sorts it and gives it its hash. */
export function completePlan<A extends object>(plan: Omit<Plan<A>, 'hash'>): Plan<A> {
  const sorted = <Item>(items: readonly Item[]) =>
    [...items].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b)));
  const actions = sorted(plan.actions);
  const { job, owner, cluster } = plan;
  const hash = createHash('sha256').update(JSON.stringify({ job, owner, cluster, actions }));
  return {
    ...plan,
    actions,
    findings: sorted(plan.findings),
    hash: hash.digest('hex').slice(0, 16),
  };
}
