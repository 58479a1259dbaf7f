import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PERSON } from '../aws/account.ts';
import type { LambdaFunction } from '../lambda/functions.ts';
import { createHost, type Host } from '../lambda/host.ts';
import type { FunctionSchedule } from '../lambda/schedules.ts';
import type { Sandbox } from '../sandbox.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { createConsumer, type Rejection } from './consumer.ts';
import { incidentsOf } from './incidents.ts';
import { brokenAtLast, refusedNow, unstoredNow } from './invariants.ts';
import { countInvocations } from './invocations.ts';
import { consumers as cast, grants, ISSUED_AFTER_MS } from './policy.ts';
import { interceptorOf, type Sabotage } from './sabotage.ts';
import type { Stage } from './stage.ts';
import { type Moment, readActions, readRotations } from './timeline.ts';
import { watchPromotions } from './watch.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface MonthOptions {
  readonly sandbox: Sandbox;
  readonly clock: VirtualClock;
  readonly functions: readonly LambdaFunction[];
  readonly schedules: readonly FunctionSchedule[];
  readonly days: number;
  readonly sabotage: Sabotage | undefined;
}

export interface Month {
  readonly moments: readonly Moment[];
  readonly rejections: readonly Rejection[];
  /** Invocations that failed, and that no incident explains. */
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
  const { aws, cluster } = sandbox;
  const startAt = clock.now();
  const endAt = startAt + days * DAY_MS;
  const host = createHost({
    clock,
    functions,
    onFrozen: (instance) => {
      for (const server of [cluster, aws]) server.forget(instance);
    },
    environment: { AWS_REGION: aws.region, AWS_ENDPOINT_URL: aws.url },
    credentialsOf: aws.credentialsOf,
  });
  const { url: endpoint, region } = aws;
  const secrets = new SecretsManagerClient({ endpoint, region, credentials: PERSON });
  const invocations = countInvocations(host, clock);
  const recorded: Moment[] = [];
  const rejections: Rejection[] = [];
  const broken = new Set<string>();
  cluster.intercept = interceptorOf(sabotage, cluster);

  for (const { logicalId, periodMs, definition } of schedules) {
    const one = functions.find((each) => each.logicalId === logicalId);
    if (!one) continue;
    aws.deploySchedule(definition);
    clock.every(periodMs, one.name, async () => {
      // What the schedule is now, not what it was at the deploy: people pause it and change it.
      const event = aws.firing(definition.Name, clock.now());
      if (event) await invocations.invoke(one.name, event);
    });
  }
  const stage: Stage = {
    ...{ sandbox, host, clock, secrets, startAt, endAt, invocations },
    record: (moment) => recorded.push({ at: clock.now(), ...moment }),
    broken: (what) => broken.add(what),
    emergencies: new Set(),
  };
  for (const { at, happen } of incidentsOf(stage, sabotage)) {
    if (at >= endAt) continue;
    clock.at(at, () => clock.spawn('incident', async () => happen()));
  }

  // Consumers need the first tokens.
  await clock.runUntil(startAt + ISSUED_AFTER_MS);
  const consumers = cast.map(({ listens, startsAfterMs, ...each }) => ({
    ...{ listens, startsAfterMs },
    consumer: createConsumer({
      ...{ ...each, clock, secrets, until: endAt },
      onRejection: (rejection) => rejections.push(rejection),
    }),
  }));
  const working = consumers.map(({ consumer, startsAfterMs }) =>
    clock.spawn('consumer', async () => {
      await clock.sleep(startAt + startsAfterMs - clock.now());
      await consumer.run();
    }),
  );
  const check = (secret: string) => {
    for (const each of refusedNow(sandbox, secret)) broken.add(each);
  };
  const { emergencies } = stage;
  watchPromotions({ aws, clock, consumers, emergencies, check });
  clock.every(HOUR_MS, 'invariants', () => {
    for (const secret of grants.keys()) check(secret);
    for (const each of unstoredNow(sandbox)) broken.add(each);
    return Promise.resolve();
  });
  await clock.runUntil(endAt);
  await clock.waitFor(Promise.all(working));
  secrets.destroy();

  return {
    moments: [...recorded, ...readActions(host.logs), ...readRotations(aws.state.events)],
    rejections,
    failures: invocations.failures,
    broken: [...broken, ...brokenAtLast(sandbox, host.logs)],
    invocations: invocations.count,
    requests: consumers.reduce((sum, { consumer }) => sum + consumer.requests, 0),
    host,
  };
}
