import type { TokenPolicy } from '../policy/policy.ts';
import { saidOf } from '../run/message-of.ts';
import type { Result } from '../run/outcome.ts';
import type { RotateRequest } from '../run/request.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { FAILED, IN_SYNC, type Replica } from '../secrets-manager/secret.ts';
import { refuseForeignSecret } from '../tokens/claim-secret.ts';
import type { Observation } from '../tokens/observation.ts';
import { type Described, isWatched } from './plan/plan-replicas.ts';
import type { ReplicaAction } from './plan/rotation-action.ts';
import type { Turn } from './turns.ts';

/** How long one run waits for replicas that it asked for, or that are late. */
const WAIT_MS = 30_000;
const PAUSE_MS = 10_000;
/** What is left of the run when it stops to wait. */
const SPARE_MS = 20_000;

/** A replica failed, is not in sync in time, or cannot be looked at. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
}

/** By the name of the secret: what is known of its replicas. Asks only where the policy says something of Regions. */
export async function findReplicas(
  { secrets: listed }: Pick<Observation, 'secrets'>,
  { tokens }: Pick<RotateRequest, 'tokens'>,
  { policy, secrets, log }: Tools,
): Promise<ReadonlyMap<string, Described>> {
  const describe = async ({ secret }: TokenPolicy): Promise<readonly [string, Described][]> => {
    try {
      const found = await secrets.describe(secret);
      return found ? [[secret, found]] : [];
    } catch (error) {
      log.warn('a secret could not be described', { secret, error });
      return [[secret, { unreadable: saidOf(error) }]];
    }
  };
  const wanted = policy.tokens.filter(
    (entry) =>
      (tokens?.includes(entry.name) ?? true) && isWatched(policy, listed.get(entry.secret)),
  );
  return new Map((await Promise.all(wanted.map(describe))).flat());
}

/** One of each Region. A read may lag behind the request: a replica that is not shown is not in sync. */
const inEach = (
  regions: readonly string[],
  replicas: readonly Replica[] = [],
): readonly Replica[] =>
  regions.map(
    (region) => replicas.find((each) => each.region === region) ?? { region, status: '' },
  );

const isSettled = ({ status }: Replica) => status === FAILED || status === IN_SYNC;

/** Looks again until every one of these replicas is in sync or failed, or the time is over. */
async function untilSettled(
  name: string,
  regions: readonly string[],
  asked: readonly Replica[],
  { secrets, now, sleep, deadline }: Tools,
): Promise<readonly Replica[]> {
  const until = Math.min(now() + WAIT_MS, deadline - SPARE_MS);
  let found = inEach(regions, asked);
  while (!found.every(isSettled) && now() + PAUSE_MS <= until) {
    await sleep(PAUSE_MS);
    found = inEach(regions, (await secrets.describe(name))?.replicas);
  }
  return found;
}

const told = ({ region, status, message }: Replica) =>
  `${region}: ${status || 'no status'}${message === undefined ? '' : `, ${message}`}`;

/**
 * Makes the replicas that the action names and the secret still lacks, or that are still failed, or looks at those that were late. A
 * replica that was only just asked for may take longer than this run.
 * @throws ReplicaError if one fails, or was failed or late before and is not in sync
 */
export async function replicate(
  { secret: name, regions, ...action }: ReplicaAction,
  turn: Turn,
  tools: Tools,
): Promise<Result> {
  const { secrets, policy } = tools;
  const secret = await secrets.describe(name);
  if (!secret || secret.deletedAt !== undefined || secret.replica || holdOf(secret)) {
    return 'skipped';
  }
  refuseForeignSecret(secret, policy);
  const replicas = secret.replicas ?? [];
  const there = (region: string) => replicas.find((each) => each.region === region);
  const isWanted = {
    ReplicaMissing: (region: string) => there(region) === undefined,
    ReplicaFailed: (region: string) => there(region)?.status === FAILED,
    ReplicaLate: (region: string) => there(region) !== undefined,
  }[action.reason];
  const wanted = regions.filter(isWanted);
  if (wanted.length === 0) return 'skipped';
  const places = policy.replicaRegions?.filter(({ region }) => wanted.includes(region)) ?? [];
  const asked =
    action.kind === 'replicate' ? await turn(() => secrets.replicate(name, places)) : replicas;
  const found = await untilSettled(name, wanted, asked, tools);
  const mayWait = action.reason === 'ReplicaMissing';
  const wrong = found.filter(({ status }) => (mayWait ? status === FAILED : status !== IN_SYNC));
  if (wrong.length === 0) return 'done';
  throw new ReplicaError(
    `replicas of ${name} are not in sync (${wrong.map(told).join('; ')}); consumers there are refused once the token that they have is retired`,
  );
}
