import { entryOf, type Policy } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { DAY_MS } from '../time.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import { type ObservedSecret, secretNamedIn } from '../tokens/observation.ts';
import { isUnknown } from '../tokens/state.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { isTokenId, tokenNamedBy } from '../tokens/version-id.ts';
import { alreadyDone } from './already-done.ts';
import type { TokenResult } from './end-token.ts';
import { observeOne, readMissing, type SeenAlone } from './observe.ts';
import { findSuccessor, foreignHolders } from './plan/decide-revocation.ts';
import { bearsTrace, versionsOfEnded } from './plan/given-before.ts';
import { ENDING_WAYS, needsNoAws, UNDOING_WAYS } from './plan/order.ts';
import { type EarlierOrder, expectedIds, located, type Progress } from './progress.ts';
import { underLabels } from './unknown-strings.ts';

/**
 * With the versions of a token that has no marker. Under a label one that seems never to have been armed may have been a
 * moment ago, since reads may be late: it counts as if it had what its entry gives.
 */
export function inSecret(
  result: TokenResult,
  seen: ObservedSecret,
  { policy }: Tools,
): TokenResult {
  const { had, ...rest } = located(result, seen);
  const labelled = new Set(Object.values(seen.secret.labels));
  const isEnded = rest.result === 'deleted' || rest.result === 'frozen';
  const isInUse = rest.versions?.some((each) => labelled.has(each));
  const mayHaveMore = isEnded && isInUse && had?.length === 0;
  const known = mayHaveMore ? entryOf(policy, seen.secret.name)?.permissions : had;
  return { ...rest, ...(known && { had: known }) };
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

/** Remembers the successor: once everything older is dead, nothing else tells that the order had one. */
function noteSuccessor(seen: ObservedSecret, progress: Progress, tools: Tools): void {
  const { order } = progress;
  if (order.way !== 'replace' || order.successor) return;
  const found = findSuccessor(seen, order, tools.apiNow())?.token;
  if (found) progress.order = { ...order, successor: { id: found.id, createdAt: found.createdAt } };
}

/** For so long the listing by which an order was planned is enough to begin with. */
const LISTED_MS = 10_000;

/**
 * The listing by which the order was planned, until something is done to a token: so nothing that it shows waits for another
 * one. What is minted meanwhile has a label, or is found by the look behind the proof.
 */
function listedMoment(
  { order, revocation: { around }, hasBegun, unlooked }: Progress,
  { apiNow }: Tools,
): Awaited<ReturnType<Tools['api']['listTokens']>> | undefined {
  const isBehindProof = unlooked !== undefined;
  if (
    hasBegun ||
    isBehindProof ||
    UNDOING_WAYS.includes(order.way) ||
    apiNow() - around.at >= LISTED_MS
  )
    return undefined;
  return { tokens: around.tokens, at: around.at, late: new Set() };
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
  const listed = listedMoment(progress, tools);
  const api = listed ? { ...tools.api, listTokens: async () => listed } : tools.api;
  const note = needsNoAws(order) ? (said: string) => progress.unseen.add(said) : undefined;
  const versions = before?.versions.filter(
    (each) => !results.has(tokenNamedBy(each)?.tokenId ?? each),
  );
  const known = { foreign, ids: expectedIds(progress), note, ...(versions && { versions }) };
  const secretNamed = secretNamedIn(revocation.around);
  return observeOne(name, { ...tools, api, secrets }, { ...known, secretNamed });
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
export async function findUnlisted(
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
export async function lookAndNote(progress: Progress, tools: ArmingTools): Promise<SeenAlone> {
  const seen = await look(progress, tools);
  if (progress.unlooked) progress.unlooked = false;
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
