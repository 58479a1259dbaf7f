import { describeAction } from '../../../../functions/enforcement/plan/describe-action.ts';
import { planEnforcement } from '../../../../functions/enforcement/plan/plan-enforcement.ts';
import type { Database } from '../../../../functions/management-api/database.ts';
import { parseRetention } from '../../../../functions/policy/retention.ts';
import { NOW, policyOf } from '../../builders.ts';

/** A database with the server's defaults; retention as a policy spells it. */
export const databaseOf = (
  name: string,
  { retention = 'infinite', ...more }: Partial<Database> & { readonly retention?: string } = {},
): Database => ({
  name,
  maxTables: 500,
  maxColumnsPerTable: 200,
  retentionPeriod: parseRetention(retention),
  ...more,
});

interface World {
  readonly databases?: readonly Database[];
  readonly rules?: readonly object[];
  readonly at?: number;
  /** More of the policy. */
  readonly more?: object;
  readonly tables?: boolean;
}

export function planFor({ databases = [], rules = [], at = NOW, more, tables = false }: World) {
  const byName = new Map(databases.map((database) => [database.name, database]));
  const policy = policyOf({ ...more, databases: rules });
  return planEnforcement(policy, { at, skewMs: 0, databases: byName }, { tables });
}

export const textsOf = ({ actions }: ReturnType<typeof planFor>) =>
  actions.map((action) => describeAction(action, 'keyturn.yaml'));
export const kindsOf = ({ findings }: ReturnType<typeof planFor>) =>
  findings.map(({ kind, database }) => (database === undefined ? kind : `${kind} ${database}`));
