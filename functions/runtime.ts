import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { holdsCredential, redact } from './credentials.ts';
import { createDataPlane } from './data-plane/probe.ts';
import {
  awsCredentialsIn,
  CA_FILE,
  ENVIRONMENT,
  type Measure,
  POLICY_FILE,
  SCHEDULED,
  type ScheduledJob,
  scheduleName,
  uncheckedTls,
} from './environment.ts';
import type { Publish } from './events/events.ts';
import { createPublisher } from './events/publisher.ts';
import { createHeldCredentials, type HeldCredentials, wordsIn } from './held-credentials.ts';
import { createManagementAccess, type ManagementTokenMark } from './management-access.ts';
import { createManagementApi } from './management-api/client.ts';
import { createConnections } from './management-api/connections.ts';
import type { Request } from './management-api/exchange.ts';
import type { ManagementApi } from './management-api/management-api.ts';
import { accountPrefix } from './management-api/prefix.ts';
import { readingOwnWrites } from './management-api/reading-own-writes.ts';
import { createTransport } from './management-api/transport.ts';
import { createMeter } from './metrics.ts';
import { readDeployedPolicy } from './policy/deployed-policy.ts';
import type { DocumentMark, Hashes } from './policy/document-mark.ts';
import type { Policy } from './policy/policy.ts';
import { redacted } from './redacted.ts';
import { type AnswerByHand, type LateAnswer, lateAnswer } from './run/answers.ts';
import { fitted, MOST_BYTES } from './run/fitted.ts';
import type { Address, MeasureTools } from './run/look-tools.ts';
import type { Scheduled } from './run/request.ts';
import type { RunTools } from './run/tools.ts';
import type { ScheduleReader } from './schedules/reader.ts';
import type { ScheduleStatus } from './schedules/schedule-status.ts';
import { offNote } from './schedules/schedule-text.ts';
import { createSecrets } from './secrets-manager/client.ts';
import { readingForward } from './secrets-manager/reading-forward.ts';
import type { ReadKeyPolicy, Secrets } from './secrets-manager/secrets.ts';
import { createSourcePlaces } from './source-places.ts';
import { DAY_MS, LONGEST_RUN_MS } from './time.ts';
import type { TokenValue } from './token-value.ts';

/** A scheduled run is over so long before its schedule fires again. */
const BEFORE_NEXT_MS = 10_000;
/** Kept for the answer and the last log lines. */
const RESERVE_MS = 5_000;
/** Kept for the answer alone, whatever the events take. */
const ANSWER_MS = 1_500;
/** For one look at the cluster, from connecting to the last byte of the answer. */
const LOOK_MS = 10_000;
/** A person who only looks does not wait for what repetitions of a call may yet bring; one that gets no answer lasts longer. */
const LOOK_PATIENCE_MS = 20_000;
/** A person waits for the answer of their order, and the events are only hints; nobody waits for a schedule's. */
const LONGEST_FLUSH_BY_HAND_MS = 10_000;

/** The part of Lambda's context that a run needs. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
}

type Work<T> = (tools: RunTools) => Promise<T>;

/** A function that has a schedule, and what its schedule said; absent: a person invokes it. */
export interface Invocation {
  readonly job: ScheduledJob;
  readonly scheduled?: Scheduled | undefined;
  /** A look changes nothing, and no metric: alarms go by what the runs that act have found. */
  readonly dryRun?: boolean | undefined;
}

/** The answer of a run, which had a management token. */
type RunByHand<T> = AnswerByHand<T> & { readonly managementToken: ManagementTokenMark };

export interface Runtime {
  readonly policy: Policy;
  /**
   * Prepares the tools of a run, runs `work`, and publishes the events even if `work` failed.
   * @param isLook a person waits and nothing is changed: calls to a cluster that says nothing are not repeated for long
   */
  run<T>(context: InvocationContext, work: Work<T>, isLook?: boolean): Promise<T>;
  /**
   * As `run`. If a schedule invoked the function, the run is over before the schedule fires again; else the
   * answer says whether that schedule is on. One that has just fired is.
   */
  runScheduled<T extends object>(
    invocation: Invocation,
    context: InvocationContext,
    work: Work<T>,
  ): Promise<T | RunByHand<T> | LateAnswer>;
  /**
   * Looks at what a run of this job needs, and writes no metric. It looks on where a run would end: the management token need
   * not be there.
   */
  examine<T extends object>(
    job: ScheduledJob,
    context: InvocationContext,
    look: (tools: MeasureTools) => Promise<T>,
    longestMs: number,
  ): Promise<AnswerByHand<T>>;
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What differs between Lambda (its asset and environment) and a laptop (its files). */
export interface Origin {
  readonly policy: Policy;
  /** Of the policy as it was written, without `deployment`. Absent: nobody compares it. */
  readonly mark?: DocumentMark;
  /** As in `DocumentMark`. */
  readonly deployment?: Hashes | undefined;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: string | undefined;
  readonly log: RunTools['log'];
  /** How many bytes of an answer come through; what is longer loses items of its lists. Absent: any number. */
  readonly longestAnswer?: number;
  /** Receives one line of metrics, as an object with the keys at its root. Absent: no metrics. */
  readonly writeMetrics?: (line: object) => void;
  /** For `isMetric`; absent: all. */
  readonly metrics?: string | undefined;
  /** Absent: every run reads it from the secret that the policy names, or gets it from the identity provider. */
  readonly managementToken?: TokenValue | undefined;
  /** Says of places in a bundle where they are in the source. Absent: nothing is bundled. */
  readonly inSource?: (text: string) => string;
  /** As in `RunTools`. */
  readonly nextRunMs?: number | undefined;
  /** As in `RunTools`. */
  readonly thirdRunMs?: number | undefined;
}

/**
 * The runtime of a function: the policy in its asset, and a log of JSON lines.
 * @throws Error if the policy in the asset cannot be used
 */
export function loadRuntime(): Runtime {
  const { env } = process;
  for (const name of Object.values(ENVIRONMENT)) {
    if (holdsCredential(env[name] ?? ''))
      throw new Error(`found a token string in ${name}, expected a name: deploy the stack again`);
  }
  const root = env.LAMBDA_TASK_ROOT ?? '.';
  const deployed = readDeployedPolicy(readFileSync(join(root, POLICY_FILE), 'utf8'));
  const { file } = deployed.policy;
  const policy = { ...deployed.policy, file: env[ENVIRONMENT.policyFile] ?? file };
  policy.encryptionKey = env[ENVIRONMENT.encryptionKey] ?? policy.encryptionKey;
  policy.isDeployed = true;
  policy.eventBus = env[ENVIRONMENT.eventBus] ?? policy.eventBus;
  policy.secretTags = JSON.parse(env[ENVIRONMENT.secretTags] ?? '{}');
  const replicaRegions = env[ENVIRONMENT.replicaRegions];
  if (replicaRegions) policy.replicaRegions = JSON.parse(replicaRegions);
  const logger = new Logger({ serviceName: `keyturn/${policy.owner}` });
  return createRuntime({
    policy,
    mark: deployed.mark,
    deployment: JSON.parse(env[ENVIRONMENT.deployment] ?? 'null') ?? undefined,
    ca: readOptional(join(root, CA_FILE)),
    log: {
      info: (message, details) => logger.info(message, { details }),
      warn: (message, details) => logger.warn(message, { details }),
      error: (message, { error, ...details }) =>
        logger.error(message, { details, error: error as Error }),
    },
    inSource: createSourcePlaces(root, (file) => readOptional(join(root, `${file}.map`))),
    longestAnswer: MOST_BYTES,
    nextRunMs: secondsIn(env[ENVIRONMENT.nextRunSeconds]),
    thirdRunMs: secondsIn(env[ENVIRONMENT.thirdRunSeconds]),
    metrics: env[ENVIRONMENT.metrics],
    writeMetrics: (line) => logger.info('measured', { ...line }),
  });
}

type Clean = <T>(value: T) => T;

/** What servers and people said may have a credential in it, and a log keeps it for years. */
const redactingLog = ({ info, warn, error }: RunTools['log'], clean: Clean): RunTools['log'] => ({
  info: (message, details) => info(message, clean(details)),
  warn: (message, details) => warn(message, clean(details)),
  error: (message, details) => error(message, clean(details)),
});

const holdingSecrets = (secrets: Secrets, held: HeldCredentials): Secrets => ({
  ...secrets,
  async value(name, version) {
    const found = await secrets.value(name, version);
    if (found) held.holdAllIn(found.reveal());
    return found;
  },
});

const holdingTokens = (api: ManagementApi, held: HeldCredentials): ManagementApi => ({
  ...api,
  async createToken(token) {
    const minted = await api.createToken(token);
    held.hold(minted.value.reveal());
    return minted;
  },
});

/** Nobody sees the answer of a run that fails: its error says as well that the schedule is off. */
function withNote(error: unknown, schedule: ScheduleStatus): unknown {
  const note = offNote(schedule);
  if (note !== undefined && error instanceof Error) error.message += `\n${note}`;
  return error;
}

const secondsIn = (text: string | undefined) => (text ? Number(text) * 1_000 : undefined);

/** The only place that reads the clock, draws random numbers and makes clients. */
export function createRuntime(origin: Origin): Runtime {
  const { policy, mark, ca, managementToken: given, inSource = (text) => text } = origin;
  const { longestAnswer = Number.POSITIVE_INFINITY } = origin;
  const held = createHeldCredentials(wordsIn(policy));
  for (const credential of awsCredentialsIn(process.env)) held.hold(credential);
  /** The only way out: it knows what has the form of a credential, and every one that was held. */
  const clean: Clean = (value) => redacted(value, (text) => inSource(held.redact(redact(text))));
  const log = redactingLog(origin.log, clean);
  /**
   * Whatever a run begins keeps that run's deadline, however late it is called back: what a run that failed left in a
   * queue is not sent by the time of the next one.
   */
  const deadlines = new AsyncLocalStorage<{ at: number; readonly isLook?: boolean | undefined }>();
  let running = 0;
  const timing = { now: () => Date.now(), random: () => Math.random(), sleep };
  const shared = { ...timing, deadline: () => deadlines.getStore()?.at ?? 0 };
  const unchecked = uncheckedTls(process.env);
  if (unchecked !== undefined) throw new Error(unchecked);
  const { cluster } = policy;
  const secrets = holdingSecrets(
    createSecrets({ ...shared, writesPerSecond: policy.secretWritesPerSecond }),
    held,
  );
  const access = createManagementAccess({
    ...{ cluster, given, secrets, held },
    async openBearers(client) {
      const { createManagementBearers } = await import('#identity-provider');
      const hold = (token: TokenValue) => held.hold(token.reveal());
      const connect = createConnections;
      return createManagementBearers({ ...shared, client, ca, connect, hold, warn: log.warn });
    },
  });
  const api = holdingTokens(
    createManagementApi({
      ...shared,
      url: cluster.url,
      token: access.bearer,
      another: access.another,
      refusedToken: access.refusal,
      patienceMs: () =>
        deadlines.getStore()?.isLook ? LOOK_PATIENCE_MS : Number.POSITIVE_INFINITY,
      connections: policy.concurrency,
      ca,
      ...(cluster.accountId &&
        cluster.clusterId && { prefix: accountPrefix(cluster.accountId, cluster.clusterId) }),
    }),
    held,
  );
  const dataPlane = createDataPlane({
    ...shared,
    url: cluster.dataUrl ?? cluster.url,
    connections: policy.concurrency,
    ca,
  });
  const publisher = createPublisher({
    owner: policy.owner,
    bus: policy.eventBus,
    warn: log.warn,
    sleep,
    random: timing.random,
  });
  const meter = createMeter({
    owner: policy.owner,
    now: timing.now,
    wanted: origin.metrics ?? 'full',
    write: origin.writeMetrics ?? (() => {}),
  });

  let readKeyPolicy: ReadKeyPolicy | undefined;
  const keyPolicy: ReadKeyPolicy = async (key) => {
    const { createKeyPolicyReader } = await import('#key-policy-reader');
    readKeyPolicy ??= createKeyPolicyReader(shared);
    return readKeyPolicy(key);
  };

  let scheduleReader: ScheduleReader | undefined;

  /** Never rejects: a run does its work whether its schedule can be read or not. */
  async function askSchedule(job: ScheduledJob): Promise<ScheduleStatus> {
    const name = scheduleName(policy.owner, job);
    try {
      const { createScheduleReader } = await import('#schedule-reader');
      scheduleReader ??= createScheduleReader();
      const schedule = await scheduleReader.read(name);
      if (schedule.state === 'unknown') throw new Error('the answer names no state of a schedule');
      if (schedule.state !== 'on') log.warn('the schedule does not fire', { schedule });
      return schedule;
    } catch (error) {
      log.warn('it is not known whether the schedule fires', { schedule: name, error });
      return { name, state: 'unknown' };
    }
  }

  /** On a connection of its own, so that each look meets what a first one would. */
  async function sendOnce(address: Address, request: Request) {
    const transport = createTransport({
      url: address === 'dataPlane' ? (cluster.dataUrl ?? cluster.url) : cluster.url,
      ca,
      connections: 1,
      keepAlive: false,
      connectTimeoutMs: LOOK_MS / 2,
      totalMs: LOOK_MS,
    });
    try {
      return await transport.send(request);
    } finally {
      await transport.disconnect();
    }
  }

  const policyMark = (): DocumentMark | undefined =>
    mark && { ...mark, deployment: origin.deployment };

  async function withTools<T>(work: Work<T>, deadline: number, measure: Measure): Promise<T> {
    const { expiresAt } = await access.find();
    if (Number.isNaN(expiresAt)) log.warn('the management token has an unreadable expiresAt', {});
    else if (expiresAt !== undefined && Number.isFinite(expiresAt)) {
      measure({ managementTokenDays: (expiresAt - timing.now()) / DAY_MS });
    }
    const publish: Publish = (event) => publisher.publish(clean(event));
    return work({
      ...timing,
      policy,
      api: readingOwnWrites(api),
      secrets: readingForward(secrets, timing),
      keyPolicy,
      dataPlane,
      publish,
      measure,
      log,
      policyMark,
      askSchedules: () => Promise.all(SCHEDULED.map(askSchedule)),
      deadline,
      nextRunMs: origin.nextRunMs,
      thirdRunMs: origin.thirdRunMs,
    });
  }

  /** Lambda freezes the process now: what is open could be dead when the next run begins. */
  async function disconnect(): Promise<void> {
    secrets.disconnect();
    publisher.disconnect();
    scheduleReader?.disconnect();
    await Promise.all([api.disconnect(), access.disconnect()]);
  }

  /**
   * @param end the instant by which this run must be over
   * @param waited whether somebody waits for the answer
   * @param isLook whether nothing is changed, so that nothing is lost if it fails
   * @param begin gets the instant after which nothing is sent any more
   */
  async function runUntil<T>(
    {
      end,
      waited,
      isLook,
    }: { readonly end: number; readonly waited: boolean; readonly isLook?: boolean | undefined },
    context: InvocationContext,
    begin: (deadline: number) => Promise<T>,
  ): Promise<T> {
    const deadline = { at: end - RESERVE_MS, isLook };
    running += 1;
    try {
      const worked = deadlines.run(deadline, () => begin(deadline.at));
      const answer = await worked.finally(() => {
        deadline.at = 0; // nothing that a failed run left behind is sent any more
        // First of all, so that a process that ends while it tells the rest has measured its work.
        meter.flush();
      });
      return clean(fitted(answer, longestAnswer));
    } catch (error) {
      throw clean(error);
    } finally {
      // Also of a run that failed: what its other tokens did is told once, and an alarm can wait for a quarter of an hour.
      const patienceMs = waited ? 0 : end - timing.now();
      const lostEvents = await publisher.flush(
        Math.min(
          Math.max(patienceMs, LONGEST_FLUSH_BY_HAND_MS),
          context.getRemainingTimeInMillis() - ANSWER_MS,
        ),
      );
      if (lostEvents > 0) meter.measure({ lostEvents });
      meter.flush();
      running -= 1;
      if (running === 0) await disconnect();
    }
  }

  const withWork =
    <T>(work: Work<T>, measure: Measure = meter.measure) =>
    (deadline: number) =>
      withTools(work, deadline, measure);

  /** The answer of `work`, and what its function's schedule is like. */
  async function besideSchedule<T extends object>(
    job: ScheduledJob,
    work: () => Promise<T>,
  ): Promise<AnswerByHand<T>> {
    const schedule = await askSchedule(job);
    try {
      return {
        ...(await work()),
        schedule,
        policy: policyMark(),
      };
    } catch (error) {
      throw withNote(error, schedule);
    }
  }

  const longestEnd = (context: InvocationContext) =>
    timing.now() + Math.min(context.getRemainingTimeInMillis(), LONGEST_RUN_MS);

  return {
    policy,
    run: (context, work, isLook) =>
      runUntil({ end: longestEnd(context), waited: true, isLook }, context, withWork(work)),
    runScheduled<T extends object>(
      { job, scheduled, dryRun = false }: Invocation,
      context: InvocationContext,
      work: Work<T>,
    ) {
      const longest = longestEnd(context);
      const measure = dryRun ? () => {} : meter.measure;
      if (!scheduled) {
        const byHand: Work<RunByHand<T>> = async (tools) => ({
          ...(await besideSchedule(job, () => work(tools))),
          managementToken: access.mark(),
        });
        return runUntil(
          { end: longest, waited: true, isLook: dryRun },
          context,
          withWork(byHand, measure),
        );
      }
      const next = scheduled.at + scheduled.nextInSeconds * 1_000;
      const end = Math.min(longest, next - BEFORE_NEXT_MS);
      if (end - RESERVE_MS <= timing.now()) {
        const late = lateAnswer(scheduled, end);
        log.warn('late', { at: late.at, until: late.until });
        return Promise.resolve(late);
      }
      // Not where a run is late: one alarm asks whether schedules still begin runs that do something.
      measure({ scheduledRun: job });
      return runUntil({ end, waited: false }, context, withWork(work, measure));
    },
    examine: (job, context, look, longestMs) =>
      runUntil(
        { end: Math.min(longestEnd(context), timing.now() + longestMs), waited: true },
        context,
        (deadline) =>
          besideSchedule(job, () =>
            look({
              ...timing,
              policy,
              log,
              managementToken: access.find,
              secrets,
              send: sendOnce,
              deadline,
            }),
          ),
      ),
  };
}
