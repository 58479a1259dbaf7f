import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** Makes every use of `Date` read `now`. */
export function replaceDate(now: () => number): void {
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: (target) => new target(now()).toString(),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
}

/** The `setTimeout` of `node:timers/promises`, in this module and in every copy of its exports. */
export function replaceTimeout(schedule: (ms: number, wake: () => void) => () => void): void {
  const setTimeout = <T>(
    ms = 1,
    value?: T,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const abort = () => {
        const name = 'AbortError';
        const error = new Error('The operation was aborted', { cause: signal?.reason });
        reject(Object.assign(error, { name, code: 'ABORT_ERR' }));
      };
      if (signal?.aborted) return abort();
      const onAbort = () => {
        cancel();
        abort();
      };
      const cancel = schedule(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(value as T);
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  Object.assign(timers, { setTimeout });
  syncBuiltinESMExports();
}
