import { entryOf, namedDatabases, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import { RequestError, type RotateRequest } from '../../run/request.ts';
import { countOwned, type Observation } from '../../tokens/observation.ts';
import { clusterMove, moveConditions } from './cluster-moves.ts';
import { decideRotation } from './decide-rotation.ts';
import type { RotationAction } from './rotation-action.ts';

/** What the invocation asks for, as far as the plan depends on it. */
type Asked = Pick<RotateRequest, 'tokens' | 'force'>;

const ANY = '*';

/** These actions need no database to exist. */
const GRANTS_NOTHING_NEW: readonly RotationAction['kind'][] = ['detach-pending', 'give-back'];

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

/** What a limited action does that it does not say itself, because the policy decides it. */
function givenBy({ secret }: RotationAction, policy: Policy): unknown {
  const entry = entryOf(policy, secret);
  const { cluster, encryptionKey } = policy;
  return [entry?.permissions, entry?.expiresAfter, cluster.dataUrl ?? cluster.url, encryptionKey];
}

/** Whether an action replaces a token because it is gone: a cluster that lost its catalog has lost them all. */
const replacesGone = ({ reason }: RotationAction) => reason === 'CurrentGone';

/**
 * Plans the rotation of every token of the policy. Pure: same input, same plan, same hashes.
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
    if (!seen && entry.adopt) {
      actions.push({ ...about, kind: 'adopt', tokenId: entry.adopt.tokenId, reason: 'Adopted' });
      continue;
    }
    actions.push(...clusterMove(entry, seen?.secret, policy));
    const decision = decideRotation(entry, seen, {
      now: observation.at,
      timeZone: policy.timeZone,
      forced: request.force,
    });
    findings.push(...decision.findings);
    if (!decision.action) continue;
    const unknown = unknownDatabases(entry, isKnown);
    if (unknown.length > 0 && !GRANTS_NOTHING_NEW.includes(decision.action.kind)) {
      const message = `gets permissions on ${unknown.join(', ')}, which neither exists nor is declared`;
      findings.push({ ...about, kind: 'UnknownDatabase', message });
      continue;
    }
    actions.push(decision.action);
  }
  return limitedPlan({
    job: 'rotate',
    policy,
    actions,
    findings,
    limits: [
      {
        isLimited: replacesGone,
        loss: 'tokens would be replaced because they are gone',
        total: countOwned(observation),
      },
    ],
    conditions: moveConditions(actions, policy),
    givenBy: (action) => givenBy(action, policy),
  });
}
