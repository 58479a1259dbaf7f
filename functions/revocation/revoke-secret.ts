import { entryOf } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { tracesOf } from '../secrets-manager/hold.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import { type ObservedSecret, type ObservedToken, secretNamedIn } from '../tokens/observation.ts';
import { works } from '../tokens/state.ts';
import { type ArmingTools, type UnderHold, underHold } from '../tokens/under-hold.ts';
import { alreadyDone } from './already-done.ts';
import type { Controls } from './control.ts';
import { deleteToken, giveBack, strip, type TokenResult } from './end-token.ts';
import { observeOne, type RevocationObservation, type SeenAlone } from './observe.ts';
import {
  decideRevocation,
  findSuccessor,
  foreignHolders,
  freezeLeftIn,
  notReachedBecause,
  otherHoldIn,
  shortfallOf,
} from './plan/decide-revocation.ts';
import { ENDING_WAYS, needsNoAws, type Order, UNDOING_WAYS } from './plan/order.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { OrderObservation } from './plan/select-tokens.ts';
import { CUT_LISTING } from './plan/warnings.ts';
import { replaceCurrent } from './replace-current.ts';
import { releaseHold, setHold } from './set-hold.ts';
import { type Failure, failedResult } from './tell-failures.ts';
import { mayWork, type UnknownString, underLabels, withoutLabel } from './unknown-strings.ts';
import { verifyAccepted } from './verify-accepted.ts';
import { type Proving, verifyRefused } from './verify-refused.ts';

/** In each round the secret is read and its actions are carried out, until there are none. */
const MOST_ROUNDS = 8;
/** All later actions depend on these, so the secret is read again after them. */
const READ_AGAIN_AFTER: readonly RevocationAction['kind'][] = ['hold', 'release', 'replace'];

/** What comes behind these is not done without them: no token is ended before there is a successor, and none is given back under a hold. */
const isGate = ({ kind }: RevocationAction, { way }: Order) =>
  kind === 'replace' || kind === 'release' || (way === 'lift' && kind === 'delete');

export interface Revocation {
  readonly order: Order;
  readonly noUndo: boolean;
  /** For people; shown in events and log lines, and by a hold. */
  readonly reason: string;
  /** Who gave the order, as they say. */
  readonly by?: string | undefined;
  readonly startedAt: number;
  readonly controls: Controls;
  /** Names of all secrets that the order means. */
  readonly secrets: readonly string[];
  /** What both systems said when the order was planned. */
  readonly around: RevocationObservation & Pick<OrderObservation, 'endedIn'>;
}

/** What happened to the tokens of one secret. */
export interface SecretResult {
  readonly results: readonly TokenResult[];
  readonly failures: readonly Failure[];
  /** What is not confirmed beside the tokens, in sentences. */
  readonly unconfirmed: readonly string[];
  /** The secret, or the token that was meant alone, if a string of it was not ended and may work. */
  readonly alive: readonly string[];
  /** Nothing was left to do when the secret was read last. */
  readonly settled: boolean;
}

/** The state of one secret's revocation while it runs. */
interface Progress {
  readonly name: string;
  readonly revocation: Revocation;
  /** With the successor, as soon as there is one. */
  order: Order;
  readonly results: Map<string, TokenResult>;
  /** By the action that failed, which is not tried again. */
  readonly failures: Map<string, Failure>;
  /** By the action that did a part of what it should, what is lacking. */
  readonly partial: Map<string, string>;
  /** Ids of the tokens that were seen in this secret. */
  readonly known: Set<string>;
  /** Ids of tokens without our marker that a label named, or a person. */
  readonly foreign: Set<string>;
  /** Labelled versions whose string is no token's of this secret, by version. */
  readonly unknown: Map<string, UnknownString>;
  /** What could not be looked at in it, in sentences. */
  readonly unseen: Set<string>;
  /** Why Secrets Manager did not say what the secret is like. Undefined: it did. */
  unread?: string | undefined;
  /** What was left to do when the secret was looked at last. */
  left: { readonly seen: ObservedSecret; readonly actions: readonly RevocationAction[] };
  /** Actions that were carried out; those are not seen where the secret cannot be read. */
  readonly done: Set<string>;
  /** Why the secret is not reached, or what the order cannot do in it. */
  reason?: string | undefined;
  /** The hold that the plan showed was released. */
  released: boolean;
  /** A listing lacked a token of this secret that it ought to show. */
  cut: boolean;
  settled: boolean;
}

const keyOf = (action: RevocationAction) => JSON.stringify(action);

const isOfToken = (action: RevocationAction) =>
  action.kind === 'strip' || action.kind === 'delete' || action.kind === 'give-back';

function tokenOf(tokenId: string, seen: ObservedSecret): ObservedToken {
  const owned = seen.tokens.find(({ token }) => token.id === tokenId);
  if (owned) return { token: owned.token, owned };
  for (const holder of seen.holders.values()) {
    if (holder.state === 'foreign' && holder.token.id === tokenId) return { token: holder.token };
  }
  throw new Error(`token ${tokenId} was not observed`);
}

/** The versions of a token without our marker are those that were seen to have its string. */
function located(result: TokenResult, { secret, holders }: ObservedSecret): TokenResult {
  if (result.versions) return result;
  const versions = [...holders].flatMap(([version, holder]) =>
    holder.state === 'foreign' && holder.token.id === result.tokenId ? [version] : [],
  );
  return { ...result, secret: secret.name, versions };
}

async function replace(
  progress: Progress,
  seen: ObservedSecret,
  tools: ArmingTools,
): Promise<void> {
  const { name, order, results } = progress;
  const entry = entryOf(tools.policy, name);
  if (!entry) {
    throw new Error(
      `no entry of the policy says what a successor of ${name} may do; freeze or delete it`,
    );
  }
  const { successor, unverified } = await replaceCurrent(entry, seen, order, tools);
  const { id, createdAt } = successor.token;
  progress.order = { ...order, successor: { id, createdAt } };
  progress.known.add(id);
  if (unverified === undefined) return;
  const about = { tokenId: id, secret: name, had: [], unconfirmed: unverified };
  results.set(id, { ...about, result: 'successor' });
}

async function carryOut(
  action: RevocationAction,
  seen: ObservedSecret,
  progress: Progress,
  tools: ArmingTools,
): Promise<TokenResult | undefined> {
  const { name, revocation, partial } = progress;
  const { secrets } = tools;
  switch (action.kind) {
    case 'hold': {
      const lacking = await setHold(seen.secret, action.hold, revocation, tools);
      if (lacking !== undefined) partial.set(keyOf(action), lacking);
      return undefined;
    }
    case 'release': {
      const { order } = progress;
      const left = await releaseHold(seen.secret, order.hold ?? { labels: [] }, tools);
      progress.released = left !== order.hold;
      progress.order = { ...order, hold: left };
      return undefined;
    }
    case 'detach-label':
      await secrets.moveLabel(name, action.label, { from: action.version });
      return undefined;
    case 'replace':
      await replace(progress, seen, tools);
      return undefined;
    case 'strip':
      return located(await strip(tokenOf(action.tokenId, seen), revocation.noUndo, tools), seen);
    case 'delete':
      return located(await deleteToken(tokenOf(action.tokenId, seen), tools), seen);
    case 'give-back': {
      const { owned } = tokenOf(action.tokenId, seen);
      return owned && giveBack(owned, 'freeze', tools);
    }
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

function noteAlreadyDone(seen: SeenAlone, progress: Progress, tools: Tools): void {
  const { order, results, unknown, known, foreign } = progress;
  const entry = entryOf(tools.policy, seen.secret.name);
  for (const { token } of seen.tokens) known.add(token.id);
  for (const { id } of foreignHolders(seen)) foreign.add(id);
  if (ENDING_WAYS.includes(order.way)) {
    for (const each of underLabels(seen)) unknown.set(each.version, each);
  }
  for (const done of alreadyDone(seen, { order, entry, now: tools.apiNow() })) {
    const isKnown = [...results.values()].some(
      ({ tokenId, versions = [] }) =>
        tokenId === done.tokenId || versions.some((each) => done.versions?.includes(each)),
    );
    if (!isKnown) results.set(done.tokenId, located(done, seen));
  }
}

/** Carries out actions until the first one after which the secret must be read again. */
async function takeSteps(
  actions: readonly RevocationAction[],
  seen: ObservedSecret,
  progress: Progress,
  tools: ArmingTools,
): Promise<void> {
  const { results, failures, order, revocation } = progress;
  for (const action of actions) {
    const about = { ...action, way: order.way, reason: revocation.reason };
    try {
      const result = await carryOut(action, seen, progress, tools);
      if (result) results.set(result.tokenId, result);
      progress.done.add(keyOf(action));
      tools.log.warn('revoking', about);
      if (READ_AGAIN_AFTER.includes(action.kind)) return;
    } catch (error) {
      const tokenId = isOfToken(action) ? action.tokenId : undefined;
      failures.set(keyOf(action), { what: action.kind, where: progress.name, tokenId, error });
      tools.log.error('failed', { ...about, error });
      if (isGate(action, order)) return;
    }
  }
}

/** Remembers the successor: once everything older is dead, nothing else tells that the order had one. */
function noteSuccessor(seen: ObservedSecret, progress: Progress, tools: Tools): void {
  const { order } = progress;
  if (order.way !== 'replace' || order.successor) return;
  const found = findSuccessor(seen, order, tools.apiNow())?.token;
  if (found) progress.order = { ...order, successor: { id: found.id, createdAt: found.createdAt } };
}

/** Ids that a listing ought to show; what was deleted here is not asked for. */
const expectedIds = ({ known, results }: Progress) =>
  [...known].filter((id) => !['deleted', 'gone'].includes(results.get(id)?.result ?? ''));

/**
 * The secret as it is now. To end tokens needs the cluster alone: where Secrets Manager refuses to describe the
 * secret, it counts as it was when the order was planned.
 */
async function look(progress: Progress, tools: ArmingTools): Promise<SeenAlone | undefined> {
  const { name, order, revocation, foreign } = progress;
  const [described] = await Promise.allSettled([tools.secrets.describe(name)]);
  let secret = described.status === 'fulfilled' ? described.value : undefined;
  if (described.status === 'rejected') {
    secret = revocation.around.secrets.get(name)?.secret;
    if (!secret || !needsNoAws(order)) throw described.reason;
    progress.unread = `could not be read again (${messageOf(described.reason)}): it counted as it was in the listing, so a rotation meanwhile, or a hold that is lacking, would not be seen`;
  }
  const secrets = { ...tools.secrets, describe: async () => secret };
  const note = needsNoAws(order) ? (said: string) => progress.unseen.add(said) : undefined;
  const known = { foreign, ids: expectedIds(progress), note };
  const secretNamed = secretNamedIn(revocation.around);
  return observeOne(name, { ...tools, secrets }, { ...known, secretNamed });
}

/** The same, and what it shows to have been done is noted. */
async function lookAndNote(progress: Progress, tools: ArmingTools): Promise<SeenAlone> {
  const seen = await look(progress, tools);
  if (!seen) throw new Error(`no secret has the name ${progress.name}`);
  refuseForeignSecret(seen.secret, tools.policy);
  if (seen.unlisted.length > 0) progress.cut = true;
  noteSuccessor(seen, progress, tools);
  noteAlreadyDone(seen, progress, tools);
  return seen;
}

/** Why nothing more is done in a secret, whatever is planned. Undefined: nothing stands in the way. */
function endOf(
  seen: ObservedSecret,
  { order, released }: Progress,
): Pick<Progress, 'reason' | 'settled'> | undefined {
  const other = otherHoldIn(seen, order);
  const left = released && !other ? freezeLeftIn(seen) : undefined;
  if (left !== undefined) return { reason: left, settled: true };
  const reason = other ?? notReachedBecause(seen, order);
  return reason === undefined ? undefined : { reason, settled: false };
}

/** What is left to do, of what can be done at all and would be seen to be done. */
const actionsLeft = (
  seen: ObservedSecret,
  { order, partial, unread, done }: Progress,
  { apiNow }: Tools,
): readonly RevocationAction[] =>
  decideRevocation(seen, order, apiNow()).filter((action) => {
    const key = keyOf(action);
    return !partial.has(key) && !(unread !== undefined && done.has(key));
  });

/** Reads the secret and carries out its actions, round after round. True: nothing is left to do. */
async function settle(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { failures } = progress;
  for (let round = 0; round <= MOST_ROUNDS; round += 1) {
    const seen = await lookAndNote(progress, tools);
    const end = endOf(seen, progress);
    progress.reason = end?.reason ?? shortfallOf(seen, progress.order);
    progress.left = { seen, actions: [] };
    if (end) return end.settled;
    const actions = actionsLeft(seen, progress, tools);
    progress.left = { seen, actions };
    if (actions.length === 0) {
      failures.clear(); // another run has done what failed here
      return true;
    }
    if (round === MOST_ROUNDS) return false;
    const untried = actions.filter((action) => !failures.has(keyOf(action)));
    const waits = actions.some(
      (action) => isGate(action, progress.order) && failures.has(keyOf(action)),
    );
    if (untried.length === 0 || (waits && !progress.order.immediately)) return false;
    await takeSteps(untried, seen, progress, tools);
  }
  return false;
}

/** The successor is the first string to compare a refused one with. */
const provingOf = ({ name, order, revocation }: Progress): Proving => ({
  startedAt: revocation.startedAt,
  controls: revocation.controls,
  own: order.way === 'replace' ? name : undefined,
});

/** What was done again since a result was verified is a result of its own. */
async function verifyEnded(
  progress: Progress,
  verified: Set<TokenResult>,
  tools: Tools,
): Promise<void> {
  const { results } = progress;
  const fresh = [...results.values()].filter((result) => !verified.has(result));
  await Promise.all(
    fresh.map(async (result) => {
      const refused = await verifyRefused(result, provingOf(progress), tools);
      const seen = await verifyAccepted(refused, tools);
      verified.add(seen);
      results.set(result.tokenId, seen);
    }),
  );
}

/** What is still to be done after the last pass was not done, whatever a call answered; others wait for what failed. */
function noteLeft({ name, left: { actions }, failures, done }: Progress): void {
  for (const action of actions) {
    const key = keyOf(action);
    if (failures.has(key) || !done.has(key)) continue;
    const error = new Error('it was answered as done, and is not done');
    const tokenId = 'tokenId' in action ? action.tokenId : undefined;
    failures.set(key, { what: action.kind, where: name, tokenId, error });
  }
  if (actions.length === 0 || failures.size > 0) return;
  const error = new Error(`it was different at each of ${MOST_ROUNDS} looks`);
  failures.set('observe', { what: 'observe', where: name, error });
}

/** Carries out the order and verifies it, twice. An error becomes a failure of the result; it is never thrown. */
async function carryOutOrder(progress: Progress, tools: ArmingTools): Promise<void> {
  const verified = new Set<TokenResult>();
  try {
    for (let pass = 0; pass < 2; pass += 1) {
      progress.settled = await settle(progress, tools);
      await verifyEnded(progress, verified, tools);
    }
    noteLeft(progress);
  } catch (error) {
    progress.settled = false;
    progress.failures.set('observe', { what: 'observe', where: progress.name, error });
    const about = { secret: progress.name, way: progress.revocation.order.way };
    tools.log.error('failed', { ...about, error });
    await verifyEnded(progress, verified, tools); // what was ended before
  }
}

/** Adds the successor's id to every token that it replaces. */
function withSuccessor(results: readonly TokenResult[]): TokenResult[] {
  const successor = results.find(({ result }) => result === 'successor');
  return results.map((each) =>
    successor && (each.result === 'deleted' || each.result === 'gone')
      ? { ...each, replacedBy: successor.tokenId }
      : each,
  );
}

/** Why nothing was tried that comes behind these. */
const BEHIND: Readonly<Record<string, string>> = {
  replace: 'no successor was promoted',
  release: 'the hold was not released',
  delete: 'not all was deleted before',
};

/** What was left to do for tokens when the secret was looked at last, and why it is not done. */
function leftOf({ left: { seen, actions }, failures, done, settled }: Progress, now: number) {
  const isLeft = (action: RevocationAction) =>
    failures.has(keyOf(action)) || !done.has(keyOf(action));
  const observing = failures.get('observe')?.error;
  const before = [...failures.values()].flatMap(({ what }) => BEHIND[what] ?? [])[0];
  return (settled ? [] : actions.filter(isOfToken).filter(isLeft)).map((action) => {
    const why = failures.get(keyOf(action))?.error ?? observing ?? before;
    const isGiving = action.kind === 'give-back';
    const observed = tokenOf(action.tokenId, seen);
    const result = located(failedResult(observed, isGiving, why, now), seen);
    return { result, isAlive: !isGiving && works(observed.token, now) };
  });
}

type LastLook = Pick<UnderHold<unknown>, 'holdError' | 'obeyed'>;

/**
 * What the last look at the hold means for a token that got permissions: unconfirmed, if the hold could not be
 * read or obeyed; otherwise it has none again.
 */
export function afterLastLook(result: TokenResult, { holdError, obeyed }: LastLook): TokenResult {
  const isGivenBack = result.result === 'given-back';
  if (!isGivenBack && result.result !== 'successor') return result;
  if (obeyed !== undefined) {
    const unconfirmed = `its permissions were taken away again, because ${result.secret} is ${obeyed}`;
    return { ...result, ...(isGivenBack && { result: 'left' }), unconfirmed };
  }
  if (!holdError || result.unconfirmed !== undefined) return result;
  return { ...result, unconfirmed: holdError.message };
}

/** The same as a sentence, if no token has it. */
export const unsaid = (results: readonly TokenResult[], { holdError }: LastLook): string[] =>
  holdError && !results.some(({ unconfirmed }) => unconfirmed === holdError.message)
    ? [holdError.message]
    : [];

/** Strings in the secret that the order does not end, and that may work; in sentences. */
async function othersMayWork(progress: Progress, tools: Tools): Promise<string[]> {
  const { name, order, revocation, unknown, foreign } = progress;
  if (!ENDING_WAYS.includes(order.way)) return [];
  const secretNamed = secretNamedIn(revocation.around);
  const look = (versions: readonly string[]) =>
    observeOne(name, tools, { foreign, ids: expectedIds(progress), secretNamed, versions });
  const asked = await withoutLabel(name, look, tools).catch(messageOf);
  const [others, problem] = typeof asked === 'string' ? [[], asked] : [asked, undefined];
  const strings = new Map([...unknown, ...others.map((each) => [each.version, each] as const)]);
  const ours = [...revocation.around.secrets.values()].flatMap(({ tokens }) => tokens);
  const around = {
    ownerOf: (fingerprint: string) => ours.find(({ marker }) => marker.fp === fingerprint),
    isEnded: (secret: string) => revocation.secrets.includes(secret),
  };
  const about = { proving: provingOf(progress), tools };
  const found = await mayWork(name, [...strings.values()], around, about);
  if (problem === undefined) return found;
  return [
    ...found,
    `${name}: its versions without a label could not be looked at (${problem}); a string that a person put there may still work`,
  ];
}

/** What is not confirmed of a secret beside its tokens, in sentences. */
async function unconfirmedOf(progress: Progress, tools: Tools): Promise<string[]> {
  const { name, reason, unread, unseen, partial, cut } = progress;
  return [
    ...(reason === undefined ? [] : [`${name} ${reason}`]),
    ...(unread === undefined ? [] : [`${name} ${unread}`]),
    ...unseen,
    ...[...partial.values()].map((text) => `${name} ${text}`),
    ...(cut ? [CUT_LISTING] : []),
    ...(await othersMayWork(progress, tools)),
  ];
}

/**
 * Carries out an order about all tokens of one secret and verifies it on the data plane, twice: a rotation
 * that runs at the same time may have armed another token meanwhile. A repeated order does what is left.
 * @param planned the secret as the plan showed it
 */
export async function revokeSecret(
  planned: ObservedSecret,
  revocation: Revocation,
  tools: Tools,
): Promise<SecretResult> {
  const { name } = planned.secret;
  const isUndoing = UNDOING_WAYS.includes(revocation.order.way);
  const progress: Progress = {
    name,
    revocation,
    order: { ...revocation.order, ...(isUndoing && { hold: tracesOf(planned.secret) }) },
    results: new Map(),
    failures: new Map(),
    partial: new Map(),
    known: new Set(planned.tokens.map(({ token }) => token.id)),
    foreign: new Set(revocation.order.namedToken ? [revocation.order.namedToken] : []),
    unknown: new Map(),
    unseen: new Set(),
    left: { seen: planned, actions: decideRevocation(planned, revocation.order, tools.apiNow()) },
    done: new Set(),
    released: false,
    cut: false,
    settled: false,
  };
  const lastLook = await underHold(name, tools, (arming) => carryOutOrder(progress, arming));
  const left = leftOf(progress, tools.apiNow());
  for (const { result } of left) progress.results.set(result.tokenId, result);
  const results = withSuccessor([...progress.results.values()]);
  const told = results.map((each) => afterLastLook(each, lastLook));
  return {
    results: told,
    failures: [...progress.failures.values()],
    unconfirmed: [...unsaid(told, lastLook), ...(await unconfirmedOf(progress, tools))],
    alive: left.some(({ isAlive }) => isAlive) ? [name] : [],
    settled: progress.settled && lastLook.obeyed === undefined,
  };
}
