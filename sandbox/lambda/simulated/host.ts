import type { VirtualClock } from '../../virtual-clock.ts';
import type { Host } from '../host.ts';
import type { Instance, LogLine } from '../instance.ts';
import { answerOf, refuseLongEvent } from '../limits.ts';
import { functionError, type Handler } from '../load-handler.ts';
import type { Answer } from '../messages.ts';
import { replaceGlobals } from './globals.ts';
import { replaceNetwork } from './network.ts';
import { type ProcessOptions, SimulatedProcess } from './process.ts';

export interface SimulatedFunction {
  readonly name: string;
  readonly timeoutMs: number;
  /** A cold start. The lines that it and its handler write go to `write`. */
  readonly start: (write: (line: string) => void) => Handler;
}

export interface SimulatedHostOptions extends Omit<ProcessOptions, 'caller' | 'environment'> {
  /** What the environment of an instance has of its own. */
  readonly credentialsOf?: (instanceId: string) => Readonly<Record<string, string>>;
  readonly functions: readonly SimulatedFunction[];
  readonly idPrefix?: string;
  readonly onFrozen?: (instanceId: string) => void;
}

const errorOf = (errorType: string, errorMessage: string): Answer => ({
  error: { errorType, errorMessage, trace: [] },
});

/** One that can be stopped for some time, in the middle of a run as well. */
interface SimulatedInstance extends Instance {
  /** Returns what lets it go on: what fell due meanwhile happens to it then. */
  pause(): () => void;
}

export interface SimulatedHost extends Host {
  /** Stops a process, as a machine that is frozen does: its time-out goes on. Returns what lets it go on. */
  pause(instanceId: string): () => void;
}

/** An instance of a function that is no process of the machine. */
function startInstance(
  id: string,
  { start }: SimulatedFunction,
  options: SimulatedHostOptions,
  write: (line: string) => void,
): SimulatedInstance {
  const environment = options.credentialsOf?.(id) ?? {};
  const process = new SimulatedProcess({ ...options, caller: id, environment });
  let handler: Handler | undefined;
  let state: Instance['state'] = 'warm';
  let end: ((answer: Answer) => void) | undefined;

  const carryOut = async (event: unknown, deadlineAt: number): Promise<Answer> => {
    try {
      handler ??= start(write);
      const { clock } = options;
      const context = { getRemainingTimeInMillis: () => Math.max(0, deadlineAt - clock.now()) };
      const result = await handler(JSON.parse(JSON.stringify(event) ?? 'null'), context);
      return answerOf(JSON.stringify(result) ?? 'null');
    } catch (error) {
      return { error: functionError(error) };
    }
  };

  return {
    id,
    pid: undefined,
    get state() {
      return state;
    },
    invoke({ event, deadlineAt }) {
      state = 'busy';
      return new Promise((resolve) => {
        end = resolve;
        process.thaw();
        process
          .run(() => carryOut(event, deadlineAt))
          .then((answer) => {
            if (process.isDead) return;
            state = 'warm';
            process.freeze();
            options.onFrozen?.(id);
            resolve(answer);
          });
      });
    },
    pause() {
      process.freeze();
      return () => process.thaw();
    },
    kill() {
      state = 'ended';
      process.kill();
      end?.(errorOf('Runtime.ExitError', 'Error: Runtime exited with error: signal: killed'));
      return Promise.resolve();
    },
  };
}

/**
 * Runs functions as Lambda does, but in this process: as many at once as are asked for, each with an instance of its own
 * that is frozen between invocations. Nothing leaves this process, so that the same seed has the same life.
 */
export function createSimulatedHost(options: SimulatedHostOptions): SimulatedHost {
  replaceGlobals();
  replaceNetwork();
  const { clock, functions, idPrefix = '' } = options;
  const instances: { readonly name: string; readonly instance: SimulatedInstance }[] = [];
  const logs: LogLine[] = [];

  const start = (one: SimulatedFunction): SimulatedInstance => {
    const number = instances.filter(({ name }) => name === one.name).length + 1;
    const instanceId = `${idPrefix}${one.name}-${number}`;
    const instance = startInstance(instanceId, one, options, (text) =>
      logs.push({ instanceId, stream: 'stdout', text }),
    );
    instances.push({ name: one.name, instance });
    return instance;
  };

  const find = (id: string): SimulatedInstance => {
    const found = instances.find(({ instance }) => instance.id === id);
    if (!found) throw new Error(`No instance ${id}`);
    return found.instance;
  };

  return {
    async invoke(name, event, { signal } = {}) {
      const one = functions.find((each) => each.name === name);
      if (!one) throw new Error(`No function ${name}`);
      signal?.throwIfAborted();
      refuseLongEvent(event);
      const free = instances.find((each) => each.name === name && each.instance.state === 'warm');
      const instance = free?.instance ?? start(one);
      const { timeoutMs } = one;
      let timedOut = false;
      const cancel = clock.at(clock.now() + timeoutMs, () => {
        timedOut = true;
        instance.kill();
      });
      signal?.addEventListener('abort', () => instance.kill(), { once: true });
      const deadlineAt = clock.now() + timeoutMs;
      const answer = await instance.invoke({ requestId: '', event, functionArn: '', deadlineAt });
      cancel();
      return timedOut
        ? errorOf(
            'Sandbox.Timedout',
            `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`,
          )
        : answer;
    },
    kill: async (id) => find(id).kill(),
    pause: (id) => find(id).pause(),
    get instances() {
      return instances.map(({ instance }) => instance);
    },
    logs,
    forgetLogs() {
      logs.length = 0;
    },
    async close() {
      await Promise.all(instances.map(({ instance }) => instance.kill()));
    },
  };
}

/** A person's own machine, on the same network. */
export function createMachine(options: {
  readonly clock: VirtualClock;
  readonly network: ProcessOptions['network'];
  readonly random: () => number;
}): SimulatedProcess {
  replaceGlobals();
  replaceNetwork();
  return new SimulatedProcess(options);
}
