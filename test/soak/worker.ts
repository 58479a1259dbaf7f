import { parentPort, workerData } from 'node:worker_threads';
import { readAlarms } from '../crash/alarms.ts';
import type { DeployedAlarms } from '../lib/deployed-alarms.ts';
import { live } from './life.ts';
import type { LifePlan } from './plan.ts';

/** Lives what it is sent, one life after the other. */

export interface Task {
  readonly plan: LifePlan;
  readonly isVerbose: boolean;
}

export interface WorkerData {
  readonly alarms: DeployedAlarms;
  readonly isOnBundles: boolean;
}

const { alarms, isOnBundles } = workerData as WorkerData;
const rising = readAlarms(alarms);

parentPort?.on('message', async ({ plan, isVerbose }: Task) => {
  const told: string[] = [];
  const lived = await live(plan, rising, {
    write: isVerbose ? (line) => told.push(line) : undefined,
    isSimulated: !isOnBundles,
  });
  parentPort?.postMessage({ ...lived, told });
});
