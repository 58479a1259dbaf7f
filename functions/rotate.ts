import { runExamination } from './examination/run-examination.ts';
import { runRotate } from './rotation/run-rotate.ts';
import type { MeasureTools } from './run/look-tools.ts';
import { asksTo, parseRotateRequest } from './run/request.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';
import { LONGEST_EXAMINATION_MS, LONGEST_MEASUREMENT_MS } from './time.ts';

const runtime = loadRuntime();

/** Hardly any run needs it. */
const measure = async (tools: MeasureTools) => (await import('#measurement')).runMeasurement(tools);

/** Safe at any time, twice, or after a crash: every run reads both systems and makes a new plan. */
export function handler(event: unknown, context: InvocationContext) {
  if (asksTo('examine', event))
    return runtime.examine('rotate', context, runExamination, LONGEST_EXAMINATION_MS);
  if (asksTo('measure', event)) {
    return runtime.examine('rotate', context, measure, LONGEST_MEASUREMENT_MS);
  }
  const request = parseRotateRequest(event);
  const { scheduled, dryRun } = request;
  const invocation = { job: 'rotate', scheduled, dryRun } as const;
  return runtime.runScheduled(invocation, context, (tools) => runRotate(request, tools));
}
