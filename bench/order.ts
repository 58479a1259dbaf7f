import '../sandbox/require-node-24.ts';
import { parseArgs } from 'node:util';
import type { RevocationReport } from '../functions/revocation/report.ts';
import { openBench } from './world.ts';

/** One order about a fleet, while Secrets Manager throttles some of it: how long it takes, and what it asks. */
const { values } = parseArgs({ options: { tokens: { type: 'string', default: '1000' } } });
const tokens = Number(values.tokens);

const DAY_MS = 86_400_000;
/** Of the moves of labels and the writes of tags: one in so many is throttled. */
const THROTTLED = 20;
// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const print = (text: string) => process.stdout.write(`${text}\n`);

for (const way of ['replace', 'freeze', 'unfreeze'] as const) {
  const bench = await openBench({ tokens, writesPerSecond: 20 });
  const { clock, cluster } = bench;
  await bench.run('rotate');
  await clock.runUntil(clock.now() + DAY_MS);
  const order = { all: true, confirm: new URL(cluster.url).host, reason: 'the laptop is gone' };
  if (way === 'unfreeze') await bench.run('revoke', { ...order, way: 'freeze' });
  bench.throttle(THROTTLED);
  const [before, listed, startedAt] = [bench.count(), bench.listings(), clock.now()];
  const startedReally = performance.now();
  const answer = await bench.run('revoke', { ...order, way });
  const { done, confirmed, tokens: ended, unconfirmed } = answer as RevocationReport;
  const after = bench.count();
  print(`\n${way} --all of ${tokens} tokens; activation and revocation take 90 s`);
  print(`  done ${done}, confirmed ${confirmed}, ${ended.length} tokens reported`);
  for (const sentence of unconfirmed) print(`  not confirmed: ${sentence}`);
  print(`  ${(clock.now() - startedAt) / 1_000} s of the 900 that Lambda gives`);
  print(`  listings of tokens: ${bench.listings() - listed}`);
  for (const name of ['management', 'probes', 'secrets', 'writes'] as const) {
    print(`  calls, ${name}: ${after[name] - before[name]}`);
  }
  print(`  most writes per second, over ten seconds: ${bench.busiest(startedAt)}`);
  print(`  (${((performance.now() - startedReally) / 1_000).toFixed(0)} s here)`);
  await bench.close();
}
