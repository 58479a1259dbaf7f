import type { Permission } from '../management-api/token.ts';
import { namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { MINUTE_MS } from '../time.ts';
import { changeToken, freshOrUnshown, freshToken, restored } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { restartGrace } from '../tokens/restart-grace.ts';
import {
  armedSince,
  hasVersion,
  isExpired,
  isFrozen,
  isGone,
  isSame,
  isUnknown,
  ownedCurrent,
  ownedPrevious,
  tokenUnder,
} from '../tokens/state.ts';
import { takeLabelOff } from '../tokens/take-label-off.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import type { Successor } from './successor.ts';
import { supersede, supersedeLeft } from './supersede.ts';
import type { Turn } from './turns.ts';

export type Promotion = 'promoted' | 'lost' | 'held';

/** What the data plane said of a token that waits to be promoted. */
export interface Verification {
  readonly accepted: boolean;
  /** Why not, for people. */
  readonly detail?: string;
}

/**
 * Step 5: whether the whole data plane accepts the token. A probe can delay a promotion; it is never a
 * reason to delete a token. InfluxDB may take some minutes to activate a new token.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/database-tokens/
 * @param probed the permissions that a probe can decide
 */
export async function verify(
  { owned, value }: Successor,
  probed: readonly Permission[],
  tools: Tools,
  inTurn: Turn = (work) => work(),
): Promise<Verification> {
  const { policy, dataPlane, now, apiNow, deadline, log } = tools;
  let { refused } = owned.marker;
  const verification = await dataPlane.untilAccepted(value, probed, {
    // By this machine's clock, which counts the probes.
    armedAt: (owned.marker.armed ?? apiNow()) - (apiNow() - now()),
    wasRefused: refused !== undefined,
    // A later run may have better luck with its probes, and must know.
    onStuck: () => {
      refused = apiNow();
      return inTurn(() => markUnseen(owned, refused, tools));
    },
    settleMs: policy.settle,
    firstBy: now() + policy.activationTimeout,
    deadline,
    databases: namedDatabases(policy),
  });
  if (verification.accepted) {
    log.info('accepted', { secret: owned.marker.secret, tokenId: owned.token.id });
    if (refused !== undefined) await inTurn(() => markUnseen(owned, undefined, tools));
  }
  return verification;
}

async function markUnseen(
  owned: OwnedToken,
  refused: number | undefined,
  tools: Tools,
): Promise<void> {
  const fresh = await freshOrUnshown(tools, owned);
  if (fresh) await changeToken(tools, fresh, { marker: { refused } });
}

/**
 * Writes that consumers may have a token that was not seen accepted: later runs ask until it is (D10). `since`: if it is
 * not known, or a person ordered that.
 */
export async function noteUnseen(
  owned: OwnedToken,
  tools: Tools,
  since = owned.marker.refused,
): Promise<OwnedToken> {
  const refused = since ?? tools.apiNow();
  if (refused === owned.marker.refused) return owned;
  await markUnseen(owned, refused, tools);
  return { ...owned, marker: { ...owned.marker, refused } };
}

const isRetiring = ({ marker: { superseded, fenced, quarantined } }: OwnedToken): boolean =>
  superseded !== undefined || fenced !== undefined || quarantined !== undefined;

/**
 * For so long the listing of a run tells that a token in use bears no mark of a retirement: to get one it must lose
 * AWSCURRENT, and by a person's hand it must be back since. Step 8 starts its grace period whatever it bears then, and who
 * dies before that takes no more than this from it.
 */
const LISTED_MS = MINUTE_MS;

/**
 * Step 6, first half: after a roll back the token that is about to be replaced still has the marks of its
 * earlier retirement. They are removed, because its grace period starts now.
 */
async function clearRetirement(
  entry: TokenPolicy,
  previous: OwnedToken,
  tools: ArmingTools,
): Promise<void> {
  const fresh = await freshToken(tools, previous);
  if (!fresh || isExpired(fresh.token, tools.apiNow())) return;
  const { frozen } = fresh.marker;
  if (isFrozen(fresh) || !isRetiring(fresh)) return;
  const { marker, ...given } = restored(fresh, entry.permissions);
  // Of what an order froze, a person gave back what was meant to be.
  const permissions = frozen === undefined ? given.permissions : undefined;
  const unseen = { ...marker, refused: tools.apiNow() };
  if (permissions) await tools.armInUse(fresh, { marker: unseen, permissions });
  else await changeToken(tools, fresh, { marker });
}

function promotionIn(
  { labels }: Secret,
  version: string,
  from: string | undefined,
): Promotion | undefined {
  if (labels.AWSCURRENT === version) return 'promoted';
  return labels.AWSPREVIOUS === version || labels.AWSCURRENT !== from ? 'lost' : undefined;
}

/**
 * AWSPREVIOUS is on a fenced token only if a person went back to it and away again (R13). The promotion moves the
 * label, and nothing else says that consumers may have the token: so its grace period starts anew before.
 */
async function restartPrevious(
  seen: ObservedSecret,
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  const version = seen.secret.labels.AWSPREVIOUS ?? '';
  const previous =
    ownedPrevious(seen) ?? seen.tokens.find((each) => hasVersion(seen, each, version));
  if (previous?.marker.fenced === undefined) return;
  await restartGrace(seen, [previous], gracePeriod, tools);
}

/**
 * Step 7, a compare-and-set: of two runs that race, one wins. After an error the labels are read, and they
 * decide; `UpdateSecretVersionStage` has no error of its own for a lost race.
 */
export async function moveCurrent(
  secret: string,
  version: string,
  from: string | undefined,
  { secrets }: Tools,
): Promise<Promotion> {
  try {
    await secrets.moveLabel(secret, 'AWSCURRENT', { to: version, ...(from && { from }) });
    return 'promoted';
  } catch (error) {
    const now = await secrets.describe(secret);
    const result = now && promotionIn(now, version, from);
    if (!result) throw error;
    return result;
  }
}

/**
 * Writes that consumers have had it. Labels alone do not tell that later: AWSPENDING stays where it is, and people who go
 * back move the others. `since`: when AWSCURRENT was moved, unless that is known already.
 */
async function notePromoted(owned: OwnedToken, since: number, tools: Tools): Promise<void> {
  if (owned.marker.promoted !== undefined) return;
  const fresh = await freshOrUnshown(tools, owned);
  if (fresh) await changeToken(tools, fresh, { marker: { promoted: since } });
}

/** Whether what AWSCURRENT has was of no use to consumers before it was replaced. */
function wasDead(seen: ObservedSecret, now: number): boolean {
  const token = tokenUnder(seen, 'AWSCURRENT');
  return token ? isExpired(token, now) : isGone(seen, 'AWSCURRENT');
}

/**
 * Steps 6 to 8: makes a verified token current. A run that loses the race changes no token after that.
 * @param about `seen`: the secret as it was before step 2. `listedAt`: when its tokens were listed, by the Management API's
 * time; absent: nothing is taken from that. `onPromoted` is called as soon as AWSCURRENT is moved: what fails behind that does not undo it
 */
export async function promote(
  entry: TokenPolicy,
  about: {
    readonly successor: Successor;
    readonly seen: ObservedSecret;
    readonly listedAt?: number | undefined;
    readonly onPromoted: () => void;
  },
  tools: ArmingTools,
): Promise<Promotion> {
  const { successor, seen, listedAt = Number.NEGATIVE_INFINITY, onPromoted } = about;
  const { version, owned } = successor;
  const from = seen.secret.labels.AWSCURRENT;
  const current = ownedCurrent(seen);
  const former = isSame(current, owned) ? undefined : current;
  const isKnown = former && !isRetiring(former) && tools.apiNow() - listedAt < LISTED_MS;
  if (former && !isKnown) await clearRetirement(entry, former, tools);
  // Consumers may have read any of them: nobody knows which string they have.
  if (isUnknown(seen, 'AWSCURRENT'))
    await restartGrace(seen, seen.tokens, entry.gracePeriod, tools);
  const secret = await tools.secrets.describe(entry.secret);
  if (!secret || holdOf(secret)) return 'held';
  const ended = promotionIn(secret, version, from);
  if (!ended) await restartPrevious({ ...seen, secret }, entry.gracePeriod, tools);
  const result = ended ?? (await moveCurrent(entry.secret, version, from, tools));
  if (result !== 'promoted') return result;
  onPromoted();
  // Nobody should roll back to it; and AWSPREVIOUS on a dead token tells that somebody ended it in its grace period.
  if (from && from !== version && wasDead(seen, tools.apiNow())) {
    await takeLabelOff({ secret: entry.secret, label: 'AWSPREVIOUS', version: from }, tools);
  }
  if (former) await supersede(former, entry.gracePeriod, tools, !ended);
  await supersedeLeft(seen, entry.gracePeriod, tools, owned);
  // Last: while it lacks, the next run does what may be left of this (`recognise`).
  await notePromoted(owned, ended ? armedSince(owned) : tools.apiNow(), tools);
  return result;
}

/** A rotation that is done: whose AWSCURRENT is on which token now, and why. */
interface Rotated {
  readonly entry: TokenPolicy;
  readonly secretArn: string;
  readonly tokenId: string;
  readonly previousTokenId?: string | undefined;
  readonly reason: string;
}

/** Logs it, which is kept, and publishes `Token Rotated`, which is a hint. */
export function announceRotation(
  { entry, secretArn, tokenId, previousTokenId, reason }: Rotated,
  { publish, log }: Pick<Tools, 'publish' | 'log'>,
): void {
  const detail = {
    token: entry.name,
    secret: entry.secret,
    secretArn,
    tokenId,
    ...(previousTokenId !== undefined && { previousTokenId }),
    reason,
  };
  log.info('promoted', detail);
  publish({ type: 'Token Rotated', detail });
}
