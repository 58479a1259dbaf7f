import { afterAll, beforeAll, expect, test } from 'vitest';
import { besideRun } from '../../world/faults.ts';
import { MINUTE, TELEGRAF } from '../../world/policy.ts';
import type { Answered, Saved, World } from '../../world/world.ts';
import { atEveryCall } from './every-call.ts';
import { openIssued } from './issued.ts';

let world: World;
let issued: Saved;
beforeAll(async () => {
  world = await openIssued();
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
  readonly first: () => Promise<Answered>;
  readonly second: () => Promise<Answered>;
}

async function interleave(way: string, { first, second }: Runs) {
  const { before, after } = besideRun(second);
  return await atEveryCall(
    { world, saved: issued, run: first, complaints: (string) => complaints(way, string) },
    { 'before the effect': { meet: before }, 'after the effect': { meet: after } },
  );
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
