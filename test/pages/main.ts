import { parseArgs } from 'node:util';
import { askWeeks } from './ask.ts';
import { drawWeeks } from './draw.ts';

/**
 * Lives weeks that are drawn from seeds, and compares what `keyturn report` and `keyturn history` tell of them with what was so, at every
 * instant: `npm run pages -- --seed 1 --pages 50`. Exits with 1 where they tell what was not.
 */
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { seed: text, pages: text, verbose: { type: 'boolean', default: false } },
});
const numberOf = (name: 'seed' | 'pages', fallback: number) => {
  const number = Number(values[name] ?? fallback);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name}: found "${values[name]}", expected a whole number above 0`);
};

const print = (line: string) => process.stdout.write(`${line}\n`);
const first = numberOf('seed', 1);
const count = numberOf('pages', 20);
const began = performance.now();
let broken = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const weeks = drawWeeks(seed);
  const wrong = await askWeeks(weeks);
  if (wrong.length > 0) broken += 1;
  if (wrong.length > 0 || values.verbose)
    print(`seed ${seed}: ${weeks.steps.map(({ act }) => act).join('; ')}`);
  for (const line of wrong.slice(0, 6)) print(`  ${line}`);
  if (wrong.length > 6) print(`  and ${wrong.length - 6} more`);
}
const seconds = ((performance.now() - began) / 1_000).toFixed(0);
print(`${count} pages, ${seconds} s: ${broken} with something that was not so`);
if (broken > 0) process.exitCode = 1;
