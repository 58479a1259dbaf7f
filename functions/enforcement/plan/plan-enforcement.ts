import type { Database, DatabaseObservation } from '../../management-api/database.ts';
import { GOVERNED_FIELDS, lessens } from '../../policy/governed-fields.ts';
import type { NamedDatabaseRule, Policy } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import type { EnforceRequest } from '../../run/request.ts';
import { creationOf, isTablesTurn, tableCreationsOf } from './creations.ts';
import type { DatabaseAction, FieldChange } from './database-action.ts';
import { differencesOf } from './differences.ts';
import {
  missingOf,
  reportedOnly,
  shorteningRefused,
  templateDrift,
  tooShortOf,
  unmanagedOf,
  unmatchedGlobs,
} from './findings.ts';
import { type NumberedRule, ruleOf, whyNotShorten } from './rules.ts';

/** What the invocation asks for, as far as the plan depends on it. */
type Asked = Pick<EnforceRequest, 'tables'>;

/** What every decision of one plan needs. */
interface Context {
  readonly policy: Policy;
  readonly observation: DatabaseObservation;
  readonly request: Asked;
}

type Decision = DatabaseAction | Finding;

const isLessening = (decision: DatabaseAction): decision is FieldChange =>
  decision.kind === 'change' && lessens(decision.field, decision.from, decision.to);

function decideDifference(
  change: FieldChange,
  { rule }: NumberedRule,
  { policy, observation }: Context,
): Decision {
  if (rule.mode === 'report') return reportedOnly(change, policy);
  const guarded = GOVERNED_FIELDS[change.field].needsApproval && isLessening(change);
  const obstacle = guarded ? whyNotShorten(rule, observation.at, policy) : undefined;
  return obstacle === undefined ? change : shorteningRefused(change, obstacle, policy);
}

function decidePresent(database: Database, context: Context): Decision[] {
  const numbered = ruleOf(database.name, context.policy);
  if (!numbered) return [];
  return [
    ...differencesOf(database, numbered).map((each) => decideDifference(each, numbered, context)),
    ...templateDrift(database, numbered, context.policy),
  ];
}

/** Creations for a rule that names its database. */
function decideNamed(
  numbered: NumberedRule<NamedDatabaseRule>,
  { policy, observation: { at, databases }, request }: Context,
): Decision[] {
  const { name, ifMissing, mode } = numbered.rule;
  const exists = databases.has(name);
  const enforced = mode === 'enforce';
  if (!exists && (ifMissing === 'report' || !enforced)) return [missingOf(numbered, policy)];
  const tablesDue = !exists || request.tables || isTablesTurn(name, at, policy);
  return [
    ...(exists ? [] : [creationOf(numbered)]),
    ...(enforced && tablesDue ? tableCreationsOf(numbered) : []),
  ];
}

const isFinding = (decision: Decision): decision is Finding => 'message' in decision;
const isAction = (decision: Decision): decision is DatabaseAction => !isFinding(decision);

/**
 * Plans which databases are corrected and created. Pure: same input, same plan, same hashes.
 *
 * The policy's limit counts databases whose retention is shortened (with an approval in force) or whose limits
 * are lowered: at most a percentage of all databases, or a number if that is more. Raising and creating do
 * not count, because they take nothing away.
 */
export function planEnforcement(
  policy: Policy,
  observation: DatabaseObservation,
  request: Asked,
): Plan<DatabaseAction> {
  const { databases } = observation;
  const context = { policy, observation, request };
  const named = policy.databases.flatMap((rule, index) =>
    'name' in rule ? decideNamed({ rule, number: index + 1 }, context) : [],
  );
  const decisions = [
    ...[...databases.values()].flatMap((database) => decidePresent(database, context)),
    ...named,
  ];
  const actions = decisions.filter(isAction);
  const findings = [
    ...decisions.filter(isFinding),
    ...tooShortOf(databases, actions, policy),
    ...unmatchedGlobs(databases, policy),
    ...unmanagedOf(databases, policy),
  ];
  return limitedPlan({
    job: 'enforce',
    policy,
    actions,
    findings,
    limits: [
      {
        isLimited: isLessening,
        loss: {
          one: 'database would be left with shorter retention or lower limits',
          many: 'databases would be left with shorter retention or lower limits',
        },
        total: databases.size,
        loser: ({ database }) => database,
      },
    ],
  });
}
