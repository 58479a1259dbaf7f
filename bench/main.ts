import '../sandbox/require-node-24.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodeOf, failed, type Row, resultOf, tableOf } from './table.ts';

/** One after the other: two that measure CPU would take it from each other. */
const GROUPS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  init: async () => (await import('./init.ts')).measureInit(),
  cold: async () => (await import('./cold.ts')).measureCold(),
  calls: async () => (await import('./calls.ts')).measureCalls(),
  tls: async () => (await import('./rotations.ts')).measureRotations(),
  wave: async () => (await import('./wave.ts')).measureWave(),
  listings: async () => (await import('./listings.ts')).measureListings(),
  revoke: async () => (await import('./revoke.ts')).measureRevoke(),
  cost: async () => (await import('./cost.ts')).measureCost(),
  start: async () => (await import('./start.ts')).measureStart(),
};
/** A minute of one figure that nothing is compared with. */
const ONLY_BY_NAME = ['start'];

const USAGE = `npm run bench -- [GROUP...] [--json FILE] [--profile FOLDER]
  GROUP        ${Object.keys(GROUPS).join(', ')} (default: all but ${ONLY_BY_NAME.join(', ')})
  --json FILE  where the result is written as JSON (default: bench/result.json)
  --profile FOLDER  where the CPU profiles of the functions of tls and listings go, which makes their figures larger
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    profile: { type: 'string' },
    json: { type: 'string', default: join(import.meta.dirname, 'result.json') },
  },
});

const firstLine = ({ message }: Error) => message.split('\n')[0] ?? '';

async function measure(names: readonly string[]): Promise<void> {
  const [at, startedAt] = [new Date().toISOString(), performance.now()];
  const secondsSince = (from: number) => Math.round((performance.now() - from) / 1_000);
  const rows: Row[] = [];
  for (const name of names) {
    const begun = performance.now();
    // What one group cannot measure keeps no other from being measured.
    const measured = Promise.resolve(GROUPS[name]?.() ?? []);
    rows.push(...(await measured.catch((error: Error) => [failed(name, firstLine(error))])));
    process.stderr.write(`${name}: ${secondsSince(begun)} s\n`);
  }
  const result = resultOf(rows, { at, seconds: secondsSince(startedAt) });
  writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\n${tableOf(result)}\n`);
  const { node, machine, seconds, missed } = result;
  process.stdout.write(
    `${at.slice(0, 10)}, Node.js ${node}, ${machine.cores} cores (${machine.cpu}), ${seconds} s; JSON: ${values.json}\n`,
  );
  if (missed.length > 0) process.stdout.write(`missed: ${missed.join('; ')}\n`);
  process.exitCode = exitCodeOf(result);
}

if (values.profile !== undefined) process.env.BENCH_PROFILE = values.profile;
const unknown = positionals.filter((name) => !Object.hasOwn(GROUPS, name));
const byDefault = Object.keys(GROUPS).filter((name) => !ONLY_BY_NAME.includes(name));
if (values.help) process.stdout.write(USAGE);
else if (unknown.length === 0) await measure(positionals.length > 0 ? positionals : byDefault);
else {
  process.stderr.write(`there is no group ${unknown.join(', ')}\n${USAGE}`);
  process.exitCode = 2;
}
