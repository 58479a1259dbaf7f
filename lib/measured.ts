import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, NAMESPACE } from '../functions/environment.ts';

/** A metric that the functions of a deployment write into their logs. */
export const measured = (owner: string, key: keyof typeof METRICS, options: MetricOptions) =>
  new Metric({
    namespace: NAMESPACE,
    metricName: METRICS[key].name,
    dimensionsMap: { Owner: owner },
    ...options,
  });
