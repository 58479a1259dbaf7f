import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { VirtualClock } from '../virtual-clock.ts';
import type { LambdaFunction } from './functions.ts';
import { type Instance, type LogLine, startInstance } from './instance.ts';
import { refuseLongEvent } from './limits.ts';
import type { Answer } from './messages.ts';

export interface HostOptions {
  readonly clock: Clock;
  readonly functions: readonly LambdaFunction[];
  /** Overrides the template's environment: endpoints, Region. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is added to it for each instance. */
  readonly credentialsOf?: (instanceId: string) => Readonly<Record<string, string>>;
  /**
   * Milliseconds of virtual time that a process takes for each millisecond of CPU; 0 by default, because a machine is
   * not as fast each time.
   */
  readonly cpuFactor?: number;
  readonly accountId?: string;
  /** Prefix of the instances' ids, for several hosts that share a clock or a server. */
  readonly idPrefix?: string;
  /** Contents that replace the asset's `policy.json`, in this host's copy. */
  readonly policyAsset?: string;
  /** Called with the id of an instance whose process is frozen until its next invocation. */
  readonly onFrozen?: (instanceId: string) => void;
}

export interface Host {
  /**
   * Runs a function, by its short name, in a separate process: a warm one if one is free. With a
   * virtual clock, wait for the answer with `clock.waitFor`. Aborting kills the process.
   */
  invoke(
    name: string,
    event: unknown,
    options?: {
      readonly signal?: AbortSignal;
      /** The same for each attempt of an event. */
      readonly requestId?: string;
    },
  ): Promise<Answer>;
  /** Kills a process at once; resolves when it has ended. */
  kill(instanceId: string): Promise<void>;
  /** All instances, also those that have ended. */
  readonly instances: readonly Instance[];
  readonly logs: readonly LogLine[];
  forgetLogs(): void;
  close(): Promise<void>;
}

const defaultRegion = 'eu-west-1';
const defaultAccountId = '123456789012';

/** Runs functions as Lambda does: each instance is a process without the environment of this one. */
export function createHost(options: HostOptions): Host {
  const clock = options.clock instanceof VirtualClock ? options.clock : undefined;
  const functions = new Map(options.functions.map((one) => [one.name, one]));
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-lambda-'));
  const taskRoots = new Map<string, string>();
  const instances: { readonly functionName: string; readonly instance: Instance }[] = [];
  const logs: LogLine[] = [];
  let requests = 0;

  // A copy: in its own folder the asset would find this repository's package.json and node_modules.
  const taskRootOf = ({ assetDirectory }: LambdaFunction): string => {
    const known = taskRoots.get(assetDirectory);
    if (known !== undefined) return known;
    const taskRoot = join(directory, `task-${taskRoots.size + 1}`);
    cpSync(assetDirectory, taskRoot, { recursive: true });
    if (options.policyAsset !== undefined) {
      writeFileSync(join(taskRoot, 'policy.json'), options.policyAsset);
    }
    taskRoots.set(assetDirectory, taskRoot);
    return taskRoot;
  };

  const start = (one: LambdaFunction): Instance => {
    const started = instances.filter(({ functionName }) => functionName === one.name).length;
    const id = `${options.idPrefix ?? ''}${one.name}-${started + 1}`;
    const taskRoot = taskRootOf(one);
    const temporary = join(directory, `tmp-${instances.length + 1}`);
    mkdirSync(temporary);
    const [, module = '', exportName = ''] = /^(.*)\.([^.]+)$/.exec(one.handler) ?? [];
    const instance = startInstance({
      id,
      module: join(taskRoot, module),
      exportName,
      taskRoot,
      temporary,
      memoryMb: one.memoryMb,
      clock,
      cpuFactor: options.cpuFactor ?? 0,
      environment: {
        // The next process of the same code starts three times as fast.
        NODE_COMPILE_CACHE: join(directory, 'compiled'),
        TMPDIR: temporary,
        ...environmentOf(one, taskRoot, id),
        ...options.environment,
        ...options.credentialsOf?.(id),
      },
      onLine: (line) => logs.push(line),
      onFrozen: () => options.onFrozen?.(id),
    });
    instances.push({ functionName: one.name, instance });
    return instance;
  };

  return {
    invoke: async (name, event, { signal, requestId: given } = {}) => {
      const one = functions.get(name);
      if (one === undefined) {
        throw new Error(`No function ${name}; there are: ${[...functions.keys()].join(', ')}`);
      }
      signal?.throwIfAborted();
      refuseLongEvent(event);
      const free = instances.find(
        ({ functionName, instance }) => functionName === name && instance.state === 'warm',
      );
      const instance = free?.instance ?? start(one);
      requests += 1;
      const requestId = given ?? `00000000-0000-4000-8000-${String(requests).padStart(12, '0')}`;
      const region = options.environment?.AWS_REGION ?? defaultRegion;
      const accountId = options.accountId ?? defaultAccountId;
      let timedOut = false;
      const cancelDeadline = callAfter(clock, one.timeoutMs, () => {
        timedOut = true;
        instance.kill();
      });
      const onAbort = () => instance.kill();
      signal?.addEventListener('abort', onAbort, { once: true });
      const answer = await instance.invoke({
        requestId,
        event,
        functionArn: `arn:aws:lambda:${region}:${accountId}:function:${one.functionName}`,
        deadlineAt: options.clock.now() + one.timeoutMs,
      });
      cancelDeadline();
      signal?.removeEventListener('abort', onAbort);
      return timedOut ? timeoutError(requestId, one.timeoutMs) : answer;
    },
    kill: async (instanceId) => {
      const found = instances.find(({ instance }) => instance.id === instanceId);
      if (found === undefined) throw new Error(`No instance ${instanceId}`);
      await found.instance.kill();
    },
    get instances() {
      return instances.map(({ instance }) => instance);
    },
    logs,
    forgetLogs() {
      logs.length = 0;
    },
    close: async () => {
      await Promise.all(instances.map(({ instance }) => instance.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function environmentOf(one: LambdaFunction, taskRoot: string, id: string): Record<string, string> {
  return {
    ...(process.env.PATH === undefined ? {} : { PATH: process.env.PATH }),
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    AWS_REGION: defaultRegion,
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: one.handler,
    AWS_LAMBDA_FUNCTION_NAME: one.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(one.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${one.functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: id,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    ...one.environment,
  };
}

function callAfter(clock: VirtualClock | undefined, ms: number, callback: () => void): () => void {
  if (clock !== undefined) return clock.at(clock.now() + ms, callback);
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

function timeoutError(requestId: string, timeoutMs: number): Answer {
  const seconds = (timeoutMs / 1000).toFixed(2);
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`;
  return { error: { errorType: 'Sandbox.Timedout', errorMessage, trace: [] } };
}
