import type { Told } from './pool.ts';
import { ROWS } from './rows.ts';

const YEAR_MS = 365 * 86_400_000;

type Counts = Readonly<Record<string, number>>;

function sum(all: readonly Counts[]): [string, number][] {
  const total = new Map<string, number>();
  for (const counts of all)
    for (const [what, count] of Object.entries(counts))
      total.set(what, (total.get(what) ?? 0) + count);
  return [...total].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Token-years that were lived. */
export const tokenYears = ({ lastedMs, tokens }: Pick<Told, 'lastedMs' | 'tokens'>): number =>
  (lastedMs / YEAR_MS) * tokens;

/**
 * What some lives were, as lines of a table.
 * @param seconds how long they took in all
 */
export function tally(lives: readonly Told[], seconds: number): string[] {
  const count = (of: (lived: Told) => number) => lives.reduce((all, each) => all + of(each), 0);
  const years = count(({ lastedMs }) => lastedMs / YEAR_MS);
  const violations = (letter: string) =>
    count((each) => each.violations.filter(({ text }) => text.startsWith(letter)).length);
  const decided = sum(lives.map(({ rows: taken }) => taken));
  const never = ROWS.filter((row) => !decided.some(([what]) => what === row));
  const rows: [string, string | number][] = [
    ['lives', lives.length],
    ['virtual years', years.toFixed(1)],
    ['virtual token-years', count(tokenYears).toFixed(1)],
    ['token-years a second', (count(tokenYears) / seconds).toFixed(2)],
    ['seconds for each virtual year', (seconds / years).toFixed(1)],
    ['runs', count(({ runs }) => runs)],
    ['runs that failed', count(({ failedRuns }) => failedRuns)],
    ['calls', count(({ calls }) => calls)],
    ['rotations', count(({ rotations }) => rotations)],
    ['tokens minted', count(({ minted }) => minted)],
    ['of them in vain', count(({ inVain }) => inVain)],
    ['requests of consumers', count(({ asked }) => asked)],
    ['of them refused', violations('J')],
    ['left behind at the end', violations('D')],
    ['violations', violations('')],
    ...sum(lives.map(({ met }) => met)).map(([what, number]): [string, number] => [
      `trouble: ${what}`,
      number,
    ]),
    ...sum(lives.map(({ faults }) => faults)).map(([what, number]): [string, number] => [
      `calls that met: ${what}`,
      number,
    ]),
    ...decided.map(([what, number]): [string, number] => [`decided: ${what}`, number]),
    ['rows of decision tables never taken', never.length],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return [
    ...rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`),
    ...never.map((row) => `never: ${row}`),
  ];
}
