import { expect, test } from 'vitest';
import { type AlarmProperties, type AlarmState, changesOf, evaluate } from './cloudwatch.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const WAYS = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
/** `ignore` keeps the state, which is one that no evaluation gives here. */
const NAMES: Readonly<Record<string, AlarmState | 'kept'>> = {
  O: 'OK',
  A: 'ALARM',
  I: 'INSUFFICIENT_DATA',
  K: 'kept',
};
const pointsOf = (text: string) =>
  text.split(' ').map((each) => (each === '-' ? undefined : each === 'X'));

/** The tables of "How alarm state is evaluated when data is missing", three periods each. */
test.each([
  [3, '0 - X - X', 'O O O O'],
  [3, '0 - - - -', 'O O O O'],
  [3, '- - - - -', 'I K A O'],
  [3, '0 X X - X', 'A A A A'],
  [3, '- - - - X', 'I K A O'],
  [3, 'X - - - -', 'A K A O'],
  [2, '0 - X - X', 'A A A A'],
  [2, '0 0 X 0 X', 'A A A A'],
  [2, '0 - X - -', 'O O A O'],
  [2, '- - - - 0', 'O O A O'],
  [2, '- - - - X', 'I K A O'],
])(
  '%d of 3, %s: as the guide says of missing, ignore, breaching and notBreaching',
  (m, text, wanted) => {
    const states = WAYS.map((TreatMissingData) =>
      evaluate(
        { EvaluationPeriods: 3, DatapointsToAlarm: m, TreatMissingData },
        pointsOf(text),
        'kept' as AlarmState,
      ),
    );
    expect(states).toEqual(wanted.split(' ').map((each) => NAMES[each]));
  },
);

const alarm: AlarmProperties = {
  Namespace: 'Keyturn',
  MetricName: 'RefusedPlans',
  Threshold: 1,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  Statistic: 'Sum',
  Period: 3_600,
  EvaluationPeriods: 1,
  TreatMissingData: 'notBreaching',
};

test('the window slides with the clock: it begins wherever a value does, not with an hour', () => {
  const [rung, quiet, ...more] = changesOf(alarm, [{ value: 1, at: 0.75 * HOUR }]);
  expect(rung).toEqual({ state: 'ALARM', at: 0.75 * HOUR });
  // Two periods later than it must, since the guide looks back further where data is missing.
  expect(quiet).toEqual({ state: 'OK', at: 3.75 * HOUR });
  expect(more).toEqual([]);
});

test('the values of one period make one point, by the statistic of the alarm', () => {
  const two = [
    { value: 1, at: HOUR },
    { value: 0, at: 1.5 * HOUR },
  ];
  const from = (Statistic: string) => changesOf({ ...alarm, Statistic }, two)[1]?.at;
  // The first value is alone for half an hour.
  expect(from('Minimum')).toBe(1.5 * HOUR);
  expect(from('Maximum')).toBe(2 * HOUR);
});

test('an alarm over more than a day is evaluated at full hours', () => {
  const days = { ...alarm, Period: 86_400, EvaluationPeriods: 2, DatapointsToAlarm: 1 };
  expect(changesOf(days, [{ value: 1, at: DAY + 1 }])[0]?.at).toBe(DAY + HOUR);
});

test('silence rings where missing data breaches, when the range holds no value any more', () => {
  const silence = {
    ...alarm,
    ComparisonOperator: 'LessThanThreshold',
    EvaluationPeriods: 3,
    TreatMissingData: 'breaching',
  };
  const changes = changesOf(silence, [{ value: 1, at: 0 }]);
  expect(changes).toEqual([
    { state: 'OK', at: 0 },
    { state: 'ALARM', at: 5 * HOUR },
  ]);
});

test('a word that the tables do not know is an error, and no quiet alarm', () => {
  const samples = [{ value: 1, at: 0 }];
  expect(() => changesOf({ ...alarm, Statistic: 'Average' }, samples)).toThrow('found Average');
});
