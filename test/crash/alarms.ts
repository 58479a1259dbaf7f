import { deployedAlarms, metricOf } from '../lib/deployed-alarms.ts';
import { type AlarmProperties, changesOf } from '../world/cloudwatch.ts';
import { readMetrics } from '../world/metrics.ts';

/** What one run logged, and whether it failed. */
interface Logged {
  readonly lines: readonly string[];
  readonly error?: object;
}

interface Measured {
  /** As `metricOf` names it. */
  readonly metric: string;
  readonly value: number;
  readonly at: number;
}

/** What CloudWatch makes of the lines of a run that ended at an instant. */
export const measuredIn = (lines: readonly string[], at: number): Measured[] =>
  readMetrics(lines)
    .flatMap((record) => Object.entries(record))
    .map(([key, value]) => {
      const words = key.split(' ');
      const name = words.pop() ?? '';
      return { metric: [...words.sort(), name].join(' '), value: Number(value), at };
    });

/** Which metrics of a run that is the only one in its periods sound deployed alarms; `Errors`: it failed. */
export type Rising = (logged: Logged) => readonly string[];

/** Those of silence are left out: the runs here are people's, who keep no schedule. */
const notOfSilence = (alarms: readonly AlarmProperties[]) =>
  alarms.filter(({ TreatMissingData }) => TreatMissingData !== 'breaching');

export function readAlarms(deployed = deployedAlarms()): Rising {
  const alarms = notOfSilence(Object.values(deployed));
  const failures = alarms.filter(({ MetricName }) => MetricName === 'Errors');
  return ({ lines, error }) => {
    const failed = failures.filter(() => error);
    return [...ringing(alarms, [{ lines, at: 0 }]), ...failed.map(({ MetricName }) => MetricName)];
  };
}

/** Which metrics of all these runs sound deployed alarms. */
export const heard = (runs: readonly (Logged & { readonly at: number })[]): readonly string[] =>
  ringing(notOfSilence(Object.values(deployedAlarms())), runs);

/** The runs of a test have one owner, which need not be that of the stack that is synthesized here. */
const ofAnyOwner = (metric: string) => metric.replace(/\bOwner=\S+ /, '');

function ringing(
  alarms: readonly AlarmProperties[],
  runs: readonly (Logged & { readonly at: number })[],
): readonly string[] {
  const measured = runs.flatMap(({ lines, at }) => measuredIn(lines, at));
  return alarms
    .filter((alarm) => {
      const its = measured.filter(
        ({ metric }) => ofAnyOwner(metric) === ofAnyOwner(metricOf(alarm)),
      );
      return changesOf(alarm, its).some(({ state }) => state === 'ALARM');
    })
    .map(({ MetricName }) => MetricName);
}
