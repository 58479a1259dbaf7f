import * as z from 'zod/mini';
import { ENVIRONMENT } from '../../functions/environment.ts';
import { policyAsset } from '../../lib/bundle.ts';
import {
  type DeclaredRegions,
  deploymentHashes,
  deploymentSchema,
  replicaRegionsIn,
} from '../../lib/deployment.ts';
import { firingsOf, latestInSeconds } from '../../lib/schedule/gaps.ts';
import { createHost, type Host } from '../../sandbox/lambda/host.ts';
import { serveLogs } from '../../sandbox/lambda/log-groups.ts';
import { createSimulatedHost, type SimulatedHost } from '../../sandbox/lambda/simulated/host.ts';
import type { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { JOBS, type Job } from './jobs.ts';
import { readMetrics } from './metrics.ts';
import { asOlder, type LaterField } from './older-version.ts';
import { realFunction } from './real-function.ts';
import { simulatedFunction } from './simulated-function.ts';
import { clusterOf, environmentOf, networkOf, type Systems } from './systems.ts';
import type { Answered, Deployment } from './world.ts';

/** A deployment, and the host that runs its functions. */
export interface Deployed {
  readonly deployment: Deployment;
  readonly host: Host | SimulatedHost;
  /** What its functions answered, as JSON. */
  readonly answers: readonly string[];
}

/** The instances of a deployment: `2/rotate-1` is the third deployment's. */
export const prefixOf = (number: number) => `${number}/`;

/** As the stack makes them; CloudFormation leaves those alone that are there and have not changed. */
function deploySchedules({ aws }: Systems, policy: object): void {
  const { owner = 'prod' } = policy as { readonly owner?: string };
  for (const job of ['rotate', 'reap', 'enforce']) {
    const name = `keyturn-${owner}-${job}`;
    if (aws.state.schedules[`default/${name}`]) continue;
    const arn = (service: string, rest: string) =>
      `arn:aws:${service}:${aws.region}:${aws.accountId}:${rest}`;
    aws.deploySchedule({
      Name: name,
      Description: `Keyturn (${owner}): ${job}`,
      ScheduleExpression: job === 'rotate' ? 'rate(30 minutes)' : 'cron(0 * * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      Target: {
        Arn: arn('lambda', `function:${name}`),
        RoleArn: arn('iam', `role/${name}`),
        Input:
          '{"scheduled":{"at":"<aws.scheduler.scheduled-time>","nextInSeconds":1800,"thirdInSeconds":5400}}',
        DeadLetterConfig: { Arn: arn('sqs', 'failures') },
        RetryPolicy: { MaximumEventAgeInSeconds: 900, MaximumRetryAttempts: 3 },
      },
    });
  }
}

/** What the stack tells `rotate` of its schedule, in seconds: the most time to its next firing, and to the third one. */
function firingsOfRotate(policy: object) {
  const {
    schedules,
    timeZone = 'UTC',
  }: { readonly schedules?: { readonly rotate?: string }; readonly timeZone?: string } = {
    ...policy,
  };
  const { rotate = 'rate(30 minutes)' } = schedules ?? {};
  const { thirdInSeconds } = firingsOf(rotate, timeZone);
  return { next: latestInSeconds(rotate, timeZone), third: thirdInSeconds };
}

/** A policy file says more than the functions get. */
interface Declared {
  readonly deployment?: {
    readonly tags?: Readonly<Record<string, string>>;
    readonly metrics?: string;
    readonly replicaRegions?: DeclaredRegions;
  };
}

/** What the functions of a version find there. */
function networkFor(systems: Systems, lacks: LaterField | undefined) {
  const { url, respond } = systems.cluster;
  return { ...networkOf(systems), ...(lacks && { [url]: asOlder(respond, lacks) }) };
}

/** Puts a policy beside the functions, as a deploy would. */
export function deployOn(
  systems: Systems,
  clock: VirtualClock,
  declared: object,
  { number, lacks }: { readonly number: number; readonly lacks: LaterField | undefined },
): Deployed {
  const { aws, secrets } = systems;
  const policy = { cluster: clusterOf(systems), ...declared };
  const { deployment: section, ...document } = policy as typeof policy & Declared;
  const { tags: secretTags = {}, metrics = 'full' } = section ?? {};
  const hashes = deploymentHashes(z.parse(deploymentSchema, section ?? {}));
  const replicaRegions = section?.replicaRegions && replicaRegionsIn(section.replicaRegions);
  deploySchedules(systems, policy);
  const onFrozen = (instance: string) => {
    for (const server of [systems.cluster, aws]) server.forget(instance);
  };
  const { machine } = systems;
  const { next, third } = firingsOfRotate(policy);
  const host = machine
    ? createSimulatedHost({
        ...{ clock, network: networkFor(systems, lacks), random: machine.random },
        credentialsOf: aws.credentialsOf,
        functions: JOBS.map((job) =>
          simulatedFunction(job, {
            ...{ policy: document, secretTags, metrics, replicaRegions },
            ...{ eventBus: 'default', thirdRunMs: third * 1_000 },
            nextRunMs: next * 1_000,
            ...(job === 'rotate' && { deployment: hashes }),
          }),
        ),
        idPrefix: prefixOf(number),
        onFrozen,
      })
    : createHost({
        clock,
        functions: JOBS.map((job) =>
          realFunction(
            job,
            job === 'rotate' ? { [ENVIRONMENT.deployment]: JSON.stringify(hashes) } : {},
          ),
        ),
        idPrefix: prefixOf(number),
        policyAsset: policyAsset({ document }),
        onFrozen,
        credentialsOf: aws.credentialsOf,
        environment: {
          ...environmentOf(systems),
          [ENVIRONMENT.eventBus]: 'default',
          [ENVIRONMENT.nextRunSeconds]: String(next),
          [ENVIRONMENT.thirdRunSeconds]: String(third),
          [ENVIRONMENT.secretTags]: JSON.stringify(secretTags),
          [ENVIRONMENT.metrics]: metrics,
          ...(replicaRegions && { [ENVIRONMENT.replicaRegions]: JSON.stringify(replicaRegions) }),
        },
      });
  const { owner = 'prod' } = policy as { readonly owner?: string };
  const named = (job: Job) => ({ name: job, functionName: `keyturn-${owner}-${job}` });
  serveLogs(aws.logs, host, JOBS.map(named));
  const answers: string[] = [];
  const invoke = async (job: Job, event: object = {}) => {
    const answer = (await clock.waitFor(host.invoke(job, event))) as Answered;
    answers.push(JSON.stringify(answer));
    return answer;
  };
  const lines: Deployment['lines'] = (from = 0) => host.logs.slice(from).map(({ text }) => text);

  const deployment: Deployment = {
    policy,
    rotate: (event) => invoke('rotate', event),
    reap: (event) => invoke('reap', event),
    enforce: (event) => invoke('enforce', event),
    revoke: (event) => invoke('revoke', event),
    invoke,
    async rotateSecret(secret, more) {
      aws.rotationInvoker = async (_arn, event) => {
        const { error } = await invoke('secrets-manager-rotation', event);
        if (error) throw new Error(error.errorMessage);
      };
      const RotationLambdaARN = 'secrets-manager-rotation';
      const pressed = () => secrets.rotateSecret({ SecretId: secret, RotationLambdaARN, ...more });
      await (machine ? machine.run(pressed) : pressed());
      await clock.waitFor(aws.settled());
    },
    lines,
    takeLines() {
      const taken = lines();
      host.forgetLogs();
      answers.length = 0;
      return taken;
    },
    metrics: () => readMetrics(lines()),
  };
  return { deployment, host, answers };
}
