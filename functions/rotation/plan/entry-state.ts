import type { Token } from '../../management-api/token.ts';
import type { Lifetimes, Policy, TokenPolicy } from '../../policy/policy.ts';
import { nextWithin } from '../../policy/window.ts';
import { DAY_MS, HOUR_MS } from '../../time.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  isSame,
  ownedCurrent,
  ownedPending,
  ownedPrevious,
  tokenUnder,
  wasCurrent,
} from '../../tokens/state.ts';
import {
  decidePending,
  isTooEarly,
  promotedFrom,
  type Waiting,
  waitingAs,
} from './decide-pending.ts';
import { forbidden, heldByPerson, permissionsOf } from './decide-rotation.ts';
import {
  type Context,
  conditionOf,
  conditionOfToken,
  contextOf,
  type EntryCondition,
  heldSince,
  isCutShort,
  isExpiring,
  lacksDatabase,
} from './entry-condition.ts';
import { ageOf, dueAt, reasonToReplace, renewalLead, sinceOf } from './reason-to-replace.ts';
import type { Case } from './rotation-case.ts';

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
  readonly pending?: {
    readonly tokenId: string;
    readonly promotedFrom: number;
    /** Since when the data plane refuses it, after `settle`: it waits until it is accepted. */
    readonly refusedSince?: number;
  };
  /** Since when it is on hold. */
  readonly heldSince?: number;
}

/**
 * Whether what was due then is later than is normal: by a tenth of `rotateEvery`, at least an hour and at most a day, or by three
 * runs and `settle`; with windows a week more, or until the first one that a clock put forward has not skipped.
 */
function isLate(due: number, { rotateEvery, windows }: Lifetimes, context: Context): boolean {
  const { at, thirdMs, settleMs, timeZone } = context;
  // One run finds that it is due, and one that comes after the successor has settled promotes it.
  const promoted = thirdMs + settleMs;
  const since = at - Math.max(HOUR_MS, Math.min(DAY_MS, rotateEvery / 10), promoted);
  if (windows.length === 0) return since >= due;
  return since >= due + 7 * DAY_MS && since >= nextWithin(windows, timeZone, due + promoted);
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

/** What is decided of an entry, as the next run finds it if nothing changes. */
function caseOf(
  entry: TokenPolicy,
  seen: ObservedSecret,
  context: Context,
  refused = context.refused.has(entry.secret),
): Case {
  const permissions = permissionsOf(entry, seen, context.isKnown);
  const around = { ...context, now: context.at, forced: false, refused };
  const reason = reasonToReplace(entry, permissions, seen, around);
  return { entry, seen, permissions, reason, context: around };
}

/** The armed token that waits to be promoted, if nothing stops it. */
function waitingIn(seen: ObservedSecret): OwnedToken | undefined {
  const pending = ownedPending(seen);
  const current = ownedCurrent(seen);
  if (!pending || forbidden(seen) || (current && heldByPerson(current))) return undefined;
  const { marker, token } = pending;
  const isStopped = marker.frozen !== undefined || token.permissions.length === 0;
  return marker.armed === undefined || isStopped ? undefined : pending;
}

/** What waits, unless the next run takes AWSPENDING off it, or mints another one in its place. */
function pendingOf(about: Case, armed?: Waiting): Pick<EntryState, 'pending'> {
  const owned = armed ? undefined : waitingIn(about.seen);
  const decided = owned && decidePending(about);
  const isLeft = decided === 'waits' || decided?.kind === 'resume' || decided?.kind === 'arm';
  const waiting = owned && isLeft ? waitingAs(owned, about) : armed;
  if (!waiting) return {};
  const refusedSince = owned?.marker.refused;
  return {
    pending: {
      tokenId: waiting.tokenId,
      promotedFrom: promotedFrom(waiting, about),
      ...(refusedSince !== undefined && { refusedSince }),
    },
  };
}

/**
 * When the first successor of AWSCURRENT's token was armed that is known: one in place of another that was armed in vain
 * begins nothing anew, also if that has expired and is deleted, as long as the cluster shows it. What consumers have had was not armed
 * in vain: a person went back from it. AWSPREVIOUS tells that too, where the run that promoted it died.
 */
function begunAt(seen: ObservedSecret, { at }: Context): number {
  const since = sinceOf(seen) ?? at;
  const others = [ownedCurrent(seen), ownedPrevious(seen)];
  // One that was given up, or deleted by a person, waited for nothing.
  const ended = (seen.revoked ?? []).filter(
    ({ token: { expiresAt = Number.POSITIVE_INFINITY, revokedAt = 0 } }) => revokedAt >= expiresAt,
  );
  const begun = [...seen.tokens, ...ended].flatMap((owned) => {
    const { armed = 0 } = owned.marker;
    const wasHad = wasCurrent(owned) || others.some((each) => isSame(each, owned));
    return armed <= since || wasHad ? [] : [armed];
  });
  return Math.min(...begun);
}

/** When the rotation was begun that is under way; now, if this run is too early for the windows; 0, if neither is so. */
function begunOrBegins(about: Case, armedAt: number | undefined, context: Context): number {
  const begun = begunAt(about.seen, context);
  if (armedAt !== undefined) return Math.min(armedAt, begun);
  return Number.isFinite(begun) || !isTooEarly({ ...about, reason: 'Due' }) ? 0 : context.at;
}

function stateOfEntry(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  armed: Waiting | undefined,
  context: Context,
): EntryState {
  const condition = conditionOf(entry, seen, context);
  const state = { token: entry.name, secret: entry.secret, condition, late: false };
  if (!seen) {
    return {
      ...state,
      ...(armed && { pending: { tokenId: armed.tokenId, promotedFrom: armed.at } }),
    };
  }
  const about = caseOf(entry, seen, context);
  const token = ageOf(currentHolder(seen))?.token;
  const since = sinceOf(seen);
  const stopped = condition === 'held' ? heldSince(seen) : undefined;
  const isStopped = ['held', 'deleted'].includes(condition);
  const armedAt = armed?.at ?? waitingIn(seen)?.marker.armed;
  // A policy that is shortened makes it due at once, and what was begun since is not late yet.
  const due = Math.max(
    (since ?? context.at) + entry.rotateEvery,
    begunOrBegins(about, armedAt, context),
  );
  return {
    ...state,
    ...stateOfToken(entry, { token, since }, context),
    late: !isStopped && isLate(due, entry, context),
    ...pendingOf(about, armed),
    ...(stopped !== undefined && { heldSince: stopped }),
  };
}

/** What a run has changed, by the name of the secret. */
export interface EntryChanges {
  /** AWSCURRENT got a token that works. */
  readonly mended: ReadonlyMap<string, CurrentToken>;
  /** AWSCURRENT has a token with its permissions since, and it was not seen accepted. */
  readonly unseen: ReadonlySet<string>;
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

const learntBy = (adopted: Unadopted | undefined, { condition }: EntryState): EntryCondition =>
  adopted && isTold(condition) ? adopted : condition;

/** Whether it was replaced, or taken by an order: consumers have another one, or its hold tells of it. */
function isRetiring({ description }: Token): boolean {
  const { superseded, quarantined, frozen } = parseMarker(description)?.marker ?? {};
  return [superseded, quarantined, frozen].some((each) => each !== undefined);
}

/** What the token that is to be adopted shows of its consumers. */
const UNADOPTED_ENDINGS = ['expired', 'expiring', 'stripped'] as const;

/** An entry whose secret is not ours yet. A hold took nothing from its token, which expires all the same. */
function stateToAdopt(
  entry: TokenPolicy,
  condition: Unadopted,
  { foreign, held }: Pick<Observation, 'foreign'> & Pick<EntryChanges, 'held'>,
  context: Context,
): EntryState {
  const since = held.get(entry.secret);
  const token = foreign.get(entry.adopt?.tokenId.toLowerCase() ?? '');
  // What the policy grants it may never have had.
  const wanted = { ...entry, permissions: [] };
  const ofToken = token && conditionOfToken(wanted, token, undefined, context);
  const isRetired = token !== undefined && isRetiring(token);
  const ending = UNADOPTED_ENDINGS.find((each) => each === ofToken && !isRetired);
  const waits = since === undefined ? condition : 'held';
  return {
    token: entry.name,
    secret: entry.secret,
    condition: ending && condition === 'unadopted' ? ending : waits,
    late: false,
    ...(since !== undefined && { heldSince: since }),
  };
}

/** AWSCURRENT has a token that works since: what it replaced consumers may still have, and it has what that had. */
function conditionOfMended(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  { token }: CurrentToken,
  context: Context,
): EntryCondition {
  const former = seen && ageOf(currentHolder(seen))?.token;
  const isReplaced = former !== undefined && former.id !== token?.id;
  if (isReplaced && isCutShort(former, context.at, entry)) return 'cut-short';
  if (token && isExpiring(entry, token, context)) return 'expiring';
  const has = seen && permissionsOf(entry, seen, context.isKnown);
  return lacksDatabase(entry, has, context) ? 'no-database' : 'works';
}

/** The secret, as its AWSCURRENT was proven since it was seen. */
function asProven(seen: ObservedSecret, proven: number): ObservedSecret {
  const owned = ownedCurrent(seen);
  if (!owned) return seen;
  const holder = {
    state: 'owned',
    owned: { ...owned, marker: { ...owned.marker, proven } },
  } as const;
  const holders = new Map(seen.holders).set(seen.secret.labels.AWSCURRENT ?? '', holder);
  return { ...seen, holders };
}

/** The state of every entry, after a run has applied its plan; in a dry run, before. Pure. */
export function entryStates(
  policy: Policy,
  observation: Pick<Observation, 'secrets' | 'foreign' | 'databases' | 'at'>,
  { mended, unseen, armed, unadopted, held }: EntryChanges,
  learnt: Parameters<typeof contextOf>[2],
): readonly EntryState[] {
  const { secrets, foreign } = observation;
  const context = contextOf(policy, observation, learnt);
  return policy.tokens.map((entry) => {
    const { name: token, secret } = entry;
    const current = mended.get(secret);
    const seen = secrets.get(secret);
    if (current) {
      const condition = conditionOfMended(entry, seen, current, context);
      const state = { token, secret, condition, late: false };
      // Who proved what consumers have promoted nothing, and what waits need wait for no proof any more.
      const isKept = seen !== undefined && tokenUnder(seen, 'AWSCURRENT')?.id === current.token?.id;
      const left = isKept && caseOf(entry, asProven(seen, context.at), context, false);
      return { ...state, ...stateOfToken(entry, current, context), ...(left && pendingOf(left)) };
    }
    const adopted = unadopted.get(secret);
    if (!seen && adopted) return stateToAdopt(entry, adopted, { foreign, held }, context);
    const state = stateOfEntry(entry, seen, armed.get(secret), context);
    const learnt = unseen.has(secret) ? 'refused' : learntBy(adopted, state);
    return { ...state, condition: learnt };
  });
}
