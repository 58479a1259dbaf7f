import { SETTLE_MS } from '../data-plane/data-plane.ts';
import { namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf, type Secret } from '../secrets-manager/secret.ts';
import { changeToken, freshToken, restored } from '../tokens/change-token.ts';
import type { OwnedToken } from '../tokens/observation.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import type { Successor } from './successor.ts';

export type Promotion = 'promoted' | 'lost' | 'held';

/**
 * Step 5: waits until the whole data plane accepts the token. A probe can delay a promotion; it is never
 * a reason to delete a token. InfluxDB may take some minutes to activate a new token.
 * https://docs.influxdata.com/influxdb3/clustered/api/management-api/database-tokens/
 * @throws Error if the token is not accepted at all within `activationTimeout`, or not long enough before
 * the end of the run
 */
export async function verify({ owned, value }: Successor, tools: Tools): Promise<void> {
  const { policy, dataPlane, now, deadline } = tools;
  const { accepted, detail } = await dataPlane.untilAccepted(value, owned.token.permissions, {
    armedAt: now(),
    settleMs: SETTLE_MS,
    firstBy: now() + policy.activationTimeout,
    deadline,
    databases: namedDatabases(policy),
  });
  if (!accepted) {
    throw new Error(`token ${owned.token.id} was not accepted in time: ${detail}`);
  }
}

/**
 * Step 6, first half: after a roll back the token that is about to be replaced still has the marks of its
 * earlier retirement. They are removed, because its grace period starts now.
 */
async function clearRetirement(previous: OwnedToken, tools: ArmingTools): Promise<void> {
  const fresh = await freshToken(tools, previous);
  if (!fresh) return;
  const { superseded, fenced, quarantined, frozen } = fresh.marker;
  if (frozen !== undefined) return;
  if (superseded === undefined && fenced === undefined && quarantined === undefined) return;
  const { marker, permissions } = restored(fresh);
  if (permissions) await tools.arm(fresh, { marker, permissions });
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

/** Step 8: the grace period of the replaced token begins. */
async function supersede(previous: OwnedToken, tools: Tools): Promise<void> {
  const fresh = await freshToken(tools, previous);
  if (fresh && fresh.marker.superseded === undefined) {
    await changeToken(tools, fresh, { marker: { superseded: tools.apiNow() } });
  }
}

/** An armed token, and what it will replace. */
export interface Succession {
  readonly successor: Successor;
  readonly previous: {
    /** The version that had AWSCURRENT before minting. */
    readonly version: string | undefined;
    /** Its token, if that is ours. */
    readonly owned: OwnedToken | undefined;
  };
}

/**
 * Steps 5 to 8: verifies an armed token on the data plane and makes it current. A run that loses the race
 * changes no token after that.
 */
export async function promote(
  entry: TokenPolicy,
  { successor, previous }: Succession,
  tools: ArmingTools,
): Promise<Promotion> {
  const { version } = successor.owned;
  await verify(successor, tools);
  const former = previous.version === version ? undefined : previous.owned;
  if (former) await clearRetirement(former, tools);
  const secret = await tools.secrets.describe(entry.secret);
  if (!secret || holdOf(secret)) return 'held';
  const result =
    promotionIn(secret, version, previous.version) ??
    (await moveCurrent(entry.secret, version, previous.version, tools));
  if (result === 'promoted' && former) await supersede(former, tools);
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

/** Publishes `Token Rotated`. */
export function announceRotation(
  { entry, secretArn, tokenId, previousTokenId, reason }: Rotated,
  { publish }: Pick<Tools, 'publish'>,
): void {
  publish({
    type: 'Token Rotated',
    detail: {
      token: entry.name,
      secret: entry.secret,
      secretArn,
      tokenId,
      ...(previousTokenId !== undefined && { previousTokenId }),
      reason,
    },
  });
}
