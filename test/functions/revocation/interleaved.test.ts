import { afterAll, beforeAll, expect, test } from 'vitest';
import { beside, callNumbers, disturbed } from './disturbed.ts';
import { MINUTE, openWorld, type Saved, TELEGRAF, type World } from './world.ts';

let world: World;
let issued: Saved;
beforeAll(async () => {
  world = await openWorld();
  issued = world.save();
});
afterAll(() => world.close());

const order = { token: 'telegraf', reason: 'leaked' };
const rotation = { tokens: ['telegraf'], force: true };

/** What is wrong once both runs have ended and the schedules have gone on. */
async function complaints(way: string, string: string): Promise<string[]> {
  const found: string[] = [];
  const holds = { freeze: 'frozen', delete: 'deleted' } as Record<string, string>;
  const holdsAsOrdered = () => world.hold(TELEGRAF) === holds[way];
  if (!holdsAsOrdered()) found.push(`hold is ${world.hold(TELEGRAF)}`);
  for (let run = 0; run < 2; run += 1) {
    const answers = [await world.rotate(), await world.reap()];
    found.push(...answers.flatMap(({ error }) => (error ? [error.errorMessage] : [])));
    await world.wait(5 * MINUTE);
  }
  const tokens = world.tokens(TELEGRAF);
  const able = tokens.filter(({ permissions }) => permissions.length > 0);
  if (world.accepts(string)) found.push('the revoked string works');
  if (way === 'replace' && !world.accepts(world.string(TELEGRAF))) found.push('nothing works');
  if (way !== 'replace' && able.length > 0) found.push(`${able.length} can do something`);
  if (way === 'delete' && tokens.length > 0) found.push(`${tokens.length} are alive`);
  const armed = tokens.filter(({ marker }) => marker?.replaces && marker.fp !== undefined);
  if (armed.length > (way === 'replace' ? 1 : 0)) found.push(`${armed.length} successors`);
  return found;
}

interface Runs {
  readonly first: () => Promise<object>;
  readonly second: () => Promise<object>;
}

async function interleave(way: string, { first, second }: Runs) {
  const found: string[] = [];
  let tried = 0;
  for (const [index, [when, disturb]] of Object.entries(beside(second)).entries()) {
    for (const number of callNumbers(index)) {
      await world.restore(issued);
      const string = world.string(TELEGRAF);
      const { calls } = await disturbed(world, { run: first }, number, disturb);
      if (calls < number) break;
      tried += 1;
      const wrong = await complaints(way, string);
      found.push(...wrong.map((each) => `${when} of call ${number}: ${each}`));
    }
  }
  return { tried, found };
}

const ways = ['replace', 'freeze', 'delete'];
const limit = { timeout: 60_000 };

test.each(ways)('%s at any call of a running rotation', limit, async (way) => {
  const { tried, found } = await interleave(way, {
    first: () => world.rotate(rotation),
    second: () => world.revoke({ ...order, way }),
  });
  expect(found).toEqual([]);
  expect(tried).toBeGreaterThan(10);
});

test.each(ways)('a rotation at any call of a running %s', limit, async (way) => {
  const { tried, found } = await interleave(way, {
    first: () => world.revoke({ ...order, way }),
    second: () => world.rotate(rotation),
  });
  expect(found).toEqual([]);
  expect(tried).toBeGreaterThan(10);
});

test.each(ways)('the same %s at any call of itself', limit, async (way) => {
  const again = () => world.revoke({ ...order, way });
  const { tried, found } = await interleave(way, { first: again, second: again });
  expect(found).toEqual([]);
  expect(tried).toBeGreaterThan(10);
});
