import { availableParallelism, cpus } from 'node:os';

export type Unit = 'ratio' | 'calls' | 'count' | 'KB' | 'MB' | 'USD' | 'ms' | 's' | '/s';

/** Of the same machine at another hour they differ by more than a change of the code does. */
const OF_THE_MACHINE: readonly Unit[] = ['ms', 's', '/s'];

export interface Goal {
  /** What is compared: the figure itself, or what it is of the floor or of the peer. */
  readonly of: 'this' | 'floor' | 'peer';
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The part by which two measurements of the same code differ; 0 of what is counted. */
  readonly noise: number;
}

/** One figure of the checkout. */
export interface Row {
  readonly figure: string;
  readonly unit: Unit;
  readonly value: number;
  /** The least that any program would take for it, in the same run. */
  readonly floor?: number | undefined;
  /** What another program takes; absent also where that program is not here. */
  readonly peer?: number | undefined;
  /** Which other program. */
  readonly peerName?: string;
  readonly goal?: Goal;
  /** What it is made of. */
  readonly note?: string;
  /** Why there is no figure; that misses every goal. */
  readonly failure?: string;
}

/** What stands for figures that could not be measured. */
export const failed = (figure: string, failure: string): Row => ({
  figure,
  unit: 'count',
  value: Number.NaN,
  failure,
});

export type Verdict =
  | 'met'
  | 'within noise'
  | 'missed'
  | 'missed, gates nothing'
  | 'not measured'
  | 'failed';

const OTHERS = { this: () => 1, floor: ({ floor }: Row) => floor, peer: ({ peer }: Row) => peer };

/** The figure over what it is compared with. */
function ratioOf(row: Row): number | undefined {
  const isOfPeer = row.goal?.of === 'peer' || row.floor === undefined;
  const other = isOfPeer ? row.peer : row.floor;
  return other === undefined || other === 0 ? undefined : row.value / other;
}

/** Undefined: it has no goal. */
export function judge(row: Row): Verdict | undefined {
  const { goal } = row;
  if (row.failure !== undefined) return 'failed';
  if (!goal) return undefined;
  const other = OTHERS[goal.of](row);
  if (other === undefined) return 'not measured';
  const judged = row.value / other;
  const { atMost = Number.POSITIVE_INFINITY, atLeast = 0, noise } = goal;
  if (judged <= atMost && judged >= atLeast) return 'met';
  if (judged <= atMost * (1 + noise) && judged >= atLeast * (1 - noise)) return 'within noise';
  const isAbsolute = goal.of === 'this' && OF_THE_MACHINE.includes(row.unit);
  return isAbsolute ? 'missed, gates nothing' : 'missed';
}

/** What a run of the benchmark writes for programs. */
export interface Result {
  readonly at: string;
  readonly node: string;
  readonly machine: { readonly cores: number; readonly cpu: string };
  readonly seconds: number;
  readonly rows: readonly (Row & { readonly ratio?: number; readonly verdict?: Verdict })[];
  /** Figures whose goals are missed by more than noise, and what could not be measured. */
  readonly missed: readonly string[];
}

export function resultOf(
  rows: readonly Row[],
  { at, seconds }: Pick<Result, 'at' | 'seconds'>,
): Result {
  const judged = rows.map((row) => {
    const [ratio, verdict] = [ratioOf(row), judge(row)];
    return { ...row, ...(ratio !== undefined && { ratio }), ...(verdict && { verdict }) };
  });
  return {
    at,
    node: process.version,
    machine: { cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown' },
    seconds,
    rows: judged,
    missed: judged.flatMap(({ figure, verdict }) =>
      verdict === 'missed' || verdict === 'failed' ? [figure] : [],
    ),
  };
}

/** Of the process: whoever runs it in a pipeline sees no table. */
export const exitCodeOf = ({ missed }: Pick<Result, 'missed'>) => (missed.length === 0 ? 0 : 1);

const PLACES: Readonly<Record<Unit, number>> = {
  ratio: 2,
  calls: 1,
  count: 0,
  KB: 0,
  MB: 0,
  USD: 2,
  ms: 1,
  s: 1,
  '/s': 0,
};

/** A whole number of calls without a fraction. */
const shown = (value: number, unit: Unit) =>
  `${Number(value.toFixed(PLACES[unit]))}${unit === 'ratio' || unit === 'count' ? '' : ` ${unit}`}`;

function peerOf({ peer, peerName, unit }: Row): string {
  if (peerName === undefined) return '';
  return peer === undefined ? `${peerName}: not here` : `${peerName}: ${shown(peer, unit)}`;
}

function goalOf({ goal, unit }: Row): string {
  if (!goal) return '';
  const { atMost, atLeast } = goal;
  const [sign, limit] = atMost === undefined ? ['>=', atLeast] : ['<=', atMost];
  return `${sign} ${shown(limit ?? 0, goal.of === 'this' ? unit : 'ratio')}`;
}

const HEAD = ['figure', 'this', 'floor', 'peer', 'goal', 'ratio', ''];

/** One line for each figure, and its note below it. */
export function tableOf({ rows }: Pick<Result, 'rows'>): string {
  const lines = rows.map((row) => [
    row.figure,
    row.failure === undefined ? shown(row.value, row.unit) : '',
    row.floor === undefined ? '' : shown(row.floor, row.unit),
    peerOf(row),
    goalOf(row),
    row.ratio === undefined ? '' : shown(row.ratio, 'ratio'),
    row.verdict ?? '',
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const body = lines.flatMap((line, index) => {
    const note = rows[index]?.note ?? rows[index]?.failure;
    return note === undefined ? [text(line)] : [text(line), `    ${note}`];
  });
  return [text(HEAD), ...body, ''].join('\n');
}
