import { runExamination } from './examination/run-examination.ts';
import { runRotate } from './rotation/run-rotate.ts';
import { asksToExamine, parseRotateRequest } from './run/request.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/** Safe at any time, twice, or after a crash: every run reads both systems and makes a new plan. */
export function handler(event: unknown, context: InvocationContext) {
  if (asksToExamine(event)) return runtime.examine('rotate', context, runExamination);
  const request = parseRotateRequest(event);
  const { scheduled, dryRun } = request;
  const invocation = { job: 'rotate', scheduled, dryRun } as const;
  return runtime.runScheduled(invocation, context, (tools) => runRotate(request, tools));
}
