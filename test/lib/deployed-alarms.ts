import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlarmProperties } from '../world/cloudwatch.ts';
import { POLICY, synthesize } from './synthesize.ts';

/** The name of an alarm as the glossary has it, such as `RotateFailed`, and its properties. */
export type DeployedAlarms = Readonly<Record<string, AlarmProperties>>;

/** The alarms of the stack that is deployed, so that no list of them is kept in a test. */
export function deployedAlarms(policy = POLICY): DeployedAlarms {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  // Of a stack whose alarms tell nobody the synthesis warns.
  const template = synthesize(folder, policy, { alarmEmails: ['on-call@example.com'] });
  rmSync(folder, { recursive: true });
  const functions = template.findResources('AWS::Lambda::Function');
  const nameOf = (value: unknown) => {
    const { Ref } = Object(value) as { readonly Ref?: string };
    return Ref === undefined ? value : (functions[Ref]?.Properties.FunctionName ?? Ref);
  };
  const found = template.findResources('AWS::CloudWatch::Alarm');
  return Object.fromEntries(
    Object.entries(found).map(([id, { Properties }]) => {
      const { Dimensions = [] }: AlarmProperties = Properties;
      const named = Dimensions.map(({ Name, Value }) => ({ Name, Value: nameOf(Value) }));
      return [id.replace(/^Keyturn/, '').slice(0, -8), { ...Properties, Dimensions: named }];
    }),
  );
}

/** One name for a metric and its dimensions, whatever their order: `Function=rotate Owner=prod ScheduledRuns`. */
export const metricOf = ({ MetricName, Dimensions = [] }: AlarmProperties): string =>
  [...Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort(), MetricName].join(' ');
