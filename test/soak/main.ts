import { parseArgs } from 'node:util';
import { live } from './life.ts';
import { drawPlan } from './plan.ts';

/**
 * Lives lives that are drawn from seeds: `npm run soak -- --seed 1 --seeds 10`. The same seed has the same life, to the last
 * call. Exits with 1 if one of them broke an invariant.
 */

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

const print = (line: string) => process.stdout.write(`${line}\n`);

function readFlags() {
  const text = { type: 'string' } as const;
  const options = {
    seed: { ...text, default: '1' },
    seeds: { ...text, default: '1' },
    days: text,
    tokens: text,
    'fault-rate': text,
    verbose: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ options });
  const numberOf = (name: 'seed' | 'seeds' | 'days' | 'tokens' | 'fault-rate') => {
    const given = values[name];
    const number = Number(given);
    if (given === undefined || number > 0) return given === undefined ? undefined : number;
    throw new Error(`--${name}: found "${given}", expected a number above 0`);
  };
  return {
    first: numberOf('seed') ?? 1,
    count: numberOf('seeds') ?? 1,
    days: numberOf('days'),
    tokens: numberOf('tokens'),
    faultRate: numberOf('fault-rate'),
    verbose: values.verbose,
  };
}

const { first, count, verbose, ...asked } = readFlags();
for (let seed = first; seed < first + count; seed += 1) {
  const plan = drawPlan(seed, asked);
  const began = performance.now();
  const lived = await live(plan, verbose ? (line) => print(`  ${line}`) : undefined);
  const seconds = (performance.now() - began) / 1_000;
  const years = (lived.lastedMs / YEAR_MS) * plan.tokens;
  const { violations, runs, failedRuns, rotations, minted, calls, trace } = lived;
  print(
    `seed ${seed}: ${plan.tokens} tokens, ${Math.round(lived.lastedMs / DAY_MS)} days, ${plan.troubles.length} troubles: ` +
      `${runs} runs (${failedRuns} failed), ${rotations} rotations, ${minted} minted, ${calls} calls, ` +
      `${violations.length} violations, ${(years / seconds).toFixed(2)} token-years a second, trace ${trace}`,
  );
  for (const { at, text } of violations.slice(0, 5)) {
    print(`  ${new Date(at).toISOString()} ${text}`);
  }
  if (violations.length > 0 && verbose) for (const call of lived.lastCalls) print(`    ${call}`);
  if (violations.length > 0) process.exitCode = 1;
}
