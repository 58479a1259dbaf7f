import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Callers, watchCallers } from '../callers.ts';
import type { Clock } from '../clock.ts';
import { type Call, type Interceptor, passThrough, type Reply } from '../interception.ts';
import { AwsError } from './aws-error.ts';
import { callerIdentity, isCallerIdentity } from './caller-identity.ts';
import { eventOperations } from './event-operations.ts';
import { parseJson } from './json.ts';
import { keyOperations, makeKey } from './key-operations.ts';
import { listOperations } from './list-operations.ts';
import { passwordOperations } from './random-password.ts';
import type { Operation } from './request.ts';
import { resourcePolicyOperations } from './resource-policy.ts';
import { createRotations, type RotationInvoker } from './rotation.ts';
import { scheduleOperations, statusOf } from './schedule-operations.ts';
import { firingOf, type ScheduleDefinition, scheduleKey } from './schedules.ts';
import { secretOperations } from './secret-operations.ts';
import type { AwsState, PublishedEvent } from './state.ts';
import { copy, createStore, own, type Store } from './store.ts';
import { valueOperations } from './value-operations.ts';
import { versionOperations } from './version-operations.ts';

export interface AwsOptions {
  readonly clock: Clock;
  readonly port?: number;
  readonly region?: string;
  readonly accountId?: string;
  readonly intercept?: Interceptor;
  /** Age of the state that ListSecrets shows. In AWS up to five minutes (ListSecrets, API Reference). */
  readonly listLagMs?: number;
  /** The same for DescribeSecret, GetSecretValue, BatchGetSecretValue and ListSecretVersionIds. */
  readonly readLagMs?: number;
  readonly rotationInvoker?: RotationInvoker;
}

/** Secrets Manager, EventBridge, its Scheduler, KMS's keys, and STS on one loopback address. */
export interface Aws extends Callers {
  readonly url: string;
  readonly region: string;
  readonly accountId: string;
  intercept: Interceptor;
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
  readonly state: AwsState;
  snapshot(): AwsState;
  restore(state: AwsState): void;
  /** Resolves when no rotation is running. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Service {
  readonly server: Call['server'];
  readonly operations: Readonly<Record<string, Operation>>;
}

/**
 * Counted separately, because they share a quota of 50 per second:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const WRITES = new Set(['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage']);

export async function startAws(options: AwsOptions): Promise<Aws> {
  const { clock, region = 'eu-west-1', accountId = '123456789012' } = options;
  const store = createStore(clock, region, accountId);
  store.listLagMs = options.listLagMs ?? 0;
  store.readLagMs = options.readLagMs ?? 0;
  let rotationInvoker = options.rotationInvoker;
  const rotations = createRotations(() => rotationInvoker);
  const services = createServices(rotations.operations);
  let intercept = options.intercept ?? passThrough;

  const app = createApp(clock);
  const { forget } = watchCallers(app);
  const answer = async (
    { call, effect }: Routed,
    request: FastifyRequest,
    response: FastifyReply,
  ): Promise<FastifyReply> => {
    store.count(call.operation);
    const reply = await intercept(call, effect);
    if (reply === 'reset') {
      response.hijack();
      request.raw.socket.resetAndDestroy();
      return response;
    }
    return response
      .code(reply.status)
      .headers(reply.headers ?? {})
      .send(reply.body);
  };
  app.post('/', (request, response) => {
    const routed = routeTarget(services, store, request);
    if ('effect' in routed) return answer(routed, request, response);
    return response.code(routed.status).send(routed.body);
  });
  app.route<ScheduleRoute>({
    method: ['GET', 'POST', 'PUT'],
    url: '/schedules/:name',
    handler(request, response) {
      const routed = routeSchedule(store, request);
      if ('effect' in routed) return answer(routed, request, response);
      return response
        .code(routed.status)
        .headers(routed.headers ?? {})
        .send(routed.body);
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });

  return {
    url,
    region,
    accountId,
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
    firing: (name, instant) => firingOf(own(store.state.schedules, scheduleKey(name)), instant),
    get state() {
      return store.state;
    },
    snapshot: () => copy(store.state),
    restore: store.restore,
    settled: rotations.settled,
    forget,
    close: () => app.close(),
  };
}

const createServices = (rotation: Service['operations']): Readonly<Record<string, Service>> => ({
  secretsmanager: {
    server: 'secrets-manager',
    operations: {
      ...secretOperations,
      ...valueOperations,
      ...versionOperations,
      ...listOperations,
      ...resourcePolicyOperations,
      ...passwordOperations,
      ...rotation,
    },
  },
  TrentService: { server: 'kms', operations: keyOperations },
  AWSEvents: { server: 'events', operations: eventOperations },
});

function createApp(clock: Clock): FastifyInstance {
  const app = fastify({ bodyLimit: 4_194_304, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onSend', (_request, response, _body, done) => {
    if (!response.hasHeader('content-type'))
      response.header('content-type', 'application/x-amz-json-1.1');
    response.header('x-amzn-requestid', randomUUID());
    // The SDKs correct their clocks by this header, so it must have the sandbox's time.
    response.header('date', new Date(clock.now()).toUTCString());
    done();
  });
  return app;
}

/** A request that has found its operation. */
interface Routed {
  readonly call: Call;
  readonly effect: () => Reply;
}

const unsigned = () =>
  new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');

function routeTarget(
  services: Readonly<Record<string, Service>>,
  store: Store,
  request: FastifyRequest,
): Reply | Routed {
  const body = String(request.body);
  const caller = header(request, 'x-sandbox-caller');
  // STS is the one service here that is asked by a form.
  if (header(request, 'x-amz-target') === undefined && isCallerIdentity(body)) {
    const headers = { 'content-type': 'text/xml' };
    const effect = () => ({ status: 200, headers, body: callerIdentity(store) });
    return { call: { server: 'sts', operation: 'GetCallerIdentity', caller }, effect };
  }
  const [prefix = '', name = ''] = header(request, 'x-amz-target')?.split('.') ?? [];
  const service = own(services, prefix);
  const operation = service && own(service.operations, name);
  if (service === undefined || operation === undefined)
    return refuse(new AwsError('UnknownOperationException', ''));
  if (header(request, 'authorization') === undefined) return refuse(unsigned());
  const call = {
    server: service.server,
    operation: name,
    caller,
    subject: subjectOf(parseJson(body)),
  };
  return { call, effect: () => carryOut(store, call, operation, body) };
}

interface ScheduleRoute {
  readonly Params: { readonly name: string };
  readonly Querystring: { readonly groupName?: string };
}

/** Scheduler speaks REST: the method and the path say the operation. */
function routeSchedule(store: Store, request: FastifyRequest<ScheduleRoute>): Reply | Routed {
  if (header(request, 'authorization') === undefined) return refuseSchedule(unsigned());
  const { name } = request.params;
  const body = parseJson(String(request.body ?? '{}'));
  const { groupName } = request.query;
  const input = { ...(groupName && { GroupName: groupName }), ...(body as object), Name: name };
  const { GroupName } = input as { readonly GroupName?: string };
  const [operation, run] = scheduleOperations[request.method as keyof typeof scheduleOperations];
  return {
    call: {
      server: 'scheduler',
      operation,
      caller: header(request, 'x-sandbox-caller'),
      subject: scheduleKey(name, GroupName),
    },
    effect: () => tryTo(() => run(store, input), refuseSchedule),
  };
}

const subjectSchema = z.object({
  SecretId: z.string().optional(),
  Name: z.string().optional(),
  KeyId: z.string().optional(),
  Entries: z.array(z.object({ EventBusName: z.string().optional() })).optional(),
});

function subjectOf(body: unknown): string | undefined {
  const { SecretId, Name, KeyId, Entries } = subjectSchema.safeParse(body).data ?? {};
  return SecretId ?? Name ?? KeyId ?? Entries?.[0]?.EventBusName;
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function carryOut(store: Store, { operation: name }: Call, operation: Operation, body: string) {
  if (WRITES.has(name)) store.countWrite(name);
  const parsed = parseJson(body);
  if (parsed === undefined) return refuse(new AwsError('SerializationException', ''));
  return tryTo(() => operation(store, parsed), refuse);
}

function tryTo(run: () => object, refused: (error: AwsError) => Reply): Reply {
  try {
    return { status: 200, body: JSON.stringify(run()) };
  } catch (error) {
    if (error instanceof AwsError) return refused(error);
    throw error;
  }
}

const refuse = (error: AwsError): Reply => ({
  status: 400,
  body: JSON.stringify({ __type: error.code, Message: error.message }),
});

const refuseSchedule = (error: AwsError): Reply => ({
  status: statusOf(error),
  headers: { 'x-amzn-errortype': error.code },
  body: JSON.stringify({ Message: error.message }),
});
