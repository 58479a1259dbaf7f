import { z } from 'zod';
import type { Asked } from '../asked.ts';
import type { Call, Reply } from '../interception.ts';
import type { Account } from './account.ts';
import { alarmOperations } from './alarm-operations.ts';
import { authenticate, type Place } from './authenticate.ts';
import { AwsError } from './aws-error.ts';
import { callerIdentity, isCallerIdentity, stsError } from './caller-identity.ts';
import { eventOperations } from './event-operations.ts';
import { parseJson } from './json.ts';
import { keyOperations } from './key-operations.ts';
import { lambdaOperations } from './lambda-operations.ts';
import { listOperations } from './list-operations.ts';
import { logOperations } from './log-operations.ts';
import { passwordOperations } from './random-password.ts';
import { replicationOperations } from './replication.ts';
import type { Operation } from './request.ts';
import { resourcePolicyOperations } from './resource-policy.ts';
import { scheduleOperations, statusOf } from './schedule-operations.ts';
import { scheduleKey } from './schedules.ts';
import { secretOperations } from './secret-operations.ts';
import { own, type Store } from './store.ts';
import { valueOperations } from './value-operations.ts';
import { versionOperations } from './version-operations.ts';

interface Service {
  readonly server: Call['server'];
  /** For which a request is signed. */
  readonly scope: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

/**
 * Counted separately, because they share a quota of 50 per second:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const WRITES = new Set([
  'PutSecretValue',
  'UpdateSecret',
  'UpdateSecretVersionStage',
  ...Object.keys(replicationOperations),
]);

export const createServices = (
  rotation: Service['operations'],
): Readonly<Record<string, Service>> => ({
  secretsmanager: {
    server: 'secrets-manager',
    scope: 'secretsmanager',
    operations: {
      ...secretOperations,
      ...valueOperations,
      ...versionOperations,
      ...listOperations,
      ...resourcePolicyOperations,
      ...replicationOperations,
      ...passwordOperations,
      ...rotation,
    },
  },
  TrentService: { server: 'kms', scope: 'kms', operations: keyOperations },
  Logs_20140328: { server: 'logs', scope: 'logs', operations: logOperations },
  GraniteServiceVersion20100801: {
    server: 'cloudwatch',
    scope: 'monitoring',
    operations: alarmOperations,
  },
  AWSEvents: { server: 'events', scope: 'events', operations: eventOperations },
});

/** A request that has found its operation. */
export interface Routed {
  readonly call: Call;
  readonly effect: () => Reply;
}

/** Undefined: it is believed. */
function unbelieved(asked: Asked, place: Place): AwsError | undefined {
  try {
    authenticate(asked, place);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

function routeTarget(
  services: Readonly<Record<string, Service>>,
  account: Account,
  store: Store,
  asked: Asked,
): Reply | Routed {
  const { region } = store;
  const body = asked.body.toString();
  const caller = header(asked, 'x-sandbox-caller');
  // STS is the one service here that is asked by a form.
  if (header(asked, 'x-amz-target') === undefined && isCallerIdentity(body)) {
    const headers = { 'content-type': 'text/xml' };
    const error = unbelieved(asked, { account, region, service: 'sts' });
    if (error) return { status: 403, headers, body: stsError(error) };
    const effect = () => ({ status: 200, headers, body: callerIdentity(store) });
    return { call: { server: 'sts', operation: 'GetCallerIdentity', caller }, effect };
  }
  const [prefix = '', name = ''] = header(asked, 'x-amz-target')?.split('.') ?? [];
  const service = own(services, prefix);
  const operation = service && own(service.operations, name);
  if (service === undefined || operation === undefined)
    return refuse(new AwsError('UnknownOperationException', ''));
  const error = unbelieved(asked, { account, region, service: service.scope });
  if (error) return refuse(error);
  const call = {
    server: service.server,
    operation: name,
    caller,
    subject: subjectOf(parseJson(body)),
  };
  return { call, effect: () => carryOut(store, call, operation, body) };
}

/** Scheduler speaks REST: the method and the path say the operation. */
function routeSchedule(account: Account, store: Store, asked: Asked): Reply | Routed {
  const error = unbelieved(asked, { account, region: store.region, service: 'scheduler' });
  if (error) return { ...refuseRest(error), status: 403 };
  const { pathname, searchParams } = new URL(asked.url, 'http://localhost');
  const name = decodeURIComponent(pathname.slice(SCHEDULES.length));
  const body = parseJson(asked.body.toString() || '{}');
  const groupName = searchParams.get('groupName');
  const input = { ...(groupName && { GroupName: groupName }), ...(body as object), Name: name };
  const { GroupName } = input as { readonly GroupName?: string };
  const [operation, run] = scheduleOperations[asked.method as keyof typeof scheduleOperations];
  return {
    call: {
      server: 'scheduler',
      operation,
      caller: header(asked, 'x-sandbox-caller'),
      subject: scheduleKey(name, GroupName),
    },
    effect: () => tryTo(() => run(store, input), refuseRest),
  };
}

/** Undefined: it is no request to Lambda. */
function routeLambda(account: Account, store: Store, asked: Asked): Reply | Routed | undefined {
  const { pathname } = new URL(asked.url, 'http://localhost');
  const found = lambdaOperations.find(
    ({ method, path }) => method === asked.method && path.test(pathname),
  );
  if (!found) return undefined;
  const error = unbelieved(asked, { account, region: store.region, service: 'lambda' });
  if (error) return { ...refuseRest(error), status: 403 };
  const { operation, path, run } = found;
  const name = decodeURIComponent(path.exec(pathname)?.[1] ?? '');
  return {
    call: {
      ...{ server: 'lambda', operation, caller: header(asked, 'x-sandbox-caller') },
      ...(name !== '' && { subject: name }),
    },
    effect: () => tryTo(() => run(store, name), refuseRest),
  };
}

const subjectSchema = z.object({
  SecretId: z.string().optional(),
  Name: z.string().optional(),
  KeyId: z.string().optional(),
  logGroupName: z.string().optional(),
  Entries: z.array(z.object({ EventBusName: z.string().optional() })).optional(),
});

function subjectOf(body: unknown): string | undefined {
  const { SecretId, Name, KeyId, logGroupName, Entries } = subjectSchema.safeParse(body).data ?? {};
  return SecretId ?? Name ?? KeyId ?? logGroupName ?? Entries?.[0]?.EventBusName;
}

function header({ headers }: Asked, name: string): string | undefined {
  const value = headers[name];
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

const refuseRest = (error: AwsError): Reply => ({
  status: statusOf(error),
  headers: { 'x-amzn-errortype': error.code },
  body: JSON.stringify({ Message: error.message }),
});

const SCHEDULES = '/schedules/';

const nowhere = ({ method, url }: Asked): Reply => ({
  status: 404,
  body: JSON.stringify({ message: `Route ${method}:${url} not found` }),
});

/** Finds what answers a request: a Reply, if nothing does. */
export function route(
  services: Readonly<Record<string, Service>>,
  account: Account,
  store: Store,
  asked: Asked,
): Reply | Routed {
  const { method, url } = asked;
  if (method === 'POST' && url === '/') return routeTarget(services, account, store, asked);
  const isOfSchedule = url.startsWith(SCHEDULES) && method in scheduleOperations;
  if (isOfSchedule) return routeSchedule(account, store, asked);
  return routeLambda(account, store, asked) ?? nowhere(asked);
}
