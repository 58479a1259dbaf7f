import { parseArgs } from 'node:util';
import { drawCase } from './draw.ts';
import { judge } from './judge.ts';
import { liveCase } from './live.ts';

/**
 * Lives random policies that a synthesis accepts without a word, each for weeks in which nothing goes wrong:
 * `npm run policies -- --seed 1 --policies 50`. Exits with 1 where consumers were refused, something was told in vain or minted in
 * vain, or a rotation was put off.
 */
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { seed: text, policies: text, verbose: { type: 'boolean', default: false } },
});
const numberOf = (name: 'seed' | 'policies', fallback: number) => {
  const number = Number(values[name] ?? fallback);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name}: found "${values[name]}", expected a whole number above 0`);
};

const print = (line: string) => process.stdout.write(`${line}\n`);
const first = numberOf('seed', 1);
const count = numberOf('policies', 20);
const began = performance.now();
let broken = 0;
let firings = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const about = drawCase(seed);
  const life = await liveCase(about);
  const wrong = judge(about, life);
  firings += life.firings.length;
  if (wrong.length > 0) broken += 1;
  if (wrong.length > 0 || values.verbose) print(JSON.stringify(about));
  for (const line of wrong.slice(0, 6)) print(`  ${line}`);
  if (wrong.length > 6) print(`  and ${wrong.length - 6} more`);
}
const seconds = ((performance.now() - began) / 1_000).toFixed(0);
print(`${count} policies, ${firings} firings, ${seconds} s: ${broken} with something wrong`);
if (broken > 0) process.exitCode = 1;
