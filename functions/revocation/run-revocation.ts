import { entryOf } from '../policy/policy.ts';
import { refuseSuccessor } from '../rotation/successor.ts';
import { atApiTime } from '../run/api-time.ts';
import { fitted, MOST_BYTES_OF_ERROR } from '../run/fitted.ts';
import { messageOf } from '../run/message-of.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import { BinaryValueError } from '../secrets-manager/secrets.ts';
import { formatInstant } from '../time.ts';
import { OutsiderError, refuseOutsiders } from '../tokens/refuse-outsiders.ts';
import { SecretShapeError } from '../tokens/secret-string.ts';
import { isTokenId } from '../tokens/version-id.ts';
import { createControls } from './control.ts';
import { createDeleteToken } from './delete-token.ts';
import type { TokenResult } from './end-token.ts';
import { findEnded, idsInVersions, searchValues } from './find-leaked.ts';
import { goneBefore } from './gone-before.ts';
import { doubtElsewhere } from './made-elsewhere.ts';
import { refuseWithoutToken, seenFor } from './not-begun.ts';
import { type Need, observeAgain, observeAll, type RevocationObservation } from './observe.ts';
import { findPassedOver } from './passed-over.ts';
import { homeOfToken } from './plan/hidden-tokens.ts';
import { ENDING_WAYS, needsNoAws, UNDOING_WAYS } from './plan/order.ts';
import { orderOf, planRevocation, type RevocationPlan } from './plan/plan-revocation.ts';
import type { OrderObservation } from './plan/target.ts';
import { uncoveredBy } from './plan/uncovered.ts';
import type { LeakedSearch } from './plan/unknown-string.ts';
import { wholeIdOf } from './plan/whole-id.ts';
import type { Revocation, SecretResult } from './progress.ts';
import type { RevocationReport, RevokedToken } from './report.ts';
import type { RevocationRequest } from './request.ts';
import { revokeSecret } from './revoke-secret.ts';
import { revokeToken } from './revoke-token.ts';
import { type SharedListing, sharedListing } from './shared-listing.ts';
import { type Failure, MOST_NAMED, mayStillWork, toldOnce } from './tell-failures.ts';

/** A part of an order was not carried out; repeating the order continues where it stopped. Its message ends with the report. */
export class RevocationError extends AggregateError {
  override readonly name = 'RevocationError';

  constructor(
    report: RevocationReport,
    failures: readonly Failure[],
    reasons: ReadonlySet<string>,
  ) {
    super(
      failures.map(({ error }) => error),
      `not all of the order was done; what can be done by repeating it is done by giving the same order again.\n${[...reasons].join('\n')}\n${JSON.stringify(fitted(report, MOST_BYTES_OF_ERROR))}`,
    );
  }
}

/** The part of a result that people read, without what only verifying needs. */
function revokedToken(
  { had, versions, fingerprint, wasRefused, wasBefore, ...revoked }: TokenResult,
  { policy }: Tools,
): RevokedToken {
  const token = entryOf(policy, revoked.secret ?? '')?.name;
  return { ...revoked, ...(token !== undefined && { token }) };
}

/** What an earlier run did is no news: `wasBefore`. */
function announce(
  revoked: RevokedToken,
  { wasBefore }: TokenResult,
  { way, reason, by }: RevocationRequest,
  { publish, log }: Tools,
): void {
  const detail = { ...revoked, way, reason };
  log.warn('revoked', { ...detail, by });
  const { result } = revoked;
  if (wasBefore) return;
  if (result === 'deleted' || result === 'frozen') {
    publish({ type: 'Token Revoked', detail: { ...detail, result } });
  }
  if (result === 'given-back') {
    publish({ type: 'Token Permissions Changed', detail: { ...detail, result } });
  }
}

interface Sharing {
  readonly tools: Tools;
  readonly looks: SharedListing;
}

/** All parts of an order share the listings of the cluster. */
function sharing(tools: Tools): Sharing {
  let databases: ReturnType<Tools['api']['listDatabases']> | undefined;
  const listDatabases = () => {
    databases ??= tools.api.listDatabases().catch((error) => {
      databases = undefined;
      throw error;
    });
    return databases;
  };
  const looks = sharedListing(tools.api, tools);
  const api = { ...tools.api, listTokens: looks.listTokens, listDatabases };
  return { tools: { ...tools, api }, looks };
}

/** Carries out an order: every secret and every single token by itself. */
function applyRevocation(
  { target }: RevocationPlan,
  { secrets }: RevocationObservation,
  revocation: Revocation,
  shared: Tools,
): Promise<SecretResult[]> {
  const inSecrets = (names: readonly string[], about: Revocation) =>
    names.flatMap((name) => {
      const seen = secrets.get(name);
      return seen ? [revokeSecret(seen, about, shared)] : [];
    });
  const proof = { ...revocation, order: { ...revocation.order, isProof: true } };
  return Promise.all([
    ...inSecrets(target.secrets, revocation),
    ...inSecrets(target.proven, proof),
    ...target.single.map((each) =>
      revokeToken(each, homeOfToken(each, revocation.order.way, secrets), revocation, shared),
    ),
  ]);
}

/** The order is about another plan than the one that was confirmed; nothing was done. */
export class PlanChangedError extends Error {
  override readonly name = 'PlanChangedError';
}

function refuseOtherPlan({ plan }: RevocationRequest, { hash }: RevocationPlan): void {
  if (plan === undefined || plan === hash) return;
  throw new PlanChangedError(
    `the plan is not the one that was confirmed (${plan}), but ${hash}: something changed meanwhile; nothing was done. Look at it again with "dryRun": true (--dry-run)`,
  );
}

const WITHOUT_AWS =
  'one token can be ended all the same, by its id or its string, with "way": "freeze" (--freeze) or "way": "delete" (--delete)';

/** Freezing and deleting one token needs the Management API alone, and so does to say whose it is. */
function needOf(request: RevocationRequest): Need {
  const { way, selector } = request;
  const tokenId = selector.kind === 'tokenId' ? selector.id.toLowerCase() : undefined;
  const isOne = selector.kind === 'tokenId' || selector.kind === 'fingerprint';
  const withoutAws = isOne && (needsNoAws(request) || way === 'whois');
  return {
    withoutAws,
    ...(ENDING_WAYS.includes(way) && { instead: WITHOUT_AWS }),
    ...(tokenId !== undefined && isTokenId(tokenId) && { tokenId }),
  };
}

/** With a whole id: the same order is the same, however much of the id is given. */
async function withWholeId(
  request: RevocationRequest,
  listed: RevocationObservation,
  tools: RunTools,
): Promise<RevocationRequest> {
  const { selector } = request;
  if (selector.kind !== 'tokenId') return request;
  const { tokens } = listed;
  const isListed = isTokenId(selector.id) || tokens.some(({ id }) => id.startsWith(selector.id));
  const inVersions = isListed ? [] : await idsInVersions(listed, tools);
  return { ...request, selector: { ...selector, id: wholeIdOf(selector.id, tokens, inVersions) } };
}

/** With the token that was found by a leaked string, or by the beginning of its id, if the listing lacks it though it lives. */
async function withFound(
  leaked: LeakedSearch | undefined,
  request: RevocationRequest,
  listed: RevocationObservation,
  tools: RunTools,
): Promise<RevocationObservation> {
  const { selector } = request;
  const tokenId = leaked?.tokenId ?? (selector.kind === 'tokenId' ? selector.id : undefined);
  if (tokenId === undefined || listed.tokens.some(({ id }) => id === tokenId)) return listed;
  const isThere = (await tools.api.getToken(tokenId)) !== undefined;
  return isThere ? await observeAll(tools, { ...needOf(request), tokenId }) : listed;
}

/** Both systems as they were seen, and what was searched for in the values. */
type Around = RevocationObservation & Pick<OrderObservation, 'leaked' | 'endedIn' | 'noToken'>;

/** What stays so until a person mends it. */
const FORBIDDING = [OutsiderError, SecretShapeError, BinaryValueError];

/** Why a secret gets no successor, as the rest of a sentence that begins with its name. */
function forbidden(error: unknown, name: string): string | undefined {
  // What could not be asked keeps no order from what it is for; minting asks again.
  if (!FORBIDDING.some((kind) => error instanceof kind)) return undefined;
  const said = messageOf(error);
  return said.startsWith(`${name} `) ? said.slice(name.length + 1) : `gets no token: ${said}`;
}

/**
 * Why secrets get no successor, by name: afterwards their consumers would have nothing. An order that ends strings last
 * needs to know it only where asking costs nothing, in secrets that have no token of ours yet.
 */
async function refusedSuccessors(
  { actions }: RevocationPlan,
  { immediately }: RevocationRequest,
  { secrets }: Around,
  tools: Tools,
): Promise<ReadonlyMap<string, string>> {
  const asked = actions.map(async (action): Promise<[string, string][]> => {
    if (action.kind !== 'replace' || action.tokenId !== undefined) return [];
    const { secret: name } = action;
    const [seen, entry] = [secrets.get(name), entryOf(tools.policy, name)];
    if (!seen || !entry) return [];
    try {
      await (immediately ? refuseSuccessor(entry, seen, tools) : refuseOutsiders(seen, tools));
      return [];
    } catch (error) {
      const why = forbidden(error, name);
      return why === undefined ? [] : [[name, why]];
    }
  });
  return new Map((await Promise.all(asked)).flat());
}

/**
 * The plan, and what it was made from. `ListSecrets` may be minutes late, and some must know what is there at this moment:
 * whoever undoes an order, the hold; whoever names one token, whether consumers have it; whoever replaces, what gets no
 * successor.
 */
async function planUpToDate(
  request: RevocationRequest,
  listed: Around,
  tools: Tools,
): Promise<{ readonly planned: RevocationPlan; readonly around: Around }> {
  const plan = (around: Around) => ({
    around,
    planned: planRevocation(tools.policy, around, request),
  });
  const late = plan(listed);
  const { secrets, target } = late.planned;
  const isUndoing = UNDOING_WAYS.includes(request.way);
  // One that lost its tag is not ours: its token ends by itself.
  const named =
    target.namedToken === undefined ? [] : secrets.filter((each) => listed.secrets.has(each));
  const again = isUndoing ? secrets : named;
  const isLate = listed.awsError === undefined && again.length > 0;
  const seen = isLate ? plan({ ...listed, ...(await observeAgain(listed, again, tools)) }) : late;
  const noToken = await refusedSuccessors(seen.planned, request, seen.around, tools);
  return noToken.size === 0 ? seen : plan({ ...seen.around, noToken });
}

/**
 * One run of `revoke`, in Lambda or on a laptop: observe, plan, apply, and report which tokens were ended
 * and how fast. A dry run, and `whois`, apply nothing.
 * @throws RevocationError with the report, if a part was not done
 */
export async function runRevocation(
  given: RevocationRequest,
  runTools: RunTools,
): Promise<RevocationReport> {
  const { way, dryRun, reason = '', noUndo, by } = given;
  const startedAt = runTools.now();
  const seen = <T>(asked: Promise<T>) => seenFor(given, runTools.policy, asked);
  const first = await seen(observeAll(runTools, needOf(given)));
  const request = await withWholeId(given, first, runTools);
  const { tools, looks } = sharing(atApiTime(runTools, first));
  const leaked = await seen(searchValues(request, first, tools));
  const listed = await seen(withFound(leaked, request, first, runTools));
  const endedIn = await findEnded(request, leaked, listed, tools);
  const found = { ...listed, leaked, ...(endedIn !== undefined && { endedIn }) };
  const { planned, around } = await planUpToDate(request, found, tools);
  const { target, ...plan } = planned;
  const asked = way === 'whois' || target.unknown !== undefined ? [] : runTools.askSchedules();
  const about = {
    way,
    ...(request.reason !== undefined && { reason }),
    startedAt: formatInstant(startedAt),
    dryRun,
    plan,
  };
  for (const message of plan.warnings) tools.log.warn('warning', { way, reason, message });
  if (dryRun || way === 'whois') {
    const nothing = { tokens: [], unconfirmed: [], done: false, confirmed: false };
    return { ...about, schedules: await asked, ...nothing, policy: runTools.policyMark() };
  }
  refuseOtherPlan(request, planned);

  const { secrets } = target;
  const [condemned, replaced] = way === 'replace' ? [[], secrets] : [secrets, []];
  const controls = createControls(around, { condemned, replaced }, tools);
  const order = orderOf(request, target, tools.policy, around);
  const deleteToken = createDeleteToken(tools);
  const said = { order, noUndo, reason, by, startedAt };
  const revocation = { ...said, controls, deleteToken, secrets, around, looks };
  const applied = await applyRevocation(planned, around, revocation, tools);
  const proving = { startedAt, controls };
  const proven = applied.flatMap((each) => each.results);
  const passed = await findPassedOver(plan.actions, applied, tools);
  const without = [...target.gone, ...passed.gone].filter(
    (id) => !proven.some(({ tokenId }) => tokenId === id),
  );
  const gone = await Promise.all(
    without.map((id) => goneBefore(id, around, order, proving, tools)),
  );
  const results = await doubtElsewhere([...proven, ...gone], around, tools);
  const tokens = results.map((each) => {
    const revoked = revokedToken(each, tools);
    announce(revoked, each, request, tools);
    return revoked;
  });

  const failures = applied.flatMap((each) => each.failures);
  const alive = applied.flatMap((each) => each.alive);
  const beside = [
    ...passed.alive,
    ...uncoveredBy(target, request, tools.policy, around),
    ...applied.flatMap((each) => each.unconfirmed),
  ];
  /** What may still work first. */
  const sentences = (told: readonly Failure[], most: number): ReadonlySet<string> =>
    new Set([...mayStillWork(alive, { way, secrets }, most), ...toldOnce(told, most), ...beside]);
  const rows = new Set(tokens.flatMap((each) => (each.result === 'failed' ? each.tokenId : [])));
  const withoutRow = failures.filter(({ tokenId = '' }) => !rows.has(tokenId));
  const unconfirmed = [...sentences(withoutRow, Number.POSITIVE_INFINITY)];
  const done = failures.length === 0 && applied.every(({ settled }) => settled);
  const isSeen = tokens.every((each) => each.unconfirmed === undefined);
  const confirmed = done && unconfirmed.length === 0 && isSeen;
  tools.measure({ unconfirmedRevocations: confirmed ? 0 : 1 });
  // The answer waits for the events, and a bus that is away keeps it up to ten seconds.
  tools.log.warn('reported', { way, reason, by, done, confirmed, unconfirmed });
  const report = { ...about, schedules: await asked, tokens, unconfirmed, done, confirmed };
  if (!done) throw new RevocationError(report, failures, sentences(failures, MOST_NAMED));
  // A long error is cut, and a mark would be the first of what is lost.
  return { ...report, policy: tools.policyMark() };
}

type Work = (tools: RunTools) => Promise<RevocationReport>;

/** The same, begun by whoever has the tools: for them the management token must be read first. */
export const giveOrder = (
  request: RevocationRequest,
  begin: (work: Work) => Promise<RevocationReport>,
): Promise<RevocationReport> =>
  begin((tools) => runRevocation(request, tools)).catch((error) =>
    refuseWithoutToken(error, request),
  );
