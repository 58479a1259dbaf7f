import { parseArgs } from 'node:util';

/** What became of one seed. */
export interface Found {
  /** What was drawn, in one line. */
  readonly about: string;
  /** What went wrong; a line each. */
  readonly wrong: readonly string[];
}

const print = (line: string) => process.stdout.write(`${line}\n`);
/** More lines of one seed tell no more. */
const MOST_LINES = 6;

/**
 * Tries one seed after the other, and prints what went wrong: `--seed 1 --<things> 50 --verbose`. Exits with 1 if anything did.
 * @param things what a seed draws one of, as its option says how many: `policies`
 * @param summed what else the last line counts: `, 18717 firings`
 */
export async function searchSeeds(
  things: string,
  attempt: (seed: number) => Promise<Found>,
  summed = () => '',
): Promise<void> {
  const text = { type: 'string' } as const;
  const verbose = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { seed: text, [things]: text, verbose } });
  const numberOf = (name: string, fallback: number) => {
    const found = values[name] ?? fallback;
    if (Number.isInteger(Number(found)) && Number(found) > 0) return Number(found);
    throw new Error(`--${name}: found "${found}", expected a whole number above 0`);
  };
  const first = numberOf('seed', 1);
  const count = numberOf(things, 20);
  const began = performance.now();
  let broken = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const { about, wrong } = await attempt(seed);
    if (wrong.length > 0) broken += 1;
    if (wrong.length > 0 || values.verbose) print(`seed ${seed}: ${about}`);
    for (const line of wrong.slice(0, MOST_LINES)) print(`  ${line}`);
    if (wrong.length > MOST_LINES) print(`  and ${wrong.length - MOST_LINES} more`);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  print(`${count} ${things}${summed()}, ${seconds} s: ${broken} with something wrong`);
  if (broken > 0) process.exitCode = 1;
}
