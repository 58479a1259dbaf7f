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
  readonly Statistic: string;
  /** In seconds. */
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
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

const statistics: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  Sum: (values) => values.reduce((sum, each) => sum + each, 0),
};

/** What one run logged, and whether it failed. */
interface Logged {
  readonly lines: readonly string[];
  readonly error?: object;
}

interface Sample {
  readonly name: string | undefined;
  readonly value: number;
  readonly at: number;
}

const samplesOf = (lines: readonly string[], at: number): Sample[] =>
  readMetrics(lines)
    .flatMap((record) => Object.entries(record))
    .map(([key, value]) => ({ name: key.split(' ').at(-1), value: Number(value), at }));

/**
 * Whether an alarm goes off at some time: so many of the last periods breach, each by its statistic of all values in it.
 * A period without a value breaches nothing, whatever the alarm makes of it.
 */
function rings(alarm: AlarmProperties, samples: readonly Sample[]): boolean {
  const { MetricName, Statistic, Period, Threshold, EvaluationPeriods } = alarm;
  const measured = samples.filter(({ name }) => name === MetricName);
  const periods = Map.groupBy(measured, ({ at }) => Math.floor(at / (Period * 1_000)));
  const breaching = [...periods].flatMap(([period, its]) => {
    const value = statistics[Statistic]?.(its.map((each) => each.value)) ?? Number.NaN;
    return breaches[alarm.ComparisonOperator]?.(value, Threshold) ? [period] : [];
  });
  return breaching.some((last) => {
    const recent = breaching.filter((each) => each <= last && each > last - EvaluationPeriods);
    return recent.length >= (alarm.DatapointsToAlarm ?? EvaluationPeriods);
  });
}

/** Which metrics of a run that is the only one in its periods sound deployed alarms; `Errors`: it failed. */
export type Rising = (logged: Logged) => readonly string[];

export function readAlarms(): Rising {
  const alarms = deployedAlarms();
  const failures = alarms.filter(({ Namespace }) => Namespace === 'AWS/Lambda');
  return ({ lines, error }) => {
    const failed = failures.filter(({ MetricName }) => error && MetricName === 'Errors');
    return [...ringing(alarms, [{ lines, at: 0 }]), ...failed.map(({ MetricName }) => MetricName)];
  };
}

/** Which metrics of all these runs sound deployed alarms. */
export const heard = (runs: readonly (Logged & { readonly at: number })[]): readonly string[] =>
  ringing(deployedAlarms(), runs);

function ringing(
  alarms: readonly AlarmProperties[],
  runs: readonly (Logged & { readonly at: number })[],
): readonly string[] {
  const samples = runs.flatMap(({ lines, at }) => samplesOf(lines, at));
  return alarms
    .filter((alarm) => alarm.Namespace === 'Keyturn' && rings(alarm, samples))
    .map(({ MetricName }) => MetricName);
}
