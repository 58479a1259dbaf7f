import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../lib/synthesize.ts';
import { readMetrics } from '../world/metrics.ts';

interface AlarmProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
}

const breaches: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/** The alarms of the stack that is deployed, so that no list of them is kept here. */
function deployedAlarms(): readonly AlarmProperties[] {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  const found = synthesize(folder).findResources('AWS::CloudWatch::Alarm');
  rmSync(folder, { recursive: true });
  return Object.values(found).map(({ Properties }) => Properties);
}

/** What one run logged, and whether it failed. */
interface Logged {
  readonly lines: readonly string[];
  readonly error?: object;
}

/** Which metrics of a run break the thresholds of deployed alarms; `Errors`: it failed. */
export type Rising = (logged: Logged) => readonly string[];

export function readAlarms(): Rising {
  const alarms = deployedAlarms();
  const failures = alarms.filter(({ Namespace }) => Namespace === 'AWS/Lambda');
  const ofKeyturn = alarms.filter(({ Namespace }) => Namespace === 'Keyturn');
  return ({ lines, error }) => {
    const values = readMetrics(lines)
      .flatMap((record) => Object.entries(record))
      .map(([key, value]) => ({ name: key.split(' ').at(-1), value: Number(value) }));
    const risen = ofKeyturn.filter(({ MetricName, Threshold, ComparisonOperator }) =>
      values.some(
        ({ name, value }) =>
          name === MetricName && breaches[ComparisonOperator]?.(value, Threshold),
      ),
    );
    const failed = failures.filter(({ MetricName }) => error && MetricName === 'Errors');
    return [...risen, ...failed].map(({ MetricName }) => MetricName);
  };
}
