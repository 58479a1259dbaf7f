import { counted } from '../run/counted.ts';
import type { MeasureTools } from '../run/look-tools.ts';
import { messageOf } from '../run/message-of.ts';
import { DAY_MS, formatInstant, MINUTE_MS } from '../time.ts';
import { type Bench, createBench, measured } from './bench.ts';
import {
  type Cluster,
  isSuccess,
  MeasurementError,
  mayBeDone,
  openCluster,
  type Said,
} from './cluster.ts';
import { type Conclusion, conclude } from './conclude.ts';
import type { Facts } from './facts.ts';
import { measureChanges, measureLists, measureReads } from './measure-api.ts';
import { measureRouters } from './measure-routers.ts';
import { databaseName, descriptionOf, leftBehind } from './own.ts';

/** Kept for removing what was made. */
const REMOVAL_MS = MINUTE_MS;
/** Kept for the look at the lists, which comes last. */
const LISTS_MS = 20_000;
const SHORTEST_MS = 2 * MINUTE_MS;
/** The first token, which can do nothing, vouches for the database of a measurement that was cut off. */
const WITNESS_MS = 7 * DAY_MS;
/** Of a token that is to be seen expired. */
const BRIEF_MS = 20_000;
/** What a database of no use needs. The API takes no period below an hour. */
const RETENTION_NS = 3_600_000_000_000;

export interface Measurement extends Conclusion {
  /** Its database, which is dropped again. */
  readonly database: string;
  readonly tookSeconds: number;
  /** What an earlier measurement had left, and this one removed. */
  readonly removed: readonly string[];
  /** What is still there, and what to do. */
  readonly left: readonly string[];
}

const isGone = (said: Said) => isSuccess(said) || (said.status === 404 && !said.isForeign);

/** Removes databases first: as long as one is there, a token tells who made it. Says what was removed, and what is left. */
async function remove(
  cluster: Cluster,
  {
    tokens,
    databases,
  }: { readonly tokens: readonly string[]; readonly databases: readonly string[] },
  until: number,
) {
  const removed: string[] = [];
  const left: string[] = [];
  const tell = (said: Said, what: string) => {
    if (isGone(said)) removed.push(what);
    else left.push(`${what}: ${said.problem}; the next measurement tries again`);
  };
  await Promise.all(
    databases.map(async (name) =>
      tell(
        await cluster.insist('DELETE', `/databases/${name}`, undefined, until),
        `database ${name}`,
      ),
    ),
  );
  if (left.length > 0) return { removed, left };
  await Promise.all(
    tokens.map(async (id) =>
      tell(await cluster.insist('DELETE', `/tokens/${id}`, undefined, until), `token ${id}`),
    ),
  );
  return { removed, left };
}

/** What an earlier measurement left, before anything is made. */
async function prepare(cluster: Cluster, tools: MeasureTools) {
  const { policy, now, random, deadline } = tools;
  const [tokens, databases] = await Promise.all([cluster.tokens(), cluster.databases()]);
  const found = leftBehind(tokens, databases, { owner: policy.owner, now: now() });
  if (found.running) {
    const since = formatInstant(found.running.createdAt);
    throw new MeasurementError(
      `another measurement of ${policy.owner} began at ${since} and may be going on; nothing was done. If it was cut off, repeat this a quarter of an hour after that`,
    );
  }
  const database = databaseName(random);
  if (databases.some(({ name }) => name === database && !found.databases.includes(name))) {
    throw new MeasurementError(
      `there is a database ${database} that this measurement has not made; nothing was done. Repeat it: the name is drawn`,
    );
  }
  const earlier = await remove(
    cluster,
    { tokens: found.tokens.map(({ id }) => id), databases: found.databases },
    deadline,
  );
  const unvouched = found.unvouched.map(
    (name) =>
      `database ${name}: it is named like a measurement's, and no token tells who made it; if nobody needs it, delete it by hand`,
  );
  return { database, removed: earlier.removed, left: [...earlier.left, ...unvouched] };
}

async function measureAll(bench: Bench, until: number): Promise<Facts> {
  const { mint } = bench;
  const brief = await measured(() => mint([], BRIEF_MS));
  const subject = await mint([]);
  // Theirs minus ours; `expiresAt` is meant by their clock.
  const aheadMs = subject.token.createdAt - subject.change.to;
  const reads = measureReads(bench, subject.token.id, subject.change, until);
  const parts = [
    measureRouters(bench, until - LISTS_MS),
    reads.then((found) => measureChanges(bench, found, until - LISTS_MS)),
    reads,
  ] as const;
  // What is removed next must not be in use any more, also if a part fails.
  await Promise.allSettled(parts);
  const [routers, changes, seen] = await Promise.all(parts);
  const { deleted, facts } = routers;
  const lists = await measureLists(
    bench,
    {
      deleted,
      expired:
        'why' in brief
          ? brief
          : { value: { id: brief.value.token.id, at: brief.value.expiresAt - aheadMs } },
      living: bench.minted.filter(
        (id) => id !== deleted?.id && !('value' in brief && id === brief.value.token.id),
      ),
      readMs: 'value' in seen ? seen.value.to : 0,
    },
    until,
  );
  return { ...facts, ...changes, ...lists, reads: seen };
}

/** @throws MeasurementError as soon as nobody waits for the measurement any more */
async function orStopped<T>(measuring: Promise<T>, stopped: AbortSignal | undefined): Promise<T> {
  if (!stopped) return await measuring;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new MeasurementError('the measurement was stopped'));
  if (stopped.aborted) stop();
  stopped.addEventListener('abort', stop);
  return await Promise.race([measuring, promise]);
}

/** What is of this measurement, also if an answer was lost: each of its tokens says so. */
async function ownTokens({ tools, cluster, description, minted, unansweredUntil }: Bench) {
  const listed = await measured(() => cluster.tokens());
  const found = 'why' in listed ? [] : listed.value;
  const ours = found.filter(
    (token) => token.revokedAt === undefined && token.description.startsWith(description),
  );
  const ids = [...new Set([...minted, ...ours.map(({ id }) => id)])];
  const until = unansweredUntil();
  if (until === undefined) return { ids, hidden: [] };
  // What is known to be there and is not listed shows that the list does not tell of all.
  const isHidden = async (id: string) => {
    const token = await measured(() => cluster.token(id));
    if ('why' in token) return true;
    const { revokedAt, expiresAt = Infinity } = token.value ?? { expiresAt: 0 };
    return revokedAt === undefined && expiresAt > tools.now();
  };
  const unlisted = minted.filter((id) => !found.some((each) => each.id === id));
  const isWhole = 'value' in listed && !(await Promise.all(unlisted.map(isHidden))).some(Boolean);
  if (isWhole) return { ids, hidden: [] };
  const why = 'why' in listed ? `could not be listed (${listed.why})` : 'are not all listed';
  const hidden = `a token may be there that a minting made whose answer was lost, described "${description}", until it expires at ${formatInstant(until)}: the tokens ${why}; the next measurement deletes it`;
  return { ids, hidden: [hidden] };
}

/**
 * Measures what no document says of this cluster, with a database and tokens of its own, and removes them.
 * @throws MeasurementError if it did not begin, or could not make what it needs
 */
export async function runMeasurement(tools: MeasureTools): Promise<Measurement> {
  const { policy, now, deadline, log } = tools;
  const began = now();
  const until = deadline - REMOVAL_MS;
  if (until - began < SHORTEST_MS) {
    throw new MeasurementError(
      `found ${Math.round((deadline - began) / 1_000)} s, expected at least ${counted((SHORTEST_MS + REMOVAL_MS) / MINUTE_MS, 'minute')} for a measurement; nothing was done. Give the function more time`,
    );
  }
  const cluster = await openCluster(tools, until);
  const { database, removed, left } = await prepare(cluster, tools);
  const description = descriptionOf(policy.owner, database);
  const bench = createBench(tools, cluster, { database, description });
  log.info('a measurement began', { database });
  /** Its name is drawn, and was not there: if nobody knows whether it was made, nobody else has made it. */
  let mayBeMade = false;
  const end = async () => {
    const databases = mayBeMade ? [database] : [];
    await bench.close();
    const { ids, hidden } = await ownTokens(bench);
    const [witness, ...others] = ids;
    const freed = await remove(cluster, { tokens: others, databases: [] }, deadline);
    const tokens = witness === undefined ? [] : [witness];
    const dropped = await remove(cluster, { tokens, databases }, deadline);
    return [...freed.left, ...dropped.left, ...hidden];
  };
  try {
    await bench.mint([], WITNESS_MS);
    const body = { name: database, retentionPeriod: RETENTION_NS };
    const made = await cluster.insist('POST', '/databases', body, until, (said) => {
      mayBeMade ||= mayBeDone(said);
    });
    const isMade = isSuccess(made) || (mayBeMade && made.status === 409);
    mayBeMade ||= isMade;
    if (!isMade) throw new MeasurementError(made.problem);
    const facts = await orStopped(measureAll(bench, until), tools.stopped);
    const still = await end();
    const conclusion = conclude(facts, policy, formatInstant(began));
    const tookSeconds = Math.round((now() - began) / 1_000);
    const measurement = {
      database,
      tookSeconds,
      removed,
      left: [...left, ...still],
      ...conclusion,
    };
    log.info('a measurement ended', { facts, left: measurement.left });
    return measurement;
  } catch (error) {
    const still = await end().catch((ending: unknown) => [messageOf(ending)]);
    const all = [...left, ...still];
    if (all.length > 0 && error instanceof Error) error.message += `; left: ${all.join('; ')}`;
    throw error;
  }
}
