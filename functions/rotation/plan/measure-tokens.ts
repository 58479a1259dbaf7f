import type { Measures } from '../../environment.ts';
import type { Token } from '../../management-api/token.ts';
import { entryOf, type Lifetimes, type Policy } from '../../policy/policy.ts';
import type { Plan } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/secret.ts';
import { DAY_MS, HOUR_MS } from '../../time.ts';
import { countOwned, type Observation, type ObservedSecret } from '../../tokens/observation.ts';
import { currentHolder, isStripped } from '../../tokens/state.ts';
import { ageOf } from './decide-rotation.ts';
import type { RotationAction } from './rotation-action.ts';

/** A token that consumers use, the instant from which `rotateEvery` counts, and its lifetimes. */
interface Current {
  readonly token: Token;
  readonly since: number;
  readonly lifetimes: Lifetimes;
}

const days = (milliseconds: number) => Math.round((milliseconds / DAY_MS) * 100) / 100;

/** Whether a person stopped it, or another Region writes it: then nothing is late here. */
const isStopped = ({ secret }: ObservedSecret) => secret.replica || holdOf(secret) !== undefined;

/** The current token; none if a person stopped it, or if its entry was removed and it is being retired. */
function currentOf(seen: ObservedSecret, policy: Policy): Current[] {
  const entry = entryOf(policy, seen.secret.name);
  const holder = currentHolder(seen);
  if (!holder || holder.state === 'gone' || isStopped(seen)) return [];
  if (!entry && policy.onRemoval === 'retire') return [];
  const lifetimes = entry ?? policy.defaults;
  if (holder.state === 'owned' && isStripped(holder.owned)) return [];
  return [{ ...ageOf(holder), lifetimes }];
}

/** How late is still normal: a tenth of `rotateEvery`, at least an hour and at most a day; with windows a week more. */
function margin({ rotateEvery, windows }: Lifetimes): number {
  const patience = Math.max(HOUR_MS, Math.min(DAY_MS, rotateEvery / 10));
  return windows.length > 0 ? patience + 7 * DAY_MS : patience;
}

/** How many entries have no token that works, and no action in this plan. */
function countWithoutToken(
  policy: Policy,
  { secrets }: Observation,
  plan: Plan<RotationAction>,
): number {
  const planned = new Set(plan.actions.map(({ secret }) => secret));
  return policy.tokens.filter(({ secret }) => {
    const seen = secrets.get(secret);
    if (planned.has(secret) || (seen && isStopped(seen))) return false;
    return !seen || (currentHolder(seen)?.state ?? 'gone') === 'gone';
  }).length;
}

/** Measures all tokens, before the plan is applied. `plan` must be for the whole policy. */
export function measureTokens(
  policy: Policy,
  observation: Observation,
  plan: Plan<RotationAction>,
): Measures {
  const { at, secrets } = observation;
  const all = [...secrets.values()];
  const current = all.flatMap((seen) => currentOf(seen, policy));
  const listed = (secret: string) => entryOf(policy, secret) !== undefined;
  const rotated = all.filter(({ secret }) => listed(secret.name));
  const late = rotated
    .flatMap((seen) => currentOf(seen, policy))
    .filter(({ since, lifetimes }) => at >= since + lifetimes.rotateEvery + margin(lifetimes));
  const runways = current.flatMap(({ token: { expiresAt }, lifetimes }) =>
    expiresAt === undefined ? [] : [{ remainingMs: expiresAt - at, lifetimes }],
  );
  return {
    ownedTokens: countOwned(observation),
    overdueTokens: late.length + countWithoutToken(policy, observation, plan),
    tokensNearExpiry: runways.filter(
      ({ remainingMs, lifetimes }) => remainingMs < lifetimes.renewBefore / 2,
    ).length,
    ...(runways.length > 0 && {
      runwayDays: days(Math.min(...runways.map(({ remainingMs }) => remainingMs))),
    }),
    ...(current.length > 0 && {
      oldestTokenDays: days(at - Math.min(...current.map(({ token }) => token.createdAt))),
    }),
  };
}
