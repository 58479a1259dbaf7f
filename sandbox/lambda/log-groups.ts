import { instantIn, type LogEvent, type LogGroup, type Logs } from '../aws/logs.ts';
import type { Host } from './host.ts';
import type { LogLine } from './instance.ts';

/** The instance's function: `2/rotate-1` is one of `rotate`. */
const functionOf = ({ instanceId }: LogLine) => instanceId.replace(/^.*\/|-\d+$/g, '');

/** A stream for each instance, as in Lambda. A line that says no instant has that of the line before it. */
function eventsOf(name: string, lines: readonly LogLine[]): readonly LogEvent[] {
  let at = 0;
  return lines
    .filter((line) => functionOf(line) === name)
    .map(({ instanceId: stream, text }) => {
      at = instantIn(text) ?? at;
      return { stream, at, text };
    });
}

/** The log groups that a stack makes for its functions; of deployments with the same names they are the same groups. */
export function serveLogs(
  { groups }: Logs,
  host: Pick<Host, 'logs'>,
  functions: readonly { readonly name: string; readonly functionName: string }[],
  retentionDays = 90,
): void {
  for (const { name, functionName } of functions) {
    const group = `/aws/lambda/${functionName}`;
    const before: LogGroup['events'] = groups[group]?.events ?? (() => []);
    const events = () => [...before(), ...eventsOf(name, host.logs)];
    groups[group] = { retentionDays, events };
  }
}
