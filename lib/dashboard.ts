import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  MathExpression,
  type MetricOptions,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ACTIONS_METRIC, isMetric, METRICS, NAMESPACE } from '../functions/environment.ts';
import type { MetricsWanted } from './deployment.ts';
import { measured } from './measured.ts';

export interface DashboardProps {
  readonly owner: string;
  readonly metrics: MetricsWanted;
  /** Whether the management token is one whose end its secret may say. */
  readonly hasStoredToken: boolean;
  readonly alarms: readonly IAlarm[];
  /** By the name that the graphs show. */
  readonly functions: Readonly<Record<string, IFunction>>;
}

const HOURLY = Duration.hours(1);
const THIRD = 8;

/** Nothing if there is nothing to show. */
const graph = (title: string, left: readonly IMetric[], more: GraphWidgetProps = {}) =>
  left.length > 0 ? [new GraphWidget({ title, width: THIRD, left: [...left], ...more })] : [];

const DAYS: GraphWidgetProps = { leftYAxis: { min: 0, showUnits: false } };

/** For a person on call, from the top: what is wrong, whether consumers are in danger, and what ran. */
export function addDashboard(scope: Construct, props: DashboardProps): void {
  const { owner, metrics, hasStoredToken, alarms, functions } = props;
  const metric = (key: keyof typeof METRICS, label: string, options: MetricOptions) =>
    isMetric(metrics, METRICS[key].name)
      ? [measured(owner, key, { period: HOURLY, label, ...options })]
      : [];
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
  const now = [
    ...metric('ownedTokens', 'tokens', highest),
    ...metric('overdueTokens', 'rotations overdue', lowest),
    ...metric('unusableTokens', 'unusable', lowest),
    ...metric('deletedSecrets', 'secrets scheduled for deletion', lowest),
    ...metric('longHolds', 'on hold for more than a week', lowest),
    ...metric('workingStrays', 'strays that work', lowest),
    ...metric('tokensNearExpiry', 'near expiry', lowest),
    ...(hasStoredToken
      ? metric('managementTokenDays', 'days of the management token', lowest)
      : []),
  ];
  const happened = [
    ...metric('mendedOutages', 'outages mended', total),
    ...metric('refusedPlans', 'plans refused', total),
    ...metric('failedActions', 'actions failed', total),
    ...metric('unconfirmedRevocations', 'revocations unconfirmed', total),
    ...metric('lostEvents', 'events lost', total),
  ];

  new Dashboard(scope, 'Dashboard', {
    // Dashboards are global in an account (PutDashboard, Amazon CloudWatch API Reference).
    dashboardName: `Keyturn-${owner}-${Stack.of(scope).region}`,
    defaultInterval: Duration.days(7),
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: [...alarms] })],
      [
        ...(now.length > 0
          ? [new SingleValueWidget({ title: 'Now', width: THIRD, height: 6, metrics: now })]
          : []),
        ...graph(
          'Runway: days until the first current token expires',
          metric('runwayDays', 'days left', lowest),
          DAYS,
        ),
        ...graph(
          'Age: days of the oldest current token',
          metric('oldestTokenDays', 'days old', highest),
          DAYS,
        ),
      ],
      [
        ...graph(
          'Runs in an hour',
          byFunction((target, options) => target.metricInvocations(options)),
        ),
        ...graph(
          'Runs that failed',
          byFunction((target, options) => target.metricErrors(options)),
        ),
        ...graph(
          'Mended outages, refused plans, failed actions, unconfirmed revocations, lost events',
          happened,
        ),
      ],
      [
        ...graph(
          'Databases that differ from their rules',
          metric('driftedDatabases', 'databases', lowest),
        ),
        ...graph(
          'Actions applied, by kind',
          isMetric(metrics, ACTIONS_METRIC.name) ? [actions] : [],
          {
            width: 2 * THIRD,
            stacked: true,
          },
        ),
      ],
    ],
  });
}
