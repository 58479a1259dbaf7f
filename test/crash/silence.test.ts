import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR } from '../world/policy.ts';
import { acts } from './acts.ts';
import { readAlarms } from './alarms.ts';
import { type Laboratory, openLaboratory, type Saved } from './laboratory.ts';
import { lives, policyWith, SECRET } from './policy.ts';
import { sampleOf } from './sample.ts';
import { inherit } from './scenarios/policy-changes.ts';
import { dieAfter, forced, renew, rotateFully, type Scenario } from './scenarios/scenario.ts';
import { press } from './scenarios/secrets-manager.ts';
import { PERIOD, passWeeks } from './silence.ts';

const ONE_IN = 31;
const LONGEST_MS = 3_600_000;

const policy = policyWith(
  { telegraf: { permissions: { write: ['metrics'] } } },
  {
    // Longer than two periods, so that a predecessor that is refused must be told of.
    defaults: { ...lives, gracePeriod: '20h', renewBefore: '20h' },
    schedules: { rotate: `rate(${PERIOD / HOUR} hours)`, reap: 'rate(1 day)' },
  },
);

/** About the one entry. */
const order =
  (event: object) =>
  async ({ invoke }: Laboratory): Promise<void> => {
    await invoke({ job: 'revoke', event: { token: 'telegraf', reason: 'leaked', ...event } });
  };

type Start = Pick<Scenario, 'name' | 'prepare'>;

const renewed: Start = { name: 'after a renewal', prepare: renew };

const starts: readonly Start[] = [
  renewed,
  {
    name: 'while a token is pending',
    async prepare(laboratory) {
      await renew(laboratory);
      await laboratory.world.wait(HOUR / 2);
      await dieAfter(laboratory, 'PATCH /tokens/{id}', forced);
    },
  },
  { name: 'after a rotation by Secrets Manager', prepare: press },
  {
    name: 'after an adoption',
    async prepare(laboratory) {
      await inherit(laboratory, 'credentials');
      await rotateFully(laboratory);
    },
  },
  {
    name: 'after a freeze that was undone',
    async prepare(laboratory) {
      await renew(laboratory);
      await order({ way: 'freeze' })(laboratory);
      await order({ way: 'unfreeze' })(laboratory);
    },
  },
];

/** What people let Keyturn do. */
const orders: Readonly<Record<string, (laboratory: Laboratory) => Promise<void>>> = {
  'orders a freeze': order({ way: 'freeze' }),
  'orders to unfreeze': order({ way: 'unfreeze' }),
  'orders a replacement': order({ way: 'replace' }),
  'orders a replacement at once': order({ way: 'replace', immediately: true }),
  'orders a deletion': order({ way: 'delete' }),
  'orders to lift that': order({ way: 'lift' }),
  'orders the deletion of the previous token': async (laboratory) => {
    const { AWSPREVIOUS: tokenId } = laboratory.world.holders(SECRET);
    if (tokenId) await order({ way: 'delete', token: undefined, tokenId })(laboratory);
  },
};

const names = [...Object.keys(acts), ...Object.keys(orders)];

describe('no silence', () => {
  const sample = sampleOf(ONE_IN);
  let laboratory: Laboratory;
  let empty: Saved;
  const prepared = new Map<Start, Saved>();
  let risen: ReturnType<typeof readAlarms>;
  let violations = 0;

  beforeAll(async () => {
    laboratory = await openLaboratory(policy);
    empty = laboratory.save();
    risen = readAlarms();
  }, LONGEST_MS);
  afterAll(async () => {
    const { ran, cases } = sample.counts;
    console.log(`silence: ${ran} of ${cases} cases, ${violations} violations`);
    await laboratory.close();
  });

  const prepare = async (start: Start): Promise<Saved> => {
    const known = prepared.get(start);
    if (known) return known;
    await laboratory.restore(empty);
    await start.prepare(laboratory);
    expect(laboratory.violations).toEqual([]);
    await laboratory.world.wait(HOUR / 2);
    const saved = laboratory.save();
    prepared.set(start, saved);
    return saved;
  };

  /** What nobody was told after some acts, one right after the other. */
  const explore = async (saved: Saved, done: readonly string[]): Promise<readonly string[]> => {
    if (!sample.next()) return [];
    await laboratory.restore(saved);
    for (const name of done) {
      await (orders[name]?.(laboratory) ?? acts[name]?.(laboratory.world));
    }
    const weeks = await passWeeks(laboratory, risen);
    violations += weeks.violations.length;
    return weeks.violations.map((text) => `somebody ${done.join(', then ')}: ${text}`);
  };

  it.each(starts)(
    'nothing rings in weeks without a cause, $name',
    { timeout: LONGEST_MS },
    async (start) => {
      await laboratory.restore(await prepare(start));
      expect(await passWeeks(laboratory, risen)).toEqual({ violations: [], rang: [] });
    },
  );

  it.each(starts)(
    'an alarm tells of consumers that are or will be refused after any act, $name',
    { timeout: LONGEST_MS },
    async (start) => {
      const saved = await prepare(start);
      const found: string[] = [];
      for (const name of names) found.push(...(await explore(saved, [name])));
      expect(found).toEqual([]);
    },
  );

  it.each(names)(
    'and after any two, of which the first $0',
    { timeout: LONGEST_MS },
    async (first) => {
      const saved = await prepare(renewed);
      const found: string[] = [];
      for (const second of names) found.push(...(await explore(saved, [first, second])));
      expect(found).toEqual([]);
    },
  );
});
