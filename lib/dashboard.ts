import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  MathExpression,
  type MetricOptions,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ACTIONS_METRIC, type METRICS, NAMESPACE } from '../functions/environment.ts';
import { measured } from './measured.ts';

export interface DashboardProps {
  readonly owner: string;
  readonly alarms: readonly IAlarm[];
  /** By the name that the graphs show. */
  readonly functions: Readonly<Record<string, IFunction>>;
}

const HOURLY = Duration.hours(1);
const THIRD = 8;

/** For a person on call, from the top: what is wrong, whether consumers are in danger, and what ran. */
export function addDashboard(scope: Construct, { owner, alarms, functions }: DashboardProps): void {
  const metric = (key: keyof typeof METRICS, label: string, options: MetricOptions) =>
    measured(owner, key, { period: HOURLY, label, ...options });
  const lowest = { statistic: Stats.MINIMUM };
  const highest = { statistic: Stats.MAXIMUM };
  const total = { statistic: Stats.SUM };
  const byFunction = (
    read: (target: IFunction, options: MetricOptions) => ReturnType<typeof measured>,
  ) =>
    Object.entries(functions).map(([label, target]) =>
      read(target, { ...total, period: HOURLY, label }),
    );
  const actions = new MathExpression({
    expression: `SEARCH('{${NAMESPACE},Owner,Action} MetricName="${ACTIONS_METRIC.name}" Owner="${owner}"', 'Sum', ${HOURLY.toSeconds()})`,
    label: '',
    period: HOURLY,
  });

  new Dashboard(scope, 'Dashboard', {
    // Dashboards are global in an account (PutDashboard, Amazon CloudWatch API Reference).
    dashboardName: `Keyturn-${owner}-${Stack.of(scope).region}`,
    defaultInterval: Duration.days(7),
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: [...alarms] })],
      [
        new SingleValueWidget({
          title: 'Now',
          width: THIRD,
          height: 6,
          metrics: [
            metric('ownedTokens', 'tokens', highest),
            metric('overdueTokens', 'rotations overdue', lowest),
            metric('unusableTokens', 'unusable', lowest),
            metric('deletedSecrets', 'secrets scheduled for deletion', lowest),
            metric('longHolds', 'on hold for more than a week', lowest),
            metric('workingStrays', 'strays that work', lowest),
            metric('tokensNearExpiry', 'near expiry', lowest),
            metric('managementTokenDays', 'days of the management token', lowest),
          ],
        }),
        new GraphWidget({
          title: 'Runway: days until the first current token expires',
          width: THIRD,
          left: [metric('runwayDays', 'days left', lowest)],
          leftYAxis: { min: 0, showUnits: false },
        }),
        new GraphWidget({
          title: 'Age: days of the oldest current token',
          width: THIRD,
          left: [metric('oldestTokenDays', 'days old', highest)],
          leftYAxis: { min: 0, showUnits: false },
        }),
      ],
      [
        new GraphWidget({
          title: 'Runs in an hour',
          width: THIRD,
          left: byFunction((target, options) => target.metricInvocations(options)),
        }),
        new GraphWidget({
          title: 'Runs that failed',
          width: THIRD,
          left: byFunction((target, options) => target.metricErrors(options)),
        }),
        new GraphWidget({
          title:
            'Mended outages, refused plans, failed actions, unconfirmed revocations, lost events',
          width: THIRD,
          left: [
            metric('mendedOutages', 'outages mended', total),
            metric('refusedPlans', 'plans refused', total),
            metric('failedActions', 'actions failed', total),
            metric('unconfirmedRevocations', 'revocations unconfirmed', total),
            metric('lostEvents', 'events lost', total),
          ],
        }),
      ],
      [
        new GraphWidget({
          title: 'Databases that differ from their rules',
          width: THIRD,
          left: [metric('driftedDatabases', 'databases', lowest)],
        }),
        new GraphWidget({
          title: 'Actions applied, by kind',
          width: 2 * THIRD,
          left: [actions],
          stacked: true,
        }),
      ],
    ],
  });
}
