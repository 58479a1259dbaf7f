import { z } from 'zod';
import type { Stage } from './stage.ts';

const groupsSchema = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const linesSchema = z.object({
  events: z.array(z.object({ message: z.string(), timestamp: z.number() })),
});

/** Every line that the functions logged, from CloudWatch, in the order in which the runs ended. */
export async function readLogs({ aws }: Stage): Promise<readonly string[]> {
  const { logGroups } = groupsSchema.parse(await aws('logs', 'describe-log-groups'));
  const groups = await Promise.all(
    logGroups.map(async ({ logGroupName }) => {
      const found = await aws('logs', 'filter-log-events', '--log-group-name', logGroupName);
      return linesSchema.parse(found).events;
    }),
  );
  return groups
    .flat()
    .sort((a, b) => a.timestamp - b.timestamp)
    .map(({ message }) => message);
}

/** Without the lines of Lambda, Node.js and the metrics. */
export const decisionsIn = (lines: readonly string[]) =>
  lines.filter((line) => !/^(?:START|END|REPORT) |^\(|"message":"measured"/.test(line));

export const countRuns = (lines: readonly string[]) =>
  lines.filter((line) => line.startsWith('START RequestId')).length;

/** The lines of failed runs: those of level ERROR, and those before the trace of an error. */
export const failuresIn = (lines: readonly string[]) =>
  lines.filter((line, index) => {
    const threw = !/^\s+at /.test(line) && /^\s+at /.test(lines[index + 1] ?? '');
    return threw || line.includes('"level":"ERROR"');
  });
