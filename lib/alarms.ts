import { Duration } from 'aws-cdk-lib';
import type { IMetric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  Alarm,
  type CfnAlarm,
  ComparisonOperator,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { isMetric, MANAGEMENT_TOKEN_DAYS, RUNS_METRIC } from '../functions/environment.ts';
import {
  type AlarmText,
  descriptionOf,
  droppedText,
  failedText,
  MEASURED,
  notRunningText,
  UNDELIVERED,
} from './alarm-texts.ts';
import type { MetricsWanted } from './deployment.ts';
import { measured, scheduledRuns } from './measured.ts';
import type { Recipients } from './recipients.ts';
import { gapsOf, windowMinutes } from './schedule/gaps.ts';
import { isWatched } from './schedule/mistakes.ts';

const DAY_IN_MINUTES = 24 * 60;
/** PutMetricAlarm, Amazon CloudWatch API Reference: a period times the number of periods. */
const LONGEST_EVALUATION_DAYS = 7;

/** States, which last until something mends them. */
type LastingMeasure =
  | 'overdueTokens'
  | 'unusableTokens'
  | 'deletedSecrets'
  | 'longHolds'
  | 'workingStrays'
  | 'tokensNearExpiry'
  | 'driftedDatabases';

/** What happened, and is over. */
type CountedMeasure = 'mendedOutages' | 'refusedPlans' | 'unconfirmedRevocations' | 'lostEvents';

interface AlarmOptions extends AlarmText {
  /** The alarm goes off below this number; absent: at one or more. */
  readonly below?: number;
  readonly evaluationPeriods?: number;
  readonly datapointsToAlarm?: number;
  /** Absent: no data is no breach. */
  readonly missing?: TreatMissingData;
}

interface WatchedSchedule {
  readonly job: string;
  readonly target: IFunction;
  readonly expression: string;
  readonly timeZone: string;
  readonly paused: boolean;
}

/** Makes alarms that tell their recipients, if there are any, and name their heading in the runbook. */
export class Alarms {
  readonly all: Alarm[] = [];
  readonly #owner: string;
  readonly #recipients: Recipients;
  readonly #wanted: MetricsWanted;

  constructor(owner: string, recipients: Recipients, wanted: MetricsWanted) {
    this.#owner = owner;
    this.#recipients = recipients;
    this.#wanted = wanted;
  }

  /** Whether any alarm tells anybody by now, whoever gave it its actions. */
  get haveActions(): boolean {
    return this.all.some(({ stack, node }) => {
      const { alarmActions, okActions, insufficientDataActions } = node.defaultChild as CfnAlarm;
      const actions = [alarmActions, okActions, insufficientDataActions];
      return stack.resolve(actions).some((each?: readonly unknown[]) => each && each.length > 0);
    });
  }

  /** One alarm for a function that fails, one for a function that does not run. */
  watchSchedule(scope: Construct, schedule: WatchedSchedule): void {
    const { job, target, expression, timeZone, paused } = schedule;
    // Not the shortest gap: nights and weekends without a firing are no silence.
    const { longestOfThree } = gapsOf(expression, timeZone);
    const minutes = Math.ceil(longestOfThree / 3);
    const periodMinutes = Math.min(minutes, DAY_IN_MINUTES);
    const options: MetricOptions = {
      period: Duration.minutes(periodMinutes),
      statistic: Stats.SUM,
    };
    // The next firing is the retry: where it comes within an hour by the clock on the wall, one failure is no alarm.
    const onTheWall = Math.ceil(gapsOf(expression, 'UTC').longestOfThree / 3);
    const isRetried = onTheWall <= 60;
    // A run may be late. No period may be without one, or old failures would take its place and ring again. Of several
    // periods one may, and longer ones would take two failures in a row for one: not for the hour that comes twice a year.
    const withRun = (isRetried ? onTheWall : minutes) + windowMinutes(expression) + 1;
    const longest = LONGEST_EVALUATION_DAYS * DAY_IN_MINUTES;
    const errors = { ...options, period: Duration.minutes(Math.min(withRun, longest)) };
    this.#add(scope, 'Failed', target.metricErrors(errors), {
      ...failedText(scope.node.id),
      ...(isRetried && { evaluationPeriods: 3, datapointsToAlarm: 2 }),
    });
    if (paused || !isWatched(expression, timeZone)) return;
    // Lambda's own metric costs nothing, and counts late runs and those of people as well.
    const runs = isMetric(this.#wanted, RUNS_METRIC.name)
      ? scheduledRuns(this.#owner, job, options)
      : target.metricInvocations(options);
    this.#add(scope, 'NotRunning', runs, {
      ...notRunningText(scope.node.id, expression),
      below: 1,
      missing: TreatMissingData.BREACHING,
      evaluationPeriods: Math.min(
        Math.ceil(longestOfThree / periodMinutes),
        LONGEST_EVALUATION_DAYS,
      ),
    });
  }

  /**
   * For a function without a schedule, whose failure nothing makes up for: one alarm if it fails, one if Lambda gives up an
   * event that it took. Scheduled functions have none of the latter: Lambda counts each of their failures as dropped too,
   * since it tries none again, and an event that never runs is a run that `NotRunning` misses.
   * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   */
  watchOrders(scope: Construct, target: IFunction): void {
    const options: MetricOptions = { period: Duration.hours(1), statistic: Stats.SUM };
    this.#add(scope, 'Failed', target.metricErrors(options), failedText(scope.node.id));
    this.#add(
      scope,
      'Dropped',
      target.metric('AsyncEventsDropped', options),
      droppedText(scope.node.id),
    );
  }

  /** A schedule could not deliver an invocation. */
  watchDelivery(scope: Construct, queue: IQueue): void {
    const waiting = queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM });
    this.#add(scope, 'Undelivered', waiting, UNDELIVERED);
  }

  /** What the functions measure, unless nobody wants metrics of it. If they measure nothing, `NotRunning` goes off. */
  /** @param hasStoredToken whether the management token is one whose end its secret may say */
  watchMeasures(scope: Construct, hasStoredToken: boolean): void {
    if (this.#wanted === 'none') return;
    // A state: bad in every run of an hour, and unchanged until the next run measures it.
    const lasting = (key: LastingMeasure) =>
      measured(this.#owner, key, { statistic: Stats.MINIMUM, period: Duration.hours(1) });
    const missing = TreatMissingData.IGNORE;
    this.#add(scope, 'RotationOverdue', lasting('overdueTokens'), {
      ...MEASURED.RotationOverdue,
      missing,
    });
    this.#add(scope, 'TokenUnusable', lasting('unusableTokens'), {
      ...MEASURED.TokenUnusable,
      missing,
    });
    this.#add(scope, 'SecretDeleted', lasting('deletedSecrets'), {
      ...MEASURED.SecretDeleted,
      missing,
    });
    this.#add(scope, 'LongHold', lasting('longHolds'), {
      ...MEASURED.LongHold,
      missing,
    });
    this.#add(scope, 'WorkingStray', lasting('workingStrays'), {
      ...MEASURED.WorkingStray,
      missing,
    });
    this.#add(scope, 'TokenNearExpiry', lasting('tokensNearExpiry'), {
      ...MEASURED.TokenNearExpiry,
      missing,
    });
    this.#add(scope, 'DatabaseDrift', lasting('driftedDatabases'), {
      ...MEASURED.DatabaseDrift,
      missing,
    });
    // Events: two periods, because an hourly run may be late and miss a period.
    const counted = (key: CountedMeasure) =>
      measured(this.#owner, key, { statistic: Stats.SUM, period: Duration.hours(1) });
    const once = { evaluationPeriods: 2, datapointsToAlarm: 1 };
    this.#add(scope, 'OutageMended', counted('mendedOutages'), {
      ...MEASURED.OutageMended,
      ...once,
    });
    this.#add(scope, 'PlanRefused', counted('refusedPlans'), {
      ...MEASURED.PlanRefused,
      ...once,
    });
    this.#add(scope, 'RevocationUnconfirmed', counted('unconfirmedRevocations'), {
      ...MEASURED.RevocationUnconfirmed,
      ...once,
    });
    this.#add(scope, 'EventsLost', counted('lostEvents'), {
      ...MEASURED.EventsLost,
      ...once,
    });
    if (!hasStoredToken) return;
    const left = measured(this.#owner, 'managementTokenDays', {
      statistic: Stats.MINIMUM,
      period: Duration.days(1),
    });
    this.#add(scope, 'ManagementTokenNearExpiry', left, {
      ...MEASURED.ManagementTokenNearExpiry,
      below: MANAGEMENT_TOKEN_DAYS,
    });
  }

  #add(scope: Construct, id: string, metric: IMetric, o: AlarmOptions): void {
    const alarm = new Alarm(scope, id, {
      metric,
      alarmDescription: descriptionOf(this.#owner, o),
      threshold: o.below ?? 1,
      comparisonOperator:
        o.below === undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: o.evaluationPeriods ?? 1,
      ...(o.datapointsToAlarm !== undefined && { datapointsToAlarm: o.datapointsToAlarm }),
      treatMissingData: o.missing ?? TreatMissingData.NOT_BREACHING,
    });
    const actions = this.#recipients.topics.map((topic) => new SnsAction(topic));
    alarm.addAlarmAction(...actions);
    if (this.#recipients.ok) alarm.addOkAction(...actions);
    this.all.push(alarm);
  }
}
