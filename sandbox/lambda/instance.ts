import { fork } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Membership, VirtualClock } from '../virtual-clock.ts';
import { answerOf, peakMemoryMb } from './limits.ts';
import { type Answer, endOfInvocation, type FromWorker, THAW, type ToWorker } from './messages.ts';

export interface LogLine {
  readonly instanceId: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface InstanceOptions {
  readonly id: string;
  /** The handler's module in the unpacked asset, without its file extension. */
  readonly module: string;
  readonly exportName: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The unpacked asset, which is the working directory and cannot be written to. */
  readonly taskRoot: string;
  /** The folder that can be. */
  readonly temporary: string;
  readonly memoryMb: number;
  /** Absent: the process uses real time. */
  readonly clock: VirtualClock | undefined;
  readonly cpuFactor: number;
  readonly onLine: (line: LogLine) => void;
  /** Called after each invocation, when the process is frozen. */
  readonly onFrozen: () => void;
}

export interface Invocation {
  readonly requestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  readonly deadlineAt: number;
}

export interface Instance {
  readonly id: string;
  readonly pid: number | undefined;
  readonly state: 'warm' | 'busy' | 'ended';
  /** One at a time. If the process ends meanwhile, the answer is `Runtime.ExitError`. */
  invoke(invocation: Invocation): Promise<Answer>;
  /** Kills the process at once; resolves when it has ended. */
  kill(): Promise<void>;
}

interface Running {
  readonly requestId: string;
  missing: number;
  answer: Answer | undefined;
  readonly resolve: (answer: Answer) => void;
}

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));

export function startInstance(options: InstanceOptions): Instance {
  const { id, clock } = options;
  const child = fork(worker, [], {
    env: options.environment,
    cwd: options.taskRoot,
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      ...['--permission', '--allow-fs-read=*', `--allow-fs-write=${options.temporary}`],
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  const thaw = child.stdio[THAW] as Writable;
  thaw.on('error', () => {}); // the process has ended

  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(describeExit(code, signal)));
  });
  const send = (message: ToWorker) => {
    if (child.connected) child.send(message, () => {});
  };
  let state: Instance['state'] = 'warm';
  let isFrozen = false;
  let isKilled = false;
  let turn = 0;
  let membership: Membership | undefined;
  let running: Running | undefined;
  const acknowledgements = new Map<number, () => void>();

  ended.then((reason) => {
    state = 'ended';
    clearInterval(watch);
    for (const acknowledge of acknowledgements.values()) acknowledge();
    membership?.leave();
    running?.resolve(exitError(running.requestId, reason));
  });
  send({
    kind: 'start',
    instanceId: id,
    module: options.module,
    exportName: options.exportName,
    now: clock?.now(),
    cpuFactor: options.cpuFactor,
  });
  child.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'result':
        afterWork(message.workedUntil, () => arrived(answerOf(message.result)));
        break;
      case 'error':
        afterWork(message.workedUntil, () => arrived({ error: message.error }));
        break;
      case 'held':
        acknowledgements.get(message.turn)?.();
        acknowledgements.delete(message.turn);
        break;
      case 'asleep':
        if (message.turn !== turn) break;
        afterWork(message.workedUntil, () => {
          if (message.turn === turn) membership?.asleep(message.until, wake);
        });
        break;
      case 'awake':
        if (message.turn === turn) membership?.awake();
        break;
      default:
        message satisfies never;
    }
  });

  /** Lambda kills a process that has more memory than its function. */
  const killIfTooLarge = (): boolean => {
    const isTooLarge = peakMemoryMb(child.pid) > options.memoryMb;
    if (isTooLarge) kill();
    return isTooLarge;
  };
  let watch: NodeJS.Timeout | undefined;

  const kill = async (): Promise<void> => {
    // Time does not move until it has ended, whatever it reported last.
    isKilled = true;
    turn++;
    membership?.awake();
    child.kill('SIGKILL');
    await ended;
  };

  // The answer and the ends of both streams arrive in any order.
  const arrived = (answer?: Answer) => {
    if (running === undefined || isKilled) return;
    running.answer ??= answer;
    if (--running.missing > 0 || running.answer === undefined) return;
    if (killIfTooLarge()) return;
    clearInterval(watch);
    membership?.leave();
    state = 'warm';
    isFrozen = true;
    options.onFrozen();
    running.resolve(running.answer);
    running = undefined;
  };

  /** What the process has done took time; nothing comes of it before. */
  const afterWork = (workedUntil: number | undefined, then: () => void) => {
    if (clock && workedUntil !== undefined && workedUntil > clock.now())
      membership?.asleep(workedUntil, then);
    else then();
  };

  const wake = () => {
    if (clock !== undefined) send({ kind: 'wake', now: clock.now(), turn: ++turn });
  };

  const held = (change: 1 | -1): Promise<void> => {
    if (clock === undefined || state !== 'busy') return Promise.resolve();
    membership?.awake();
    const number = ++turn;
    return new Promise((resolve) => {
      acknowledgements.set(number, resolve);
      send({ kind: 'held', change, now: clock.now(), turn: number });
    });
  };

  for (const stream of ['stdout', 'stderr'] as const) {
    readLines(child[stream], (text) => {
      if (running !== undefined && text === endOfInvocation(running.requestId)) arrived();
      else if (text !== '') options.onLine({ instanceId: id, stream, text });
    });
  }

  return {
    id,
    pid: child.pid,
    get state() {
      return state;
    },
    invoke: (invocation) => {
      state = 'busy';
      watch = setInterval(killIfTooLarge, 100);
      membership = clock?.join(id, { held });
      if (isFrozen) thaw.write('.');
      isFrozen = false;
      send({
        kind: 'invoke',
        ...invocation,
        event: JSON.stringify(invocation.event) ?? 'null',
        now: clock?.now(),
        turn: ++turn,
      });
      return new Promise((resolve) => {
        running = { requestId: invocation.requestId, missing: 3, answer: undefined, resolve };
      });
    },
    kill,
  };
}

function exitError(requestId: string, reason: string): Answer {
  const errorMessage = `RequestId: ${requestId} Error: ${reason}`;
  return { error: { errorType: 'Runtime.ExitError', errorMessage, trace: [] } };
}

/** In the words of Lambda's logs. */
function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'Runtime exited with error: signal: killed';
  if (code === 0) return 'Runtime exited without providing a reason';
  return `Runtime exited with error: ${signal ?? `exit status ${code}`}`;
}

function readLines(stream: Readable | null, onLine: (text: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream?.once('end', () => onLine(rest));
}
