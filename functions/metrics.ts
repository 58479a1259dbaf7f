import {
  ACTIONS_METRIC,
  isMetric,
  METRICS,
  type Measure,
  type Measures,
  NAMESPACE,
  RUNS_METRIC,
} from './environment.ts';

export interface Meter {
  /** Keeps what was measured until `flush`. */
  readonly measure: Measure;
  flush(): void;
}

interface MeterOptions {
  readonly owner: string;
  readonly now: () => number;
  /** For `isMetric`. */
  readonly wanted: string;
  /** Writes the keys of an object at the root of one JSON line. */
  readonly write: (line: object) => void;
}

interface Sample {
  readonly name: string;
  readonly unit: 'Count' | 'None';
  readonly value: number;
}

/**
 * CloudWatch's embedded metric format: a log line that becomes metrics, without a call or a permission. What nobody wants as a
 * metric, which has its price, is in the line alone.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function embed(
  { now, wanted }: MeterOptions,
  dimensions: Readonly<Record<string, string>>,
  samples: readonly Sample[],
): object {
  const metrics = samples.filter(({ name }) => isMetric(wanted, name));
  return {
    ...(metrics.length > 0 && {
      _aws: {
        Timestamp: now(),
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [Object.keys(dimensions)],
            Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
          },
        ],
      },
    }),
    ...dimensions,
    ...Object.fromEntries(samples.map(({ name, value }) => [name, value])),
  };
}

/**
 * Collects what one run measures. `flush` writes one line, one more for each kind of action, and one if a
 * schedule began the run.
 */
export function createMeter(options: MeterOptions): Meter {
  const { owner, write } = options;
  let measured: Measures = {};
  return {
    measure(measures) {
      measured = { ...measured, ...measures };
    },
    flush() {
      const { actions = {}, scheduledRun, ...rest } = measured;
      measured = {};
      const samples = Object.entries(rest).map(([key, value]) => ({
        ...METRICS[key as keyof typeof rest],
        value,
      }));
      if (samples.length > 0) write(embed(options, { Owner: owner }, samples));
      for (const [Action, value] of Object.entries(actions)) {
        write(embed(options, { Owner: owner, Action }, [{ ...ACTIONS_METRIC, value }]));
      }
      if (scheduledRun !== undefined) {
        const dimensions = { Owner: owner, Function: scheduledRun };
        write(embed(options, dimensions, [{ ...RUNS_METRIC, value: 1 }]));
      }
    },
  };
}
