import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { LambdaFunction } from '../lambda/functions.ts';
import { createHost, type Host } from '../lambda/host.ts';
import type { FunctionSchedule } from '../lambda/schedules.ts';
import type { Sandbox } from '../sandbox.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { consume, type Rejection } from './consumer.ts';
import { incidentsOf } from './incidents.ts';
import { brokenAtLast, brokenNow } from './invariants.ts';
import { consumers } from './policy.ts';
import { type Moment, readActions, readRotations } from './timeline.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface MonthOptions {
  readonly sandbox: Sandbox;
  readonly clock: VirtualClock;
  readonly functions: readonly LambdaFunction[];
  readonly schedules: readonly FunctionSchedule[];
  readonly days: number;
  readonly sabotage: string | undefined;
}

export interface Month {
  readonly moments: readonly Moment[];
  readonly rejections: readonly Rejection[];
  readonly failures: readonly Moment[];
  /** Invariants that were seen broken. */
  readonly broken: readonly string[];
  readonly invocations: number;
  readonly requests: number;
  readonly host: Host;
}

/** Runs the functions on their schedules, with consumers that use the tokens. */
export async function runMonth(options: MonthOptions): Promise<Month> {
  const { sandbox, clock, functions, schedules, days, sabotage } = options;
  const { aws } = sandbox;
  const startAt = clock.now();
  const until = startAt + days * DAY_MS;
  const credentials = { accessKeyId: 'sandbox', secretAccessKey: 'sandbox' };
  const host = createHost({
    clock,
    functions,
    environment: {
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL: aws.url,
    },
  });
  const recorded: Moment[] = [];
  const failures: Moment[] = [];
  const rejections: Rejection[] = [];
  let invocations = 0;

  const invoke = async (name: string, event: unknown) => {
    invocations += 1;
    const at = clock.now();
    const answer = await clock.waitFor(host.invoke(name, event));
    if ('error' in answer) {
      const { errorType, errorMessage } = answer.error;
      failures.push({ at, who: name, what: `${errorType}: ${errorMessage}` });
    }
  };
  for (const { logicalId, periodMs, eventAt } of schedules) {
    const one = functions.find((each) => each.logicalId === logicalId);
    if (one) clock.every(periodMs, one.name, () => invoke(one.name, eventAt(clock.now())));
  }
  const record = (moment: Omit<Moment, 'at'>) => recorded.push({ at: clock.now(), ...moment });
  for (const { at, happen } of incidentsOf(
    { sandbox, host, clock, startAt, endAt: until, record },
    sabotage,
  )) {
    clock.at(at, () => clock.spawn('incident', async () => happen()));
  }

  // By then the first tokens are issued; consumers need them.
  await clock.runUntil(startAt + 2 * HOUR_MS);
  const secrets = new SecretsManagerClient({ endpoint: aws.url, region: aws.region, credentials });
  const onRejection = (rejection: Rejection) => rejections.push(rejection);
  /** Like a rule on the bus that restarts a consumer: a revocation leaves no grace period. */
  const isRevoked = (secret: string, since: number) =>
    aws.state.events.some(
      ({ detailType, detail, time }) =>
        detailType === 'Token Rotated' && time >= since && isAbout(detail, secret),
    );
  const working = consumers.map((each) =>
    clock.spawn(each.name, () =>
      consume({ ...each, clock, secrets, until, isRevoked, onRejection }),
    ),
  );
  const broken = new Set<string>();
  const names = consumers.map(({ secret }) => secret);
  clock.every(HOUR_MS, 'invariants', () => {
    for (const each of brokenNow(sandbox, names)) broken.add(each);
    return Promise.resolve();
  });
  await clock.runUntil(until);
  const requests = await clock.waitFor(Promise.all(working));
  secrets.destroy();

  return {
    moments: [...recorded, ...readActions(host.logs), ...readRotations(aws.state.events)],
    rejections,
    failures,
    broken: [...broken, ...brokenAtLast(sandbox, host.logs)],
    invocations,
    requests: requests.reduce((sum, each) => sum + each, 0),
    host,
  };
}

const isAbout = (detail: unknown, secret: string) =>
  z.object({ secret: z.literal(secret), reason: z.literal('Revoked') }).safeParse(detail).success;
