import { Worker } from 'node:worker_threads';
import { deployedAlarms } from '../lib/deployed-alarms.ts';
import type { Lived } from './life.ts';
import type { LifePlan } from './plan.ts';
import type { Task, WorkerData } from './worker.ts';

export type Told = Lived & {
  /** What happened in it, a line each, if somebody asked for that. */
  readonly told: readonly string[];
};

/** Why a life did not come to its end. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

/** Threads that live lives beside each other: each has globals of its own, which simulated processes replace. */
export function openPool(size: number, isOnBundles: boolean) {
  const free: Worker[] = [];
  const waiting: ((worker: Worker) => void)[] = [];
  // Synthesis takes seconds.
  const workerData: WorkerData = { alarms: deployedAlarms(), isOnBundles };
  const all = new Set<Worker>();
  const start = () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    all.add(worker);
    return worker;
  };
  const give = (worker: Worker) => {
    const next = waiting.shift();
    if (next) next(worker);
    else free.push(worker);
  };
  for (let thread = 0; thread < size; thread += 1) give(start());

  const take = () =>
    new Promise<Worker>((resolve) => {
      const worker = free.pop();
      if (worker) resolve(worker);
      else waiting.push(resolve);
    });

  return {
    /** @throws StoppedError if the life fails, or waits for what never comes */
    async live(plan: LifePlan, isVerbose = false): Promise<Told> {
      const worker = await take();
      return new Promise((resolve, reject) => {
        const onMessage = (lived: Told) => {
          worker.off('error', onError).off('exit', onExit);
          give(worker);
          resolve(lived);
        };
        const replace = (why: string) => {
          worker.off('message', onMessage).removeAllListeners();
          give(start());
          reject(new StoppedError(why));
        };
        const onError = (error: Error) => replace(error.stack ?? error.message);
        const onExit = () => replace('it stopped: something waits for what never comes');
        worker.once('message', onMessage).once('error', onError).once('exit', onExit);
        const task: Task = { plan, isVerbose };
        worker.postMessage(task);
      });
    },
    /** Also of lives that are not over; nobody is told of these. */
    async close(): Promise<void> {
      for (const worker of all) worker.removeAllListeners();
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}
