import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, NAMESPACE, RUNS_METRIC } from '../functions/environment.ts';

/** What a run measures, by its name in the functions. */
export type Measure = keyof typeof METRICS;

/** A metric that the functions of a deployment write into their logs. */
export const measured = (owner: string, key: Measure, options: MetricOptions) =>
  new Metric({
    namespace: NAMESPACE,
    metricName: METRICS[key].name,
    dimensionsMap: { Owner: owner },
    ...options,
  });

/** Runs of a job that its schedule began in time, and that therefore did something. */
export const scheduledRuns = (owner: string, job: string, options: MetricOptions) =>
  new Metric({
    namespace: NAMESPACE,
    metricName: RUNS_METRIC.name,
    dimensionsMap: { Owner: owner, Function: job },
    ...options,
  });
