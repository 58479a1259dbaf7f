import type { Measures } from '../../environment.ts';
import type { Token } from '../../management-api/token.ts';
import { entryOf, type Lifetimes, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { spareOf } from '../../policy/spare.ts';
import { nextWithin } from '../../policy/window.ts';
import { holdOf, holdSince } from '../../secrets-manager/hold.ts';
import { DAY_MS, HOUR_MS } from '../../time.ts';
import { grantsHash } from '../../tokens/marker.ts';
import { countOwned, type Observation, type ObservedSecret } from '../../tokens/observation.ts';
import {
  currentHolder,
  isExpired,
  isProven,
  isSame,
  ownedCurrent,
  ownedPending,
  ownedPrevious,
  wasArmed,
} from '../../tokens/state.ts';
import { forbidden, heldByPerson } from './decide-rotation.ts';
import { covers } from './permissions.ts';
import { ageOf, dueAt, renewalLead, sinceOf } from './reason-to-replace.ts';

/** How it is with the token that an entry's consumers read. */
export type EntryCondition =
  /** Known, live, with permissions. */
  | 'works'
  /** It works, and expires before somebody could be told in time. */
  | 'expiring'
  /** It works, and a token that it replaced, which consumers may still have, expires within its grace period. */
  | 'cut-short'
  /** A hold, by a person's order. */
  | 'held'
  /** The token was taken away, or has expired, or never got permissions, or a person took them. */
  | 'gone'
  | 'expired'
  | 'unarmed'
  | 'stripped'
  /** Consumers have it, and the data plane was not seen to accept it; or it refuses what is to be adopted. */
  | 'refused'
  /** Nobody knows whose string it is, or it is that of another secret. */
  | 'unknown'
  | 'shared'
  /** There is no secret, or no version that consumers could read. */
  | 'missing'
  /** An adoption is under way or waits for a person. Consumers have the string that was there before. */
  | 'unadopted'
  /** Nobody can read the secret: its deletion is scheduled. */
  | 'deleted'
  /** It works, and another Region writes it. */
  | 'replica';

/** One entry after a run. Instants are milliseconds since 1970, by the Management API's time. */
export interface EntryState {
  /** Name in the policy. */
  readonly token: string;
  readonly secret: string;
  readonly condition: EntryCondition;
  /** Id of the token under AWSCURRENT, if it is known. */
  readonly tokenId?: string;
  readonly expiresAt?: number;
  /** When its rotation is due, apart from windows. */
  readonly dueAt?: number;
  /** The rotation is later than is normal. */
  readonly late: boolean;
  /** A token that is armed and waits to be promoted. */
  readonly pending?: { readonly tokenId: string; readonly promotedFrom: number };
  /** Since when it is on hold, or a person's mark stops it. */
  readonly heldSince?: number;
}

/** Consumers are refused, or soon will be, or nobody can know whether they are. */
const UNUSABLE: ReadonlySet<EntryCondition> = new Set([
  'expiring',
  'cut-short',
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

interface Context {
  readonly at: number;
  readonly settleMs: number;
  readonly timeZone: string;
  /** How long until the third run after this one, at most. */
  readonly thirdMs: number;
  /** Secrets whose AWSCURRENT the data plane refused in this run. */
  readonly refused: ReadonlySet<string>;
}

/**
 * How long before its expiry a token alarms: a day, or three runs, so that somebody can act. Shorter for tokens
 * that live so briefly that they are always as near to their expiry, but never than the grace period: consumers
 * who read it now may use it for as long.
 */
const horizon = (entry: TokenPolicy, { thirdMs }: Context): number =>
  Math.max(entry.gracePeriod, Math.min(Math.max(DAY_MS, thirdMs), spareOf(entry) / 2));

/** Whether a token that was replaced at an instant, and worked until then, expires before consumers must have read another one. */
function isCutShort(
  { expiresAt = Number.POSITIVE_INFINITY, permissions }: Token,
  replacedAt: number,
  { gracePeriod }: TokenPolicy,
): boolean {
  return permissions.length > 0 && replacedAt < expiresAt && expiresAt < replacedAt + gracePeriod;
}

/** Whether consumers may still have a token that was cut short. */
const hasCutShort = (entry: TokenPolicy, { tokens }: ObservedSecret, at: number): boolean =>
  tokens.some(
    ({ token, marker: { superseded } }) =>
      superseded !== undefined &&
      at < superseded + entry.gracePeriod &&
      isCutShort(token, superseded, entry),
  );

/** By the state of AWSCURRENT's holder, where no token is known. */
const WITHOUT_TOKEN = {
  none: 'missing',
  gone: 'gone',
  shared: 'shared',
  unknown: 'unknown',
  empty: 'unknown',
  unshown: 'unknown',
} as const;

/** Whether a person took permissions away: it has others than Keyturn gave, and not all that the policy grants. */
function isReduced(
  { permissions }: Token,
  grants: string | undefined,
  entry: TokenPolicy,
): boolean {
  if (permissions.length === 0) return true;
  return grants !== grantsHash(permissions) && !covers(permissions, entry.permissions);
}

function conditionOfToken(
  entry: TokenPolicy,
  token: Token,
  grants: string | undefined,
  context: Context,
): EntryCondition {
  const { expiresAt = Number.POSITIVE_INFINITY } = token;
  if (expiresAt <= context.at) return 'expired';
  if (isReduced(token, grants, entry)) return 'stripped';
  return expiresAt <= context.at + horizon(entry, context) ? 'expiring' : 'works';
}

function conditionOf(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  context: Context,
): EntryCondition {
  if (!seen) return 'missing';
  if (seen.secret.deletedAt !== undefined) return 'deleted';
  if (heldSince(seen) !== undefined) return seen.secret.replica ? 'replica' : 'held';
  const ofCurrent = conditionOfCurrent(entry, seen, context);
  const isLosing = ofCurrent === 'works' && hasCutShort(entry, seen, context.at);
  const condition = isLosing ? 'cut-short' : ofCurrent;
  return seen.secret.replica && condition === 'works' ? 'replica' : condition;
}

/** Nobody here writes a replica, but its consumers are refused like all others. */
function conditionOfCurrent(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: Context,
): EntryCondition {
  const holder = currentHolder(seen);
  if (holder?.state === 'foreign') return conditionOfToken(entry, holder.token, undefined, context);
  if (holder?.state !== 'owned') return WITHOUT_TOKEN[holder?.state ?? 'none'];
  const { owned } = holder;
  const waits = isProven(owned) && !wasArmed(owned) && !isExpired(owned.token, context.at);
  if (waits) return 'unarmed';
  const condition = conditionOfToken(entry, owned.token, owned.marker.grants, context);
  const isLive = condition === 'works' || condition === 'expiring';
  const isRefused = owned.marker.refused !== undefined || context.refused.has(entry.secret);
  return isLive && isRefused ? 'refused' : condition;
}

/** How late is still normal: a tenth of `rotateEvery`, at least an hour and at most a day, or three runs and `settle`; with windows a week more. */
function margin({ rotateEvery, windows }: Lifetimes, { thirdMs, settleMs }: Context): number {
  // One run finds that it is due, and one that comes after the successor has settled promotes it.
  const patience = Math.max(HOUR_MS, Math.min(DAY_MS, rotateEvery / 10), thirdMs + settleMs);
  return windows.length > 0 ? patience + 7 * DAY_MS : patience;
}

function heldSince(seen: ObservedSecret): number | undefined {
  const holder = currentHolder(seen);
  const frozen = holder?.state === 'owned' ? holder.owned.marker.frozen : undefined;
  if (!holdOf(seen.secret)) return frozen;
  const told = seen.tokens.flatMap(({ marker }) => marker.frozen ?? []);
  return Math.min(holdSince(seen.secret), ...told);
}

/** What an entry's state says of the token under AWSCURRENT. */
type OfToken = Pick<EntryState, 'tokenId' | 'expiresAt' | 'dueAt'>;

/** The token under AWSCURRENT, and when `rotateEvery` counts from, as far as they are known. */
interface CurrentToken {
  readonly token?: Pick<Token, 'id' | 'expiresAt'> | undefined;
  readonly since: number | undefined;
}

/** It is due by its age, or before its expiry if that is sooner. */
function stateOfToken(
  entry: TokenPolicy,
  { token, since }: CurrentToken,
  context: Context,
): OfToken {
  const { id: tokenId, expiresAt } = token ?? {};
  const byExpiry = expiresAt === undefined ? [] : [expiresAt - renewalLead(entry, context)];
  const due = [...(since === undefined ? [] : [dueAt(entry, since)]), ...byExpiry];
  return {
    ...(tokenId !== undefined && { tokenId }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(due.length > 0 && { dueAt: Math.min(...due) }),
  };
}

/** A token that waits, armed. */
interface Waiting {
  readonly tokenId: string;
  readonly at: number;
  /** Somebody asked for its rotation. */
  readonly forced: boolean;
}

/** What waiting may do to the token that consumers have. */
interface Current {
  readonly condition: EntryCondition;
  readonly expiresAt?: number | undefined;
}

/** Consumers have nothing that works, so the next run promotes what is armed. */
const CANNOT_WAIT: readonly EntryCondition[] = ['missing', 'gone', 'expired'];

/** From when on a run promotes what is armed, as `decideRotation` decides it. */
function pendingSince(
  entry: TokenPolicy,
  { tokenId, at, forced }: Waiting,
  { condition, expiresAt = Number.POSITIVE_INFINITY }: Current,
  context: Context,
): NonNullable<EntryState['pending']> {
  const { at: now, settleMs, timeZone } = context;
  if (forced || CANNOT_WAIT.includes(condition)) return { tokenId, promotedFrom: at };
  const from = Math.max(at + settleMs, now);
  // Near its expiry no window is waited for.
  const nearExpiry = Math.max(from, expiresAt - renewalLead(entry, context));
  return { tokenId, promotedFrom: Math.min(nextWithin(entry.windows, timeZone, from), nearExpiry) };
}

/** What waits to be promoted, if nothing stops it. */
function waitingIn(seen: ObservedSecret): Waiting | undefined {
  const pending = ownedPending(seen);
  const holder = currentHolder(seen);
  const isStopped = forbidden(seen) || (holder?.state === 'owned' && heldByPerson(holder.owned));
  if (!pending || isStopped) return undefined;
  const { marker, token } = pending;
  if (marker.armed === undefined || marker.frozen !== undefined || token.permissions.length === 0)
    return undefined;
  return { tokenId: token.id, at: marker.armed, forced: marker.forced === true };
}

/**
 * When the first successor of AWSCURRENT's token was armed that is known: one in place of another that was armed in vain
 * begins nothing anew. The one under AWSPREVIOUS was promoted, and a person rolled back from it.
 */
function begunAt(seen: ObservedSecret, { at }: Waiting): number {
  const since = sinceOf(seen) ?? at;
  const others = [ownedCurrent(seen), ownedPrevious(seen)];
  const begun = seen.tokens.flatMap((owned) => {
    const { armed = 0 } = owned.marker;
    return armed <= since || others.some((each) => isSame(each, owned)) ? [] : [armed];
  });
  return Math.min(at, ...begun);
}

function stateOfEntry(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  armed: Waiting | undefined,
  context: Context,
): EntryState {
  const about = { token: entry.name, secret: entry.secret };
  const condition = conditionOf(entry, seen, context);
  const waiting = armed ?? (seen && waitingIn(seen));
  const expiresAt = seen && ageOf(currentHolder(seen))?.token.expiresAt;
  const pending = waiting && pendingSince(entry, waiting, { condition, expiresAt }, context);
  if (!seen) return { ...about, condition, late: false, ...(pending && { pending }) };
  const token = ageOf(currentHolder(seen))?.token;
  const since = sinceOf(seen);
  const stopped = condition === 'held' ? heldSince(seen) : undefined;
  const isStopped = ['held', 'deleted'].includes(condition);
  // A policy that is shortened makes it due at once, and what was begun since is not late yet.
  const due = Math.max(
    (since ?? context.at) + entry.rotateEvery,
    waiting ? begunAt(seen, waiting) : 0,
  );
  const late = context.at >= due + margin(entry, context);
  return {
    ...about,
    condition,
    ...stateOfToken(entry, { token, since }, context),
    late: late && !isStopped,
    ...(pending && { pending }),
    ...(stopped !== undefined && { heldSince: stopped }),
  };
}

/** What a run has changed, by the name of the secret. */
export interface EntryChanges {
  /** AWSCURRENT got a token that works. */
  readonly mended: ReadonlyMap<string, CurrentToken>;
  /** A token is armed since, and waits to be promoted. */
  readonly armed: ReadonlyMap<string, Waiting>;
  /** Secrets that are to be adopted, and how it is with their consumers as far as the run learnt that. */
  readonly unadopted: ReadonlyMap<string, Unadopted>;
  /** Since when secrets that are to be adopted are on hold. */
  readonly held: ReadonlyMap<string, number>;
}

/** How it is with the consumers of what is not adopted yet. A failed adoption alarms by itself. */
export type Unadopted = Extract<EntryCondition, 'unadopted' | 'refused' | 'missing'>;

/** Where nothing but the adoption shows how it is with the consumers. */
const isTold = (condition: EntryCondition) => condition === 'missing' || condition === 'unknown';

/** An entry whose secret is not ours yet. A hold took nothing from its token, which expires all the same. */
function stateToAdopt(
  entry: TokenPolicy,
  condition: Unadopted,
  { foreign, held }: Pick<Observation, 'foreign'> & Pick<EntryChanges, 'held'>,
  context: Context,
): EntryState {
  const since = held.get(entry.secret);
  const token = foreign.get(entry.adopt?.tokenId.toLowerCase() ?? '');
  const ofToken = token && conditionOfToken(entry, token, undefined, context);
  const isEnding = ofToken === 'expired' || ofToken === 'expiring';
  const waits = since === undefined ? condition : 'held';
  return {
    token: entry.name,
    secret: entry.secret,
    condition: isEnding && condition === 'unadopted' ? ofToken : waits,
    late: false,
    ...(since !== undefined && { heldSince: since }),
  };
}

/** The state of every entry, after a run has applied its plan; in a dry run, before. Pure. */
export function entryStates(
  policy: Policy,
  { secrets, foreign, at }: Pick<Observation, 'secrets' | 'foreign' | 'at'>,
  { mended, armed, unadopted, held }: EntryChanges,
  { thirdMs, refused }: Pick<Context, 'thirdMs' | 'refused'>,
): readonly EntryState[] {
  const context = { at, settleMs: policy.settle, timeZone: policy.timeZone, thirdMs, refused };
  return policy.tokens.map((entry) => {
    const { name: token, secret } = entry;
    const current = mended.get(secret);
    const seen = secrets.get(secret);
    if (current) {
      const former = seen && ageOf(currentHolder(seen))?.token;
      const isReplaced = former !== undefined && former.id !== current.token?.id;
      const condition = isReplaced && isCutShort(former, at, entry) ? 'cut-short' : 'works';
      return { token, secret, condition, late: false, ...stateOfToken(entry, current, context) };
    }
    const adopted = unadopted.get(secret);
    if (!seen && adopted) return stateToAdopt(entry, adopted, { foreign, held }, context);
    const state = stateOfEntry(entry, seen, armed.get(secret), context);
    return adopted && isTold(state.condition) ? { ...state, condition: adopted } : state;
  });
}

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

/** What a run may mend at once, and consumers were refused until then. */
const FOUND_REFUSED: ReadonlySet<EntryCondition> = new Set(['gone', 'expired']);

/**
 * What a run measures of all tokens. `states` and `before`, how the run found them, must be of the whole
 * policy. A run that mends what it finds must not hide that consumers were refused until then.
 */
export function measureTokens(
  policy: Policy,
  observation: Observation,
  states: readonly EntryState[],
  before: readonly EntryState[] = states,
): Measures {
  const refused = new Set(
    before.flatMap(({ secret, condition }) => (FOUND_REFUSED.has(condition) ? [secret] : [])),
  );
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
  const isLongHeld = ({ heldSince: since }: EntryState) =>
    since !== undefined && observation.at - since > LONG_HELD_MS;
  return {
    ownedTokens: countOwned(observation),
    overdueTokens: count(({ late }) => late),
    unusableTokens: count(
      ({ secret, condition }) => UNUSABLE.has(condition) || refused.has(secret),
    ),
    deletedSecrets: count(({ condition }) => condition === 'deleted'),
    longHolds: count(isLongHeld),
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
