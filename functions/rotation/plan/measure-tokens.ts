import type { Measures } from '../../environment.ts';
import { entryOf, type Lifetimes, type Policy } from '../../policy/policy.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { DAY_MS } from '../../time.ts';
import { countOwned, type Observation, type OwnedToken } from '../../tokens/observation.ts';
import { armedSince, currentHolder, ownedCurrent } from '../../tokens/state.ts';
import { type EntryCondition, REFUSED } from './entry-condition.ts';
import type { EntryState } from './entry-state.ts';
import { ageOf } from './reason-to-replace.ts';

/** Consumers are refused, or soon will be, or nobody can know whether they are. */
const UNUSABLE: ReadonlySet<EntryCondition> = new Set([
  'expiring',
  'cut-short',
  'no-database',
  'gone',
  'expired',
  'unarmed',
  'stripped',
  'refused',
  'unknown',
  'shared',
  'missing',
]);

/** An order that nobody has lifted in this time was perhaps forgotten. */
const LONG_HELD_MS = 7 * DAY_MS;

const days = (milliseconds: number) => Math.round((milliseconds / DAY_MS) * 100) / 100;

/** Lengths of the lives that are left to current tokens, of removed entries too. */
function runways({ secrets, at }: Observation, policy: Policy) {
  return [...secrets.values()].flatMap((seen) => {
    const entry = entryOf(policy, seen.secret.name);
    const token = ageOf(currentHolder(seen))?.token;
    if (!token || token.permissions.length === 0 || holdOf(seen.secret)) return [];
    if (!entry && policy.onRemoval === 'retire') return [];
    const { renewBefore }: Lifetimes = entry ?? policy.defaults;
    const remainingMs = token.expiresAt === undefined ? undefined : token.expiresAt - at;
    return [{ createdAt: token.createdAt, remainingMs, renewBefore }];
  });
}

/** How a run found the entries. */
interface Found {
  readonly states: readonly EntryState[];
  /** Secrets whose AWSCURRENT the data plane refused in this run. */
  readonly refused: ReadonlySet<string>;
  /** Whether a person's order ended a secret's tokens: nobody needs to be told of that. */
  readonly isByOrder: (secret: string) => boolean;
  /** The tokens whose rotation it was to look at. Absent: all. */
  readonly names?: readonly string[] | undefined;
}

/** Whether it was seen refused since it was armed. */
export const wasRefused = (owned: OwnedToken): boolean =>
  (owned.marker.refused ?? 0) > armedSince(owned);

/**
 * Whether consumers were refused, and nobody was told. A refusal that this run met is in no marker yet. Of a secret's
 * first token, which takes nothing from anybody, of one that an order promoted at once, and of one that was replaced
 * since, both marks have one instant.
 */
function wasOut(
  { secret, condition }: EntryState,
  { refused }: Found,
  { secrets }: Observation,
): boolean {
  const isSeen = refused.has(secret);
  if (condition === 'unknown') return isSeen;
  if (condition !== 'refused') return REFUSED.has(condition);
  const seen = secrets.get(secret);
  const current = seen && ownedCurrent(seen);
  return current?.marker.refused === undefined ? isSeen : wasRefused(current);
}

/**
 * Entries whose consumers were refused when the run found them, and are not any more. What is `refused` now counts in
 * the run that sees it accepted; but one that was never armed looks like a first token then, and counts at once.
 */
function mendedOutages(
  states: readonly EntryState[],
  found: Found,
  observation: Observation,
): number {
  const after = new Map(states.map((state) => [state.secret, state]));
  const isMended = (before: EntryState) => {
    const now = after.get(before.secret);
    if (now?.condition === 'refused') return before.condition === 'unarmed';
    return now === undefined || !wasOut(now, found, observation);
  };
  const isCounted = (before: EntryState) =>
    wasOut(before, found, observation) && isMended(before) && !found.isByOrder(before.secret);
  return found.states.filter(isCounted).length;
}

/**
 * What a run measures of all tokens. `states` and `found` must be of the whole policy. A run that mends what it
 * finds must not hide that consumers were refused until then.
 */
export function measureTokens(
  policy: Policy,
  observation: Observation,
  states: readonly EntryState[],
  found: Found = { states, refused: new Set(), isByOrder: () => false },
): Measures {
  const replaced = new Set(
    states.flatMap(({ secret, tokenId }) => {
      const seen = observation.secrets.get(secret);
      return seen && ageOf(currentHolder(seen))?.token.id !== tokenId ? [secret] : [];
    }),
  );
  const left = {
    ...observation,
    secrets: new Map([...observation.secrets].filter(([name]) => !replaced.has(name))),
  };
  const current = runways(left, policy);
  const ends = current.flatMap(({ remainingMs }) => remainingMs ?? []);
  const count = (fits: (state: EntryState) => boolean) => states.filter(fits).length;
  const late = states.filter((state) => state.late);
  const outages = mendedOutages(states, found, observation);
  const isLongHeld = ({ heldSince: since }: EntryState) =>
    since !== undefined && observation.at - since > LONG_HELD_MS;
  // Whether what is to be adopted works, or is on hold, only a run that looks at it learns: a zero of another one would end its alarm.
  const isAllSeen = states.every(
    ({ token, condition }) => condition !== 'unadopted' || (found.names?.includes(token) ?? true),
  );
  const asFarAsSeen = (measure: 'unusableTokens' | 'longHolds', counted: number): Measures =>
    isAllSeen || counted > 0 ? { [measure]: counted } : {};
  return {
    ownedTokens: countOwned(observation),
    // What was not looked at may wait for its first run after the policy was shortened, and nothing tells: alarms stay as they are.
    ...(late.every(({ token }) => found.names?.includes(token) ?? true) && {
      overdueTokens: late.length,
    }),
    ...asFarAsSeen(
      'unusableTokens',
      count(({ condition }) => UNUSABLE.has(condition)),
    ),
    ...(outages > 0 && { mendedOutages: outages }),
    deletedSecrets: count(({ condition }) => condition === 'deleted'),
    ...asFarAsSeen('longHolds', count(isLongHeld)),
    tokensNearExpiry: current.filter(
      ({ remainingMs = Number.POSITIVE_INFINITY, renewBefore }) => remainingMs < renewBefore / 2,
    ).length,
    ...(ends.length > 0 && { runwayDays: days(Math.min(...ends)) }),
    ...(current.length > 0 && {
      oldestTokenDays: days(
        observation.at - Math.min(...current.map(({ createdAt }) => createdAt)),
      ),
    }),
  };
}
