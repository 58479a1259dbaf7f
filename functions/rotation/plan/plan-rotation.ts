import { entryOf, namedDatabases, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { limitedPlan, TOKENS_LOST } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import { RequestError, type RotateRequest } from '../../run/request.ts';
import { countOwned, type Observation } from '../../tokens/observation.ts';
import { adoptsOnly, decideAdoption } from './decide-adoption.ts';
import { decideRotation } from './decide-rotation.ts';
import type { RotationAction } from './rotation-action.ts';

/** What the invocation asks for, as far as the plan depends on it. */
type Asked = Pick<RotateRequest, 'tokens' | 'force' | 'confirmAdoption'>;

const ANY = '*';

/** These actions need no database to exist. */
const GRANTS_NOTHING_NEW: readonly RotationAction['kind'][] = [
  'adopt',
  'detach-pending',
  'give-back',
];

type IsKnown = (database: string) => boolean;

/** Whether the policy declares a database or the cluster has it; also true for the wildcard. */
function knownDatabases(policy: Policy, databases?: ReadonlySet<string>): IsKnown {
  const declared = new Set(namedDatabases(policy));
  return (name) => name === ANY || declared.has(name) || databases?.has(name) === true;
}

const unknownDatabases = ({ permissions }: TokenPolicy, isKnown: IsKnown): string[] =>
  [...new Set(permissions.map(({ resource }) => resource))].filter((name) => !isKnown(name));

/** Whether the plan must know which databases exist: a token may use one that the policy does not declare. */
export function needsDatabases(policy: Policy): boolean {
  const isKnown = knownDatabases(policy);
  return policy.tokens.some((entry) => unknownDatabases(entry, isKnown).length > 0);
}

/** An unknown name is a typo, which a run that does nothing would hide. */
function refuseUnknownNames({ tokens }: Policy, requested: readonly string[] = []): void {
  const unknown = requested.filter((name) => !tokens.some((entry) => entry.name === name));
  if (unknown.length > 0) {
    throw new RequestError(`tokens: the policy has no token ${unknown.join(', ')}`);
  }
}

/** What an action does that it does not say itself, because the policy decides it. */
function givenBy(action: RotationAction, policy: Policy): unknown {
  const entry = entryOf(policy, action.secret);
  switch (action.kind) {
    case 'rotate':
    case 'resume':
      return [
        entry?.permissions,
        entry?.expiresAfter,
        policy.cluster.dataUrl ?? policy.cluster.url,
        policy.encryptionKey,
      ];
    case 'widen':
      return entry?.permissions;
    case 'adopt':
      return entry?.adopt?.key;
    case 'detach-pending':
    case 'give-back':
      return undefined;
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/**
 * Plans the rotation of every token of the policy. Pure: same input, same plan, same hash.
 * @throws RequestError if the request names tokens that the policy does not
 */
export function planRotation(
  policy: Policy,
  observation: Observation,
  request: Asked,
): Plan<RotationAction> {
  refuseUnknownNames(policy, request.tokens);
  const isKnown = knownDatabases(policy, observation.databases);
  const actions: RotationAction[] = [];
  const findings: Finding[] = [];
  for (const entry of policy.tokens) {
    if (request.tokens && !request.tokens.includes(entry.name)) continue;
    const seen = observation.secrets.get(entry.secret);
    const about = { token: entry.name, secret: entry.secret };
    const adoption = decideAdoption(entry, seen, request.confirmAdoption);
    const decision = adoptsOnly(seen, adoption, request)
      ? { action: adoption, findings: [] }
      : decideRotation(entry, seen, {
          now: observation.at,
          timeZone: policy.timeZone,
          forced: request.force,
        });
    findings.push(...decision.findings);
    const action = decision.action ?? adoption;
    if (!action) continue;
    const unknown = unknownDatabases(entry, isKnown);
    if (unknown.length > 0 && !GRANTS_NOTHING_NEW.includes(action.kind)) {
      const message = `gets permissions on ${unknown.join(', ')}, which neither exists nor is declared`;
      findings.push({ ...about, kind: 'UnknownDatabase', message });
      continue;
    }
    actions.push(action);
  }
  return limitedPlan({
    job: 'rotate',
    policy,
    actions,
    findings,
    counted: actions.filter(({ reason }) => reason === 'CurrentGone').length,
    total: countOwned(observation),
    loss: TOKENS_LOST,
    givenBy: (action) => givenBy(action, policy),
    secrets: [...observation.secrets.values()].map(({ secret }) => secret),
  });
}
