import { parentPort } from 'node:worker_threads';
import { live } from './life.ts';
import type { LifePlan } from './plan.ts';

/** Lives what it is sent, one life after the other. */

export interface Task {
  readonly plan: LifePlan;
  readonly isVerbose: boolean;
}

parentPort?.on('message', async ({ plan, isVerbose }: Task) => {
  const told: string[] = [];
  const lived = await live(plan, isVerbose ? (line) => told.push(line) : undefined);
  parentPort?.postMessage({ ...lived, told });
});
