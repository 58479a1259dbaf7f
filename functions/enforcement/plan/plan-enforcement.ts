import type { Database, DatabaseObservation } from '../../management-api/database.ts';
import type { NamedDatabaseRule } from '../../policy/database-rule.ts';
import type { Policy } from '../../policy/policy.ts';
import { completePlan, type DatabaseAction, type Finding, type Plan } from '../../run/plan.ts';
import { creationOf, isTablesTurn, tableCreationsOf } from './creations.ts';
import { type Difference, differencesOf } from './differences.ts';
import {
  missingOf,
  shorteningRefused,
  templateDrift,
  unmanagedOf,
  unmatchedGlobs,
  withMode,
} from './findings.ts';
import { type NumberedRule, ruleOf, whyNotShorten } from './rules.ts';

export interface EnforcementRequest {
  /** Create declared tables whether or not it is their turn. */
  readonly tables: boolean;
}

interface Planned {
  readonly actions: DatabaseAction[];
  readonly findings: Finding[];
  /** Names of the databases that an action leaves with less than they have. */
  readonly lessened: Set<string>;
}

function planDifference(
  { change, lessens }: Difference,
  numbered: NumberedRule,
  at: number,
  policy: Policy,
  planned: Planned,
): void {
  if (numbered.rule.mode === 'report') {
    planned.findings.push(withMode(change));
    return;
  }
  const shortens = lessens && change.field === 'retention';
  const obstacle = shortens ? whyNotShorten(numbered.rule, at, policy) : undefined;
  if (obstacle !== undefined) {
    planned.findings.push(shorteningRefused(change, obstacle, policy));
    return;
  }
  planned.actions.push(change);
  if (lessens) planned.lessened.add(change.database);
}

function planPresent(
  database: Database,
  numbered: NumberedRule,
  at: number,
  policy: Policy,
  planned: Planned,
): void {
  for (const difference of differencesOf(database, numbered, policy)) {
    planDifference(difference, numbered, at, policy, planned);
  }
  planned.findings.push(...templateDrift(database, numbered, policy));
}

function planNamed(
  numbered: NumberedRule<NamedDatabaseRule>,
  { at, databases }: DatabaseObservation,
  request: EnforcementRequest,
  policy: Policy,
  { actions, findings }: Planned,
): void {
  const { name, ifMissing, mode } = numbered.rule;
  const exists = databases.has(name);
  const enforced = mode === 'enforce';
  if (!exists && (ifMissing === 'report' || !enforced)) {
    findings.push(missingOf(numbered, policy));
    return;
  }
  if (!exists) actions.push(creationOf(numbered, policy));
  if (enforced && (!exists || request.tables || isTablesTurn(name, at, policy))) {
    actions.push(...tableCreationsOf(numbered, policy));
  }
}

/**
 * Plans what databases are corrected and created. Pure: same input, same plan, same hash.
 *
 * The policy's limits count databases that are left with less than they have: retention shortened
 * (under an approval in force) or a limit lowered, at most a share of all databases or a number if
 * that is more. Raising, and creating what a rule asks for, takes nothing from anybody.
 */
export function planEnforcement(
  policy: Policy,
  observation: DatabaseObservation,
  request: EnforcementRequest,
): Plan<DatabaseAction> {
  const { at, databases } = observation;
  const planned: Planned = { actions: [], findings: [], lessened: new Set() };
  for (const database of databases.values()) {
    const numbered = ruleOf(database.name, policy);
    if (numbered) planPresent(database, numbered, at, policy, planned);
  }
  for (const [index, rule] of policy.databases.entries()) {
    if (!('name' in rule)) continue;
    planNamed({ rule, number: index + 1 }, observation, request, policy, planned);
  }
  planned.findings.push(...unmatchedGlobs(databases, policy), ...unmanagedOf(databases, policy));

  const { percent, tokens: number } = policy.limits;
  const allowed = Math.max(Math.floor((databases.size * percent) / 100), number);
  const counted = planned.lessened.size;
  return completePlan({
    job: 'enforce',
    owner: policy.owner,
    cluster: policy.cluster.url,
    actions: planned.actions,
    findings: planned.findings,
    limit: { counted, allowed },
    ...(counted > allowed && {
      refusal: `${counted} databases would be left with shorter retention or lower limits; the limit is ${allowed}`,
    }),
  });
}
