import { Duration } from 'aws-cdk-lib';
import type { MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Alarm, ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const DAY_IN_MINUTES = 24 * 60;
const MINUTES = { minute: 1, hour: 60, day: DAY_IN_MINUTES };

/** How often a schedule fires; of a cron expression no more is known than that a day should suffice. */
function minutesBetween(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined || unit === undefined) return DAY_IN_MINUTES;
  return Number(count) * MINUTES[unit as keyof typeof MINUTES];
}

interface AlarmOptions {
  /** Heading in docs/runbook.md. */
  readonly heading: string;
  readonly sentence: string;
  readonly evaluationPeriods?: number;
  readonly missingBreaches?: boolean;
  /** Breaches below one instead of at one. */
  readonly below?: boolean;
}

/** Makes alarms that tell the topic, if there is one, and name their heading in the runbook. */
export class Alarms {
  readonly #owner: string;
  readonly #topic: ITopic | undefined;

  constructor(owner: string, topic: ITopic | undefined) {
    this.#owner = owner;
    this.#topic = topic;
  }

  /** A function that fails, and one that does not run: what it should do is then not done. */
  watchSchedule(scope: Construct, target: IFunction, expression: string, paused: boolean): void {
    const minutes = minutesBetween(expression);
    const periodMinutes = Math.min(Math.max(minutes, 5), DAY_IN_MINUTES);
    const options: MetricOptions = {
      period: Duration.minutes(periodMinutes),
      statistic: Stats.SUM,
    };
    this.#add(scope, 'Failed', target.metricErrors(options), {
      heading: 'A function failed',
      sentence: `${scope.node.id} failed`,
      // What runs every few minutes may fail once: the next run starts anew.
      evaluationPeriods: minutes <= 15 ? 3 : 1,
    });
    if (paused) return;
    this.#add(scope, 'NotRunning', target.metricInvocations(options), {
      heading: 'A function is not running',
      sentence: `${scope.node.id} has not run as "${expression}" says`,
      below: true,
      missingBreaches: true,
      evaluationPeriods: Math.min(Math.ceil((3 * minutes) / periodMinutes), 7),
    });
  }

  /** What waits in the queue was not delivered, or failed after its retries. */
  watchFailures(scope: Construct, queue: IQueue): void {
    const waiting = queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM });
    this.#add(scope, 'Undelivered', waiting, {
      heading: 'Invocations wait in the failure queue',
      sentence: 'Invocations were given up',
    });
  }

  #add(
    scope: Construct,
    id: string,
    metric: ReturnType<IFunction['metric']>,
    o: AlarmOptions,
  ): void {
    const alarm = new Alarm(scope, id, {
      metric,
      alarmDescription: `Keyturn (${this.#owner}): ${o.sentence}. See "${o.heading}" in docs/runbook.md.`,
      threshold: 1,
      comparisonOperator: o.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: o.evaluationPeriods ?? 1,
      treatMissingData: o.missingBreaches
        ? TreatMissingData.BREACHING
        : TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) alarm.addAlarmAction(new SnsAction(this.#topic));
  }
}
