import type { Row } from './table.ts';
import { type Bench, isProbe, openBench } from './world.ts';

const TOKENS = 40;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export type Calls = Readonly<Record<string, number>>;

/** Listings that a run of the same function makes where nothing is due. */
const OF_MANAGEMENT = /^(?:GET|POST|PUT|PATCH|DELETE) /;
export const isOfManagement = (name: string) => OF_MANAGEMENT.test(name) && !isProbe(name);
const OF_EVENTS = ['PutEvents', 'GetSchedule'];
export const isOfSecrets = (name: string) => !OF_MANAGEMENT.test(name) && !OF_EVENTS.includes(name);

export const sumOf = (calls: Calls, matches: (name: string) => boolean) =>
  Object.entries(calls).reduce((sum, [name, count]) => sum + (matches(name) ? count : 0), 0);

export const minus = (calls: Calls, others: Calls): Calls =>
  Object.fromEntries(
    Object.entries(calls)
      .map(([name, count]) => [name, count - (others[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );

/** What is asked while something is done. */
export async function during(bench: Bench, work: () => Promise<unknown>): Promise<Calls> {
  const before = bench.calls();
  await work();
  return minus(bench.calls(), before);
}

const each = (calls: Calls, matches: (name: string) => boolean) =>
  Object.entries(calls)
    .filter(([name]) => matches(name))
    .map(([name, count]) => `${Number((count / TOKENS).toFixed(2))} ${name}`)
    .sort()
    .join(', ');

/** What one rotation asks of both systems in its two runs, beside what a run asks that finds nothing to do. */
export async function measureCalls(): Promise<readonly Row[]> {
  const bench = await openBench({ tokens: TOKENS, writesPerSecond: 20 });
  try {
    const { clock } = bench;
    bench.addOthers(await bench.issueFirst());
    const run = () => bench.run('rotate');
    const idle = await during(bench, run);
    await clock.runUntil(clock.now() + 31 * DAY_MS);
    const minted = await during(bench, run);
    await clock.runUntil(clock.now() + 5 * MINUTE_MS);
    const waiting = await during(bench, run);
    await clock.runUntil(clock.now() + 30 * MINUTE_MS);
    const before = bench.rotated();
    const promoted = await during(bench, run);
    const rotated = bench.rotated() - before;
    if (rotated !== TOKENS) throw new Error(`${rotated} of ${TOKENS} tokens were rotated`);
    const [first, second] = [minus(minted, idle), minus(promoted, idle)];
    const [inFirst, inSecond] = [isOfManagement, isOfSecrets].map((matches) => [
      sumOf(first, matches) / TOKENS,
      sumOf(second, matches) / TOKENS,
    ]) as [number[], number[]];
    const ofBoth = ([a = 0, b = 0]: readonly number[]) => a + b;
    return [
      {
        figure: 'a rotation: calls of the Management API',
        unit: 'calls',
        value: ofBoth(inFirst),
        goal: { of: 'this', atMost: 8, noise: 0 },
        note: `mint and arm: ${each(first, isOfManagement)}; promote: ${each(second, isOfManagement)}`,
      },
      {
        figure: 'a rotation: calls of Secrets Manager',
        unit: 'calls',
        value: ofBoth(inSecond),
        goal: { of: 'this', atMost: 6, noise: 0 },
        note: `mint and arm: ${each(first, isOfSecrets)}; promote: ${each(second, isOfSecrets)}`,
      },
      {
        figure: 'a rotation: probes while it waits',
        unit: 'calls',
        value: sumOf(first, isProbe) + sumOf(waiting, isProbe),
        goal: { of: 'this', atMost: 0, noise: 0 },
      },
      {
        figure: 'a rotation: probes before it is promoted',
        unit: 'calls',
        value: sumOf(second, isProbe) / TOKENS,
      },
    ];
  } finally {
    await bench.close();
  }
}
