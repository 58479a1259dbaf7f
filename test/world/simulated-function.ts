import { runEnforcement } from '../../functions/enforcement/run-enforcement.ts';
import { runExamination } from '../../functions/examination/run-examination.ts';
import { runMeasurement } from '../../functions/measurement/run-measurement.ts';
import { readDeployedPolicy } from '../../functions/policy/deployed-policy.ts';
import type { Hashes } from '../../functions/policy/document-mark.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { runReaping } from '../../functions/reaping/run-reaping.ts';
import { parseRevokeRequest } from '../../functions/revocation/request.ts';
import { giveOrder } from '../../functions/revocation/run-revocation.ts';
import { runRotate } from '../../functions/rotation/run-rotate.ts';
import {
  parseRotationStep,
  takeRotationStep,
} from '../../functions/rotation/take-rotation-step.ts';
import {
  asksTo,
  parseEnforceRequest,
  parseReapRequest,
  parseRotateRequest,
} from '../../functions/run/request.ts';
import { createRuntime, type InvocationContext, type Runtime } from '../../functions/runtime.ts';
import { LONGEST_EXAMINATION_MS, LONGEST_MEASUREMENT_MS } from '../../functions/time.ts';
import { policyAsset } from '../../lib/bundle.ts';
import type { SimulatedFunction } from '../../sandbox/lambda/simulated/host.ts';
import type { Job } from './jobs.ts';

type Handler = (event: unknown, context: InvocationContext) => Promise<unknown>;

/** As the entries in functions/ do it, but for the runtime, which they load from their asset. */
const handlers: Readonly<Record<Job, (runtime: Runtime) => Handler>> = {
  rotate: (runtime) => (event, context) => {
    if (asksTo('examine', event))
      return runtime.examine('rotate', context, runExamination, LONGEST_EXAMINATION_MS);
    if (asksTo('measure', event)) {
      return runtime.examine('rotate', context, runMeasurement, LONGEST_MEASUREMENT_MS);
    }
    const request = parseRotateRequest(event);
    const { scheduled, dryRun } = request;
    const invocation = { job: 'rotate', scheduled, dryRun } as const;
    return runtime.runScheduled(invocation, context, (tools) => runRotate(request, tools));
  },
  reap: (runtime) => (event, context) => {
    const request = parseReapRequest(event);
    const { scheduled, dryRun } = request;
    const invocation = { job: 'reap', scheduled, dryRun } as const;
    return runtime.runScheduled(invocation, context, (tools) => runReaping(request, tools));
  },
  enforce: (runtime) => (event, context) => {
    const request = parseEnforceRequest(event);
    const { scheduled, dryRun } = request;
    const invocation = { job: 'enforce', scheduled, dryRun } as const;
    return runtime.runScheduled(invocation, context, (tools) => runEnforcement(request, tools));
  },
  revoke: (runtime) => (event, context) => {
    const request = parseRevokeRequest(event);
    return giveOrder(request, (work) => runtime.run(context, work));
  },
  'secrets-manager-rotation': (runtime) => (event, context) => {
    const step = parseRotationStep(event);
    return runtime.run(context, (tools) => takeRotationStep(step, tools));
  },
};

/** An error as a log line has it. */
const told = (error: unknown) =>
  error instanceof Error ? { name: error.name, message: error.message } : error;

export interface SimulatedDeployment {
  readonly policy: object;
  readonly secretTags: Readonly<Record<string, string>>;
  readonly replicaRegions: Policy['replicaRegions'];
  readonly metrics: string;
  readonly eventBus: string;
  readonly nextRunMs: number;
  readonly thirdRunMs: number;
  readonly deployment?: Hashes;
}

/** A function of the checkout, without a bundle and without a process of its own. */
export const simulatedFunction = (
  job: Job,
  {
    policy: document,
    secretTags,
    replicaRegions,
    metrics,
    eventBus,
    nextRunMs,
    thirdRunMs,
    deployment,
  }: SimulatedDeployment,
): SimulatedFunction => ({
  name: job,
  timeoutMs: 15 * 60_000,
  start(write) {
    const { policy, mark } = readDeployedPolicy(
      policyAsset({ document: JSON.parse(JSON.stringify(document)) }),
    );
    policy.eventBus = eventBus;
    policy.secretTags = secretTags;
    policy.isDeployed = true;
    policy.replicaRegions = replicaRegions;
    const line = (level: string, message: string, rest: object) =>
      write(JSON.stringify({ level, message, timestamp: new Date().toISOString(), ...rest }));
    const runtime = createRuntime({
      policy,
      mark,
      deployment,
      log: {
        info: (message, details) => line('INFO', message, { details }),
        warn: (message, details) => line('WARN', message, { details }),
        error: (message, { error, ...details }) =>
          line('ERROR', message, { details, error: told(error) }),
      },
      nextRunMs,
      thirdRunMs,
      metrics,
      writeMetrics: (measured) => line('INFO', 'measured', measured),
    });
    const handler = handlers[job](runtime);
    return (event, context) => handler(event, context as InvocationContext);
  },
});
