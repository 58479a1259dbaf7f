import { isMarked } from '../model/marker.ts';
import {
  currentHolder,
  isExpired,
  type Observation,
  type ObservedSecret,
} from '../model/observation.ts';
import { type Action, completePlan, type Plan } from '../model/plan.ts';
import type { Lifetimes, Policy } from '../model/policy.ts';
import { holdOf } from '../model/secret.ts';
import { takeInventory } from './inventory.ts';
import { countLimited, refusalOf } from './limits.ts';
import { decideReaping, type ReapingContext } from './reaping.ts';

/** How the tokens of one secret are retired: by its entry, or by the defaults once that has gone. */
export function reapingContext(policy: Policy, secret: string, now: number): ReapingContext {
  const entry = policy.tokens.find((each) => each.secret === secret);
  const lifetimes: Lifetimes = entry ?? policy.defaults;
  return { now, lifetimes, retire: !entry && policy.onRemoval === 'retire' };
}

function planSecret(seen: ObservedSecret, context: ReapingContext): Action[] {
  const { name, deletedAt, replica } = seen.secret;
  const actions = seen.tokens.flatMap((owned): Action[] => {
    const step = decideReaping(owned, seen, context);
    return step ? [{ ...step, secret: name, tokenId: owned.token.id }] : [];
  });
  // Kept until nothing that it held is alive, and then deleted with its recovery window.
  const empty = seen.tokens.length === 0 && currentHolder(seen)?.state !== 'foreign';
  const forbidden = deletedAt !== undefined || replica || holdOf(seen.secret) !== undefined;
  if (context.retire && empty && !forbidden) {
    actions.push({ kind: 'delete-secret', secret: name, reason: 'Removed' });
  }
  return actions;
}

/** Plans what is deleted, quarantined and marked. Pure: same input, same plan, same hash. */
export function planReaping(policy: Policy, observation: Observation): Plan {
  const { at, secrets, foreign } = observation;
  const actions = [...secrets.values()].flatMap((seen) =>
    planSecret(seen, reapingContext(policy, seen.secret.name, at)),
  );
  if (policy.expiredForeignTokens === 'delete') {
    for (const token of foreign.values()) {
      // Another deployment's marker: its own reap knows better.
      if (!isExpired(token, at) || isMarked(token.description)) continue;
      actions.push({ kind: 'delete-foreign', tokenId: token.id, reason: 'ForeignExpired' });
    }
  }
  const limit = countLimited(policy, observation, actions);
  const refusal = refusalOf(policy, observation, actions, limit);
  return completePlan({
    job: 'reap',
    owner: policy.owner,
    cluster: policy.cluster.url,
    actions,
    findings: takeInventory(policy, observation),
    limit,
    ...(refusal && { refusal }),
  });
}
