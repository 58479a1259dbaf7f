import { randomUUID } from 'node:crypto';
import fastify from 'fastify';
import type { Asked, Respond } from '../asked.ts';
import { type Callers, watchCallers } from '../callers.ts';
import type { Clock } from '../clock.ts';
import { type Call, type Interceptor, passThrough, type Reply } from '../interception.ts';
import { createQuotas } from '../quotas.ts';
import { type Account, createAccount, environmentOf } from './account.ts';
import { makeKey } from './key-operations.ts';
import type { Logs } from './logs.ts';
import { quotaOf } from './quotas.ts';
import { createRotations, type RotationInvoker } from './rotation.ts';
import { createServices, route } from './routing.ts';
import { scheduleOperations } from './schedule-operations.ts';
import { firingOf, type ScheduleDefinition, scheduleKey } from './schedules.ts';
import type { AwsState, PublishedEvent } from './state.ts';
import { copy, own } from './store.ts';

export interface AwsOptions {
  readonly clock: Clock;
  readonly port?: number;
  readonly region?: string;
  /** One of its own by default. Servers of several Regions share one, for replicas. */
  readonly account?: Account;
  readonly intercept?: Interceptor;
  /** Refuses what is above the quotas of the account. */
  readonly isThrottling?: boolean;
  /** Age of the state that ListSecrets shows. In AWS up to five minutes (ListSecrets, API Reference). */
  readonly listLagMs?: number;
  /** The same for DescribeSecret, GetSecretValue, BatchGetSecretValue and ListSecretVersionIds. */
  readonly readLagMs?: number;
  readonly rotationInvoker?: RotationInvoker;
  /** Which functions Secrets Manager finds and may invoke; all by default. */
  readonly canInvoke?: (lambdaArn: string) => boolean;
}

/** Secrets Manager, EventBridge, its Scheduler, the lines of CloudWatch Logs, KMS's keys, and STS, behind one address. */
export interface Aws extends Callers {
  readonly url: string;
  readonly region: string;
  readonly accountId: string;
  intercept: Interceptor;
  isThrottling: boolean;
  listLagMs: number;
  readLagMs: number;
  /** Absent: RotateSecret answers that it cannot invoke the function. */
  rotationInvoker: RotationInvoker | undefined;
  /** Receives every event that a bus takes, as the target of a rule does. */
  onEvent: (event: PublishedEvent) => void;
  /** Makes a schedule, or replaces it, as a deploy does. Throws AwsError. */
  deploySchedule(definition: ScheduleDefinition): void;
  /** Makes a KMS key, with a policy or with KMS's default, and an alias of it. Returns its ARN. Throws AwsError. */
  makeKey(policy?: string, alias?: string): string;
  /** The event with which a schedule of the group `default` fires at this instant; undefined: it does not. */
  firing(name: string, instant: number): object | undefined;
  /** The environment in which an instance of a function finds its own credentials. */
  credentialsOf(instanceId: string): Readonly<Record<string, string>>;
  /** What FilterLogEvents finds: whoever runs functions adds their groups. */
  readonly logs: Logs;
  readonly state: AwsState;
  snapshot(): AwsState;
  restore(state: AwsState): void;
  /** Resolves when no rotation is running. */
  settled(): Promise<void>;
  /** Carries out a request that comes over no socket. */
  readonly respond: Respond;
  close(): Promise<void>;
}

/** In the words of the service. */
const THROTTLED: Reply = {
  status: 400,
  body: '{"__type":"ThrottlingException","Message":"Rate exceeded"}',
};

/** One that listens nowhere: whoever knows its name asks it by `respond`. */
export function createAws(options: AwsOptions): Aws {
  const { clock, region = 'eu-west-1', account = createAccount(clock) } = options;
  const store = account.region(region);
  store.listLagMs = options.listLagMs ?? 0;
  store.readLagMs = options.readLagMs ?? 0;
  let rotationInvoker = options.rotationInvoker;
  const { canInvoke = () => true } = options;
  const rotations = createRotations((arn) => (canInvoke(arn) ? rotationInvoker : undefined));
  const services = createServices(rotations.operations);
  let intercept = options.intercept ?? passThrough;
  const callers = watchCallers();
  const take = createQuotas(clock);
  const isTooMany = (call: Call) => {
    const quota = quotaOf(call);
    return quota !== undefined && !take(quota.operations.join(), quota.perSecond);
  };

  const respond = async (asked: Asked): Promise<Reply | 'reset'> => {
    if (callers.isForgotten(asked)) return 'reset';
    const routed = route(services, account, store, asked);
    if (!('effect' in routed)) return complete(routed);
    store.count(routed.call.operation);
    if (aws.isThrottling && isTooMany(routed.call)) return complete(THROTTLED);
    const reply = await intercept(routed.call, routed.effect);
    return reply === 'reset' ? reply : complete(reply);
  };
  const complete = (reply: Reply): Reply => ({
    ...reply,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
      // The SDKs correct their clocks by this header, so it must have the sandbox's time.
      date: new Date(clock.now()).toUTCString(),
      ...reply.headers,
    },
  });

  const aws: Aws = {
    url: 'http://127.0.0.1:4566',
    isThrottling: options.isThrottling ?? false,
    region,
    accountId: account.id,
    get intercept() {
      return intercept;
    },
    set intercept(interceptor) {
      intercept = interceptor;
    },
    get rotationInvoker() {
      return rotationInvoker;
    },
    set rotationInvoker(invoker) {
      rotationInvoker = invoker;
    },
    get onEvent() {
      return store.onEvent;
    },
    set onEvent(onEvent) {
      store.onEvent = onEvent;
    },
    get listLagMs() {
      return store.listLagMs;
    },
    set listLagMs(lagMs) {
      store.listLagMs = lagMs;
    },
    get readLagMs() {
      return store.readLagMs;
    },
    set readLagMs(lagMs) {
      store.readLagMs = lagMs;
    },
    deploySchedule(definition) {
      const key = scheduleKey(definition.Name, definition.GroupName);
      const [, carryOutDeploy] =
        scheduleOperations[own(store.state.schedules, key) ? 'PUT' : 'POST'];
      carryOutDeploy(store, definition);
    },
    makeKey: (policy, alias) => makeKey(store, policy, alias),
    credentialsOf: (instanceId) => environmentOf(account.issue(instanceId)),
    firing: (name, instant) => firingOf(own(store.state.schedules, scheduleKey(name)), instant),
    logs: store.logs,
    get state() {
      return store.state;
    },
    snapshot: () => copy(store.state),
    restore: store.restore,
    settled: rotations.settled,
    respond,
    forget: callers.forget,
    close: () => Promise.resolve(),
  };
  return aws;
}

/** One that listens on a loopback address. */
export async function startAws(options: AwsOptions): Promise<Aws> {
  const aws = createAws(options);
  const app = fastify({ bodyLimit: 4_194_304, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('*', async (request, response) => {
    const { method, url, headers, body } = request;
    const { socket } = request.raw;
    const reply = await aws.respond({
      method,
      url,
      headers,
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      connection: socket,
    });
    if (reply === 'reset') {
      response.hijack();
      socket.resetAndDestroy();
      return response;
    }
    return response
      .code(reply.status)
      .headers(reply.headers ?? {})
      .send(reply.body);
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return Object.assign(aws, { url, close: () => app.close() });
}
