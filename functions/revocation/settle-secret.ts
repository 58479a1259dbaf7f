import { InfluxError } from '../management-api/influx-error.ts';
import { entryOf, type Policy } from '../policy/policy.ts';
import { backoffMs } from '../retry.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { DAY_MS, MINUTE_MS } from '../time.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import { type ObservedSecret, secretNamedIn } from '../tokens/observation.ts';
import { isUnknown, tokenIdOf } from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { isTokenId, tokenNamedBy } from '../tokens/version-id.ts';
import { alreadyDone } from './already-done.ts';
import { giveBack, strip, type TokenResult } from './end-token.ts';
import { observeOne, readMissing, type SeenAlone } from './observe.ts';
import {
  decideRevocation,
  findSuccessor,
  foreignHolders,
  freezeLeftIn,
  notReachedBecause,
  otherHoldIn,
  shortfallOf,
} from './plan/decide-revocation.ts';
import { bearsTrace, versionsOfEnded } from './plan/given-before.ts';
import { ENDING_WAYS, needsNoAws, type Order } from './plan/order.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import {
  type EarlierOrder,
  expectedIds,
  isOfToken,
  keyOf,
  located,
  type Progress,
  tokenOf,
} from './progress.ts';
import { replaceCurrent } from './replace-current.ts';
import { RESERVE_MS, releaseHold, setHold } from './set-hold.ts';
import { underLabels } from './unknown-strings.ts';

/** In each round the secret is read and its actions are carried out, until there are none. */
export const MOST_ROUNDS = 8;
/**
 * An ingress that passes so many calls a second refuses those of many secrets at once; after a pause by chance they do not
 * come together again. A cluster that is away is told within minutes.
 */
const PAUSES = { most: 3, baseMs: 20_000, maxMs: 2 * MINUTE_MS };
/** All later actions depend on these, so the secret is read again after them. */
const READ_AGAIN_AFTER: readonly RevocationAction['kind'][] = ['hold', 'release', 'replace'];

/** What comes behind these is not done without them: no token is ended before there is a successor, and none is given back under a hold. */
const isGate = ({ kind }: RevocationAction, { way }: Order) =>
  kind === 'replace' || kind === 'release' || (way === 'lift' && kind === 'delete');

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

/**
 * With the versions of a token that has no marker. Under a label one that seems never to have been armed may have been a
 * moment ago, since reads may be late: it counts as if it had what its entry gives.
 */
function inSecret(result: TokenResult, seen: ObservedSecret, { policy }: Tools): TokenResult {
  const { had, ...rest } = located(result, seen);
  const labelled = new Set(Object.values(seen.secret.labels));
  const isEnded = rest.result === 'deleted' || rest.result === 'frozen';
  const isInUse = rest.versions?.some((each) => labelled.has(each));
  const mayHaveMore = isEnded && isInUse && had?.length === 0;
  const known = mayHaveMore ? entryOf(policy, seen.secret.name)?.permissions : had;
  return { ...rest, ...(known && { had: known }) };
}

/** Deleted tokens of a secret, as far as the cluster shows them or a version names them: the last ones first. */
function goneFrom({ revoked, secret: { labels }, holders }: SeenAlone): string[] {
  const shown = [...revoked].sort((a, b) => (b.token.revokedAt ?? 0) - (a.token.revokedAt ?? 0));
  const held = Object.values(labels).flatMap((version) => {
    const holder = holders.get(version);
    return holder?.state === 'gone' ? (tokenIdOf(holder, version) ?? []) : [];
  });
  return [...new Set([...held, ...shown.map(({ token }) => token.id)])];
}

async function carryOut(
  action: RevocationAction,
  seen: SeenAlone,
  progress: Progress,
  tools: ArmingTools,
): Promise<TokenResult | 'moved' | undefined> {
  const { revocation, partial, done } = progress;
  switch (action.kind) {
    case 'hold': {
      const [{ hold }, key] = [action, keyOf(action)];
      const text = await setHold(seen.secret, hold, revocation, tools);
      if (text !== undefined) partial.set(key, { hold, text, wasSet: done.has(key) });
      return undefined;
    }
    case 'release': {
      const { order } = progress;
      const hold = order.hold ?? { labels: [] };
      const left = await releaseHold(seen.secret, hold, goneFrom(seen), tools);
      progress.released = left !== order.hold;
      progress.order = { ...order, hold: left };
      return undefined;
    }
    case 'detach-label':
      return (await takeLabelOff(action, tools)) ? undefined : 'moved';
    case 'replace':
      await replace(progress, seen, tools);
      return undefined;
    case 'strip':
      return inSecret(
        await strip(tokenOf(action.tokenId, seen), revocation.noUndo, tools),
        seen,
        tools,
      );
    case 'delete':
      return inSecret(
        await revocation.deleteToken(tokenOf(action.tokenId, seen), tools),
        seen,
        tools,
      );
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
  const { order, results, unknown, foreign, before, done, failures } = progress;
  // What failed may have been done all the same.
  const wasBefore = done.size + failures.size === 0;
  const entry = entryOf(tools.policy, seen.secret.name);
  for (const { token } of seen.tokens) progress.known.add(token.id);
  for (const { id } of foreignHolders(seen)) foreign.add(id);
  if (ENDING_WAYS.includes(order.way)) {
    for (const each of underLabels(seen)) unknown.set(each.version, each);
  }
  for (const each of alreadyDone(seen, {
    order,
    entry,
    now: tools.apiNow(),
    isRepeated: before?.isShown === true,
  })) {
    const known = [...results.values()].find(
      ({ tokenId, versions = [] }) =>
        tokenId === each.tokenId || versions.some((version) => each.versions?.includes(version)),
    );
    // What was left as it was may lack what consumers need.
    const isMore =
      known?.result === 'left' && known.unconfirmed === undefined && each.unconfirmed !== undefined;
    if (known && !isMore) continue;
    results.set(each.tokenId, { ...inSecret(each, seen, tools), ...(wasBefore && { wasBefore }) });
  }
}

/** Carries out actions until the first one after which the secret must be read again. */
async function takeSteps(
  actions: readonly RevocationAction[],
  seen: SeenAlone,
  progress: Progress,
  tools: ArmingTools,
): Promise<void> {
  const { results, failures, order, revocation } = progress;
  for (const action of actions) {
    const { reason, by } = revocation;
    const about = { ...action, way: order.way, reason, by };
    try {
      const result = await carryOut(action, seen, progress, tools);
      // By labels that have changed nobody decides what to end: a person may have rolled back.
      if (result === 'moved') return;
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

/**
 * The secret as it is now. To end tokens needs the cluster alone: where Secrets Manager refuses to describe the
 * secret, it counts as it was when the order was planned.
 */
async function look(progress: Progress, tools: ArmingTools): Promise<SeenAlone | undefined> {
  const { name, order, revocation, foreign, before, results } = progress;
  const [described] = await Promise.allSettled([tools.secrets.describe(name)]);
  let secret = described.status === 'fulfilled' ? described.value : undefined;
  if (described.status === 'rejected') {
    secret = revocation.around.secrets.get(name)?.secret;
    if (!secret || !needsNoAws(order)) throw described.reason;
    progress.unread = `could not be read again (${messageOf(described.reason)}): it counted as it was in the listing, so a rotation meanwhile, or a hold that is lacking, would not be seen`;
  }
  const secrets = { ...tools.secrets, describe: async () => secret };
  const note = needsNoAws(order) ? (said: string) => progress.unseen.add(said) : undefined;
  const versions = before?.versions.filter(
    (each) => !results.has(tokenNamedBy(each)?.tokenId ?? each),
  );
  const known = { foreign, ids: expectedIds(progress), note, ...(versions && { versions }) };
  const secretNamed = secretNamedIn(revocation.around);
  return observeOne(name, { ...tools, secrets }, { ...known, secretNamed });
}

/** What an earlier order like this one may have ended. What is not shown of it is not known to be dead. */
async function earlierOrder(
  seen: SeenAlone,
  { name, order, revocation, known, unseen }: Progress,
  { secrets, policy, apiNow }: Tools,
): Promise<EarlierOrder> {
  const isShown = order.isProof || (ENDING_WAYS.includes(order.way) && bearsTrace(seen, order));
  if (!isShown) return { isShown: false, versions: [] };
  const inSecret = new Set([...seen.tokens, ...seen.revoked].map(({ token }) => token.id));
  // What the plan showed in this secret, and this look does not, somebody ended since.
  const elsewhere = new Set(
    revocation.around.tokens.flatMap(({ id }) => (known.has(id) ? [] : id)),
  );
  const isListed = (id: string) => inSecret.has(id) || elsewhere.has(id);
  try {
    const times = await secrets.versionTimes(name);
    const about = { now: apiNow(), isListed };
    return { isShown, versions: versionsOfEnded(times, entryOf(policy, name) ?? {}, about) };
  } catch (error) {
    unseen.add(
      `${name}: its versions could not be listed (${messageOf(error)}), so what an earlier order ended there is not proven anew, and may work`,
    );
    return { isShown, versions: [] };
  }
}

/** For how long after its replacement a token may work: `reap` takes its permissions, unless nobody knows what consumers have. */
function worksFor(seen: SeenAlone, policy: Policy): number {
  const entry = entryOf(policy, seen.secret.name) ?? policy.defaults;
  const { gracePeriod, expiresAfter = Number.POSITIVE_INFINITY } = entry;
  const isKept = isUnknown(seen, 'AWSCURRENT') || isUnknown(seen, 'AWSPREVIOUS');
  return isKept ? expiresAfter : Math.min(expiresAfter, 4 * gracePeriod + DAY_MS);
}

/**
 * A cut listing may lack tokens that a version without a label names, or a marker: what a `GET` shows of them is of this
 * secret, too. Only once, and behind what needs no search. True: there are such.
 */
async function findUnlisted(
  seen: SeenAlone,
  progress: Progress,
  { api, secrets, policy, apiNow }: Tools,
): Promise<boolean> {
  const { tokens, revoked } = seen;
  const { name, order, revocation, known, unseen, searched } = progress;
  if (searched || ![...ENDING_WAYS, 'unfreeze'].includes(order.way)) return false;
  progress.searched = true;
  const listed = new Set(
    [...revocation.around.tokens, ...[...tokens, ...revoked].map(({ token }) => token)].map(
      ({ id }) => id,
    ),
  );
  const isListed = (id: string) => listed.has(id);
  const times = await secrets.versionTimes(name).catch((error: unknown) => {
    unseen.add(
      `${name}: its versions without a label could not be looked at (${messageOf(error)}); a string in one of them may still work`,
    );
    return new Map<string, number>();
  });
  const about = { now: apiNow(), isListed };
  const versions = versionsOfEnded(times, { expiresAfter: worksFor(seen, policy) }, about);
  const named = [
    ...versions.flatMap((each) => tokenNamedBy(each)?.tokenId ?? []),
    ...tokens.flatMap(({ marker: { replaces = '' } }) => (isTokenId(replaces) ? replaces : [])),
  ];
  try {
    const found = await readMissing(named, listed, { api });
    for (const { id, revokedAt } of found) if (revokedAt === undefined) known.add(id);
    return found.some(({ revokedAt }) => revokedAt === undefined);
  } catch (error) {
    unseen.add(
      `${name}: tokens that its versions name, and the listing lacks, could not be asked for (${messageOf(error)}), and may work`,
    );
    return false;
  }
}

/** The secret as it is now. What it shows to have been done is noted. */
async function lookAndNote(progress: Progress, tools: ArmingTools): Promise<SeenAlone> {
  const seen = await look(progress, tools);
  if (!seen) throw new Error(`no secret has the name ${progress.name}`);
  refuseForeignSecret(seen.secret, tools.policy);
  if (!progress.before) {
    progress.before = await earlierOrder(seen, progress, tools);
    if (progress.before.versions.length > 0) return lookAndNote(progress, tools);
  }
  if (seen.unlisted.length > 0) progress.cut = true;
  noteSuccessor(seen, progress, tools);
  noteAlreadyDone(seen, progress, tools);
  const changed = [...progress.results.keys()];
  progress.late = changed.filter((id) => seen.late.has(id));
  for (const id of changed) if (!seen.late.has(id)) progress.shown.add(id);
  return seen;
}

/** Why nothing more is done in a secret, whatever is planned. Undefined: nothing stands in the way. */
function endOf(
  seen: ObservedSecret,
  { order, released }: Progress,
  now: number,
): Pick<Progress, 'reason' | 'settled'> | undefined {
  if (order.isProof) return undefined;
  const other = otherHoldIn(seen, order);
  const left = released && !other ? freezeLeftIn(seen) : undefined;
  if (left !== undefined) return { reason: left, settled: true };
  const reason = other ?? notReachedBecause(seen, order, now);
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
async function takeRounds(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { failures } = progress;
  for (let round = 0; round <= MOST_ROUNDS; round += 1) {
    const seen = await lookAndNote(progress, tools);
    const end = endOf(seen, progress, tools.apiNow());
    progress.reason = end?.reason ?? shortfallOf(seen, progress.order);
    progress.left = { seen, actions: [] };
    if (end) return end.settled;
    const actions = actionsLeft(seen, progress, tools);
    progress.left = { seen, actions };
    if (actions.length === 0) {
      if (await findUnlisted(seen, progress, tools)) continue;
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

const isLimited = (error: unknown) =>
  error instanceof InfluxError && (error.status === 429 || error.status === 503);

/**
 * Takes rounds until nothing is left to do, and takes up again what a server refused for being too busy, while there is
 * time. True: nothing is left to do.
 */
export async function settle(progress: Progress, tools: ArmingTools): Promise<boolean> {
  const { failures } = progress;
  for (;;) {
    const [rounds] = await Promise.allSettled([takeRounds(progress, tools)]);
    const limited = [...failures].filter(([, { error }]) => isLimited(error));
    const isBusy = rounds.status === 'fulfilled' ? limited.length > 0 : isLimited(rounds.reason);
    const waitMs = backoffMs(progress.pauses + 1, { ...PAUSES, random: tools.random });
    const isTime = tools.now() + waitMs < tools.deadline - RESERVE_MS;
    if (!isBusy || !isTime || progress.pauses === PAUSES.most) {
      if (rounds.status === 'rejected') throw rounds.reason;
      return rounds.value;
    }
    progress.pauses += 1;
    await tools.sleep(waitMs);
    for (const [key] of limited) failures.delete(key);
  }
}
