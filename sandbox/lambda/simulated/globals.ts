import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { replaceDate } from '../replace-globals.ts';
import { currentProcess } from './process.ts';

/** What `setTimeout` gives to a simulated process. */
class SimulatedTimeout {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  hasRef() {
    return true;
  }
}

function replaceTimers(): void {
  const { setTimeout, clearTimeout } = globalThis;
  const simulated = (callback: (...given: unknown[]) => void, ms = 1, ...given: unknown[]) => {
    const process = currentProcess();
    return process
      ? new SimulatedTimeout(process.after(ms, () => callback(...given)))
      : setTimeout(callback, ms, ...given);
  };
  Object.assign(globalThis, {
    setTimeout: Object.assign(simulated, setTimeout),
    clearTimeout(timeout: unknown) {
      if (timeout instanceof SimulatedTimeout) timeout.cancel();
      else clearTimeout(timeout as NodeJS.Timeout);
    },
  });
}

function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

function replaceSleep(): void {
  const { setTimeout: sleep } = timers;
  const simulated: typeof sleep = (ms = 1, value, options = {}) => {
    const process = currentProcess();
    if (!process) return sleep(ms, value, options);
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      const onAbort = () => {
        cancel();
        if (signal) reject(abortError(signal));
      };
      const cancel = process.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(value as never);
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  };
  Object.assign(timers, { setTimeout: simulated });
  syncBuiltinESMExports();
}

function replaceRandom(): void {
  const { random } = Math;
  Math.random = () => currentProcess()?.random() ?? random();
}

function replaceEnvironment(): void {
  process.env = new Proxy(process.env, {
    get: (own, key) => currentProcess()?.environment[String(key)] ?? Reflect.get(own, key),
    // The default trap defines a property, which an environment refuses.
    set: (own, key, value) => Reflect.set(own, key, value),
  });
}

let areReplaced = false;

/** Gives simulated processes their own time, chance and environment, by the names under which every code knows them. Others keep theirs. */
export function replaceGlobals(): void {
  if (areReplaced) return;
  areReplaced = true;
  const { now } = Date;
  replaceDate(() => currentProcess()?.clock.now() ?? now());
  replaceTimers();
  replaceSleep();
  replaceRandom();
  replaceEnvironment();
}
