import type { Policy, TokenPolicy } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan, TokenAction } from '../../run/plan.ts';
import { RequestError } from '../../run/request.ts';
import type { Observation } from '../../tokens/observation.ts';
import { decideRotation } from './decide-rotation.ts';

/** What the invocation asked for beside the policy. */
export interface RotationRequest {
  /** Names of the only tokens to look at; absent means all. */
  readonly tokens?: readonly string[] | undefined;
  /** Rotate them though they are not due. */
  readonly force: boolean;
}

const ANY = '*';

/** These need no database to exist. */
const GRANTS_NOTHING_NEW: readonly TokenAction['kind'][] = ['detach-pending', 'give-back'];

/** Whether the plan depends on which databases exist: something is granted that the policy does not declare. */
export const wantsDatabases = (policy: Policy) =>
  policy.tokens.some((entry) => unknownDatabases(entry, policy, undefined).length > 0);

/** The databases that a token is granted and that neither the policy declares nor the cluster has. */
function unknownDatabases(
  entry: TokenPolicy,
  policy: Policy,
  databases: ReadonlySet<string> | undefined,
): string[] {
  const declared = new Set(policy.databases.flatMap((rule) => ('name' in rule ? [rule.name] : [])));
  const granted = new Set(entry.permissions.map(({ resource }) => resource));
  return [...granted].filter(
    (name) => name !== ANY && !declared.has(name) && databases?.has(name) !== true,
  );
}

/** A name that nobody has is a typo, and a run that does nothing would hide it. */
function refuseUnknownNames({ tokens }: Policy, wanted: readonly string[] = []): void {
  const unknown = wanted.filter((name) => !tokens.some((entry) => entry.name === name));
  if (unknown.length > 0) {
    throw new RequestError(`tokens: the policy names no ${unknown.join(', ')}`);
  }
}

/**
 * Plans the rotation of every token of the policy. Pure: same input, same plan, same hash.
 * @throws RequestError if the request names tokens that the policy does not
 */
export function planRotation(
  policy: Policy,
  observation: Observation,
  request: RotationRequest,
): Plan<TokenAction> {
  refuseUnknownNames(policy, request.tokens);
  const actions: TokenAction[] = [];
  const findings: Finding[] = [];
  for (const entry of policy.tokens) {
    if (request.tokens && !request.tokens.includes(entry.name)) continue;
    const seen = observation.secrets.get(entry.secret);
    const about = { token: entry.name, secret: entry.secret };
    if (!seen && entry.adopt) {
      actions.push({ ...about, kind: 'adopt', tokenId: entry.adopt.tokenId, reason: 'Adopted' });
      continue;
    }
    const decision = decideRotation(entry, seen, {
      now: observation.at,
      timeZone: policy.timeZone,
      forced: request.force,
    });
    findings.push(...decision.findings);
    if (!decision.action) continue;
    const unknown = unknownDatabases(entry, policy, observation.databases);
    if (unknown.length > 0 && !GRANTS_NOTHING_NEW.includes(decision.action.kind)) {
      const message = `grants ${unknown.join(', ')}, which neither exists nor is declared`;
      findings.push({ ...about, kind: 'UnknownDatabase', message });
      continue;
    }
    actions.push(decision.action);
  }
  return limitedPlan('rotate', policy, observation, actions, findings);
}
