/** What a month has shown, for its last paragraph. */
export interface Shown {
  readonly days: number;
  readonly rotations: number;
  readonly requests: number;
  readonly routers: number;
  /** What people did by hand, and accidents. */
  readonly acts: number;
  readonly rejections: number;
  readonly failures: number;
  readonly broken: number;
  /** Whether a leaked string was seen refused by all. */
  readonly isLeakProven: boolean;
  /** The page of the month. */
  readonly page: string;
}

const counted = (count: number, what: string) =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

function troublesOf({ rejections, failures, broken }: Shown): readonly string[] {
  const all = [
    [rejections, 'rejected request'],
    [failures, 'failed invocation'],
    [broken, 'broken invariant'],
  ] as const;
  return all.flatMap(([count, what]) => (count > 0 ? [counted(count, what)] : []));
}

/** What was proven, or why it was not, in one sentence or more. */
export function provenBy(shown: Shown): string {
  const { days, rotations, requests, routers, acts, isLeakProven } = shown;
  const troubles = troublesOf(shown);
  if (troubles.length > 0) return `NOT proven: ${troubles.join(', ')}. The lines above say which.`;
  const leak = isLeakProven ? ', and a leaked string was replaced and seen refused' : '';
  return (
    `Proven: in ${counted(days, 'day')} with ${counted(rotations, 'rotation')} and ${counted(acts, 'act')} of people and accident, ` +
    `none of ${counted(requests, 'consumer request')} was refused; all ${routers} routers accepted each token when it was promoted${leak}.`
  );
}

/** What a reader may do now. */
export const nextAfter = ({ page }: Shown): string =>
  `Next: open ${page} in a browser and look at the month. See it fail: npm start -- --sabotage grace. ` +
  'Try it yourself: docs/tutorial.md. Deploy it: README.md, "Deploy in ten minutes".';
