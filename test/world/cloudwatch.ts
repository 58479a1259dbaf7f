/**
 * How CloudWatch evaluates an alarm on one metric, as its user guide says ("Alarm evaluation", "Alarm evaluation window",
 * "Configuring how CloudWatch alarms treat missing data"):
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */

/** The properties of an alarm in a template. */
export interface AlarmProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly Statistic: string;
  /** In seconds. */
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData?: string;
}

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** One value of the metric that the alarm watches, and when it was measured. */
export interface Sample {
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A state that an alarm went into. */
export interface Change {
  readonly state: AlarmState;
  readonly at: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * By how many periods an evaluation looks back further than `EvaluationPeriods`, where data is missing. The guide says
 * only that it does; in its examples it is two.
 */
export const FURTHER_BACK = 2;

const breaches: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

const statistics: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  Sum: (values) => values.reduce((sum, each) => sum + each, 0),
};

/** By its name, in a table that has every word of the templates: an unknown one must not count as "no breach". */
function known<Value>(table: Readonly<Record<string, Value>>, name: string): Value {
  const found = table[name];
  if (found === undefined) throw new Error(`found ${name}, expected ${Object.keys(table).join()}`);
  return found;
}

/**
 * The state after one evaluation.
 * @param points the evaluation range, oldest first: whether each period breaches; undefined: it has no data
 * @param before the state until now
 */
export function evaluate(
  alarm: Pick<AlarmProperties, 'EvaluationPeriods' | 'DatapointsToAlarm' | 'TreatMissingData'>,
  points: readonly (boolean | undefined)[],
  before: AlarmState,
): AlarmState {
  const { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = alarm;
  const { TreatMissingData = 'missing' } = alarm;
  const real = points.filter((point) => point !== undefined).slice(-EvaluationPeriods);
  const missing = EvaluationPeriods - real.length;
  const breaching = real.filter((point) => point).length;
  const judge = (count: number) => (count >= DatapointsToAlarm ? 'ALARM' : 'OK');
  if (missing === 0 || TreatMissingData === 'notBreaching') return judge(breaching);
  if (TreatMissingData === 'breaching') return judge(breaching + missing);
  // What is there decides, if it is enough to be sure.
  if (breaching >= DatapointsToAlarm) return 'ALARM';
  if (breaching < real.length) return 'OK';
  if (TreatMissingData === 'ignore') return before;
  const oldest = points.length - points.indexOf(true);
  return real.length > 0 && oldest >= DatapointsToAlarm ? 'ALARM' : 'INSUFFICIENT_DATA';
}

/**
 * Every change of state, oldest first, from the first value on. The window slides: it ends at the instant of the evaluation,
 * every minute, and for windows of more than a day at the last full hour. So a new value can change the state only when it
 * comes into a period of the window, or leaves it.
 * @param samples oldest first
 */
export function changesOf(
  alarm: AlarmProperties,
  samples: readonly Sample[],
  furtherBack = FURTHER_BACK,
): readonly Change[] {
  const periodMs = alarm.Period * 1_000;
  const range = alarm.EvaluationPeriods + furtherBack;
  const everyMs = periodMs * alarm.EvaluationPeriods > DAY_MS ? HOUR_MS : MINUTE_MS;
  const breach = known(breaches, alarm.ComparisonOperator);
  const statistic = known(statistics, alarm.Statistic);
  const instants = new Set(
    samples.flatMap(({ at }) =>
      Array.from({ length: range + 1 }, (_, period) => {
        return Math.ceil((at + period * periodMs) / everyMs) * everyMs;
      }),
    ),
  );
  const changes: Change[] = [];
  let state: AlarmState = 'INSUFFICIENT_DATA';
  for (const now of [...instants].sort((a, b) => a - b)) {
    const within = samples.filter(({ at }) => at <= now && at > now - range * periodMs);
    const byAge = Map.groupBy(within, ({ at }) => Math.floor((now - at) / periodMs));
    const points = Array.from({ length: range }, (_, index) => {
      const values = byAge.get(range - 1 - index)?.map(({ value }) => value);
      return values && breach(statistic(values), alarm.Threshold);
    });
    const next = evaluate(alarm, points, state);
    if (next !== state) changes.push({ state: next, at: now });
    state = next;
  }
  return changes;
}
