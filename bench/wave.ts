import type { Row } from './table.ts';
import { openBench } from './world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Of every rotation: a new version, and the move of the label. */
const WRITES = 2;
/** What the policy has by default. */
const SETTLE_MS = 10 * MINUTE_MS;

interface WaveOptions {
  readonly tokens: number;
  readonly periodMs: number;
  readonly writesPerSecond: number;
}

/** All tokens of a fleet are due at once, and a schedule rotates them. Times are virtual. */
export async function wave({ tokens, periodMs, writesPerSecond }: WaveOptions) {
  const bench = await openBench({ tokens, writesPerSecond });
  try {
    const { clock } = bench;
    bench.addOthers(await bench.issueFirst());
    await clock.runUntil(clock.now() + 31 * DAY_MS);
    const since = clock.now();
    const [rotated, minted] = [bench.rotated(), bench.minted()];
    let [firings, busyMs, ended] = [0, 0, since];
    while (bench.rotated() < rotated + tokens) {
      const at = since + firings * periodMs;
      await clock.runUntil(at);
      const took = await bench.fire('rotate', periodMs);
      if (took > periodMs) throw new Error('a run outlived its period');
      [firings, busyMs, ended] = [firings + 1, busyMs + took, at + took];
      if (firings > 200) throw new Error(`${bench.rotated() - rotated} of ${tokens} were rotated`);
    }
    return {
      firings,
      busyMs,
      elapsedMs: ended - since,
      dictatedMs: (WRITES * tokens * 1_000) / writesPerSecond,
      inVain: bench.minted() - minted - tokens,
      busiest: bench.busiest(since),
    };
  } finally {
    await bench.close();
  }
}

const TOKENS = 500;
const PERIOD_MS = 30 * MINUTE_MS;
const WRITES_PER_SECOND = 20;

export async function measureWave(): Promise<readonly Row[]> {
  const options = { tokens: TOKENS, periodMs: PERIOD_MS, writesPerSecond: WRITES_PER_SECOND };
  const found = await wave(options);
  const what = `${TOKENS} tokens due at once`;
  const seconds = (ms: number) => ms / 1_000;
  return [
    {
      figure: `${what}: busy time / what the write quota dictates`,
      unit: 's',
      value: seconds(found.busyMs),
      floor: seconds(found.dictatedMs),
      goal: { of: 'floor', atMost: 1.05, noise: 0 },
      note: `virtual time; ${found.firings} runs, 30 minutes apart; 10,000: npm run bench:fleet -- --wave --tokens 10000`,
    },
    {
      figure: `${what}: elapsed / that, one period and settle`,
      unit: 's',
      value: seconds(found.elapsedMs),
      floor: seconds(found.dictatedMs + (PERIOD_MS + SETTLE_MS) * Math.ceil(found.firings / 2)),
      goal: { of: 'floor', atMost: 1, noise: 0 },
    },
    {
      figure: `${what}: most writes a second, over ten`,
      unit: 'count',
      value: found.busiest,
      floor: WRITES_PER_SECOND,
      goal: { of: 'floor', atMost: 1, noise: 0 },
      note: 'floor: secretWritesPerSecond of the policy',
    },
    {
      figure: `${what}: minted in vain`,
      unit: 'count',
      value: found.inVain,
      goal: { of: 'this', atMost: 0, noise: 0 },
    },
  ];
}
