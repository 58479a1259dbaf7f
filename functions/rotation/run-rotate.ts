import type { RotateRequest } from '../run/request.ts';
import type { Report } from '../run/run-plan.ts';
import type { RunTools } from '../run/tools.ts';
import type { TakeOver } from './plan/plan-takeover.ts';
import { type HistoryReport, runHistory } from './run-history.ts';
import { type RotationReport, runRotation } from './run-rotation.ts';
import { runTakeover } from './run-takeover.ts';

/** One run of `rotate`, in Lambda or on a laptop: a rotation, or what a person asks for in place of one. */
export function runRotate(
  request: RotateRequest,
  tools: RunTools,
): Promise<RotationReport | Report<TakeOver> | HistoryReport> {
  const { takeOver, history } = request;
  if (history) return runHistory({ ...request, history }, tools);
  return takeOver ? runTakeover({ ...request, takeOver }, tools) : runRotation(request, tools);
}
