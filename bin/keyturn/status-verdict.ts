/** `unknown`: nothing bad was seen, and not everything could be looked at. */
export type StatusVerdict = 'well' | 'not well' | 'unknown';

export const worst = (verdicts: readonly StatusVerdict[]): StatusVerdict =>
  verdicts.find((each) => each === 'not well') ??
  verdicts.find((each) => each === 'unknown') ??
  'well';
