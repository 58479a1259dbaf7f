import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAlarms } from './alarms.ts';
import { type Laboratory, openLaboratory, type Saved } from './laboratory.ts';
import { exploreOrder } from './repeat-order.ts';
import { sampleOf } from './sample.ts';
import { ordersPolicy, revocation, type Start } from './scenarios/revocation.ts';

/** Prime to the numbers of faults, of pauses and of most orders' calls. */
const ONE_IN = 9_973;
const LONGEST_MS = 24 * 3_600_000;

describe('orders, given again after a minute, 16, 90, and a month', () => {
  const sample = sampleOf(ONE_IN);
  const prepared = new Map<Start, Saved>();
  let laboratory: Laboratory;
  let empty: Saved;
  let risen: ReturnType<typeof readAlarms>;
  let violations = 0;

  beforeAll(async () => {
    laboratory = await openLaboratory(ordersPolicy, {
      revocationDelayMs: 5_000,
      routers: { count: 12, spreadMs: 240_000 },
    });
    empty = laboratory.save();
    risen = readAlarms();
  }, LONGEST_MS);
  afterAll(async () => {
    const { ran, cases, alike } = sample.counts;
    const counted = `${ran} of ${cases} cases (${alike} left the same behind as another one)`;
    console.log(`orders: ${counted}, ${violations} violations`);
    await laboratory.close();
  });

  const prepare = async (start: Start): Promise<Saved> => {
    const known = prepared.get(start);
    if (known) return known;
    await laboratory.restore(empty);
    await start.prepare(laboratory);
    expect(laboratory.violations).toEqual([]);
    const saved = laboratory.save();
    prepared.set(start, saved);
    return saved;
  };

  it.each(revocation)('$name', { timeout: LONGEST_MS }, async (scenario) => {
    const saved = await prepare(scenario.start);
    const found = await exploreOrder(laboratory, scenario, { sample, saved, risen });
    violations += found.length;
    expect(found).toEqual([]);
  });
});
