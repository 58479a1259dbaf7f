import type { Entry, PlanReport } from './answers.ts';

/** What the functions answered to a look; where one could not be asked, why. */
export interface Looks {
  readonly rotate: (PlanReport & { readonly entries: readonly Entry[] }) | Error;
  readonly reap: PlanReport | Error;
  readonly enforce: PlanReport | Error;
}

/** What a function answered, if it did. */
export const seen = <Report extends PlanReport>(report: Report | Error): readonly Report[] =>
  report instanceof Error ? [] : [report];
