import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseMarker } from '../../../functions/tokens/marker.ts';
import type { Call } from '../../../sandbox/interception.ts';
import {
  callNumbers,
  type Disturbance,
  deaths,
  disturbed,
  faults,
  isWrite,
  kill,
} from './disturbed.ts';
import { HOUR, MINUTE, openWorld, type Saved, TELEGRAF, type World } from './world.ts';

let world: World;
let issued: Saved;
let frozen: Saved;
let deleted: Saved;
let rotated: Saved;
beforeAll(async () => {
  world = await openWorld();
  issued = world.save();
  await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'before' });
  frozen = world.save();
  await world.restore(issued);
  await world.revoke({ way: 'delete', token: 'telegraf', reason: 'before' });
  deleted = world.save();
  await world.restore(issued);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  rotated = world.save();
});
afterAll(() => world.close());

const order = { token: 'telegraf', reason: 'leaked' };

/** What an order leaves, whichever tokens it was that were minted; inert ones are left to reap. */
function stateOf(string: string) {
  const labels = world.labels(TELEGRAF);
  const able = world.tokens(TELEGRAF).filter(({ marker }) => marker?.fp !== undefined);
  const successors = world.cluster.state.tokens
    .map(({ description }) => parseMarker(description)?.marker)
    .filter((marker) => marker?.replaces !== undefined && marker.fp !== undefined);
  return {
    hold: world.hold(TELEGRAF),
    tokens: able.map(({ id, permissions, marker }) => ({
      labels: Object.keys(labels).filter((label) => labels[label] === id),
      permissions,
      frozen: marker?.frozen !== undefined,
      replaces: marker?.replaces !== undefined,
    })),
    successorsEverArmed: successors.length,
    formerWorks: world.accepts(string),
    currentWorks: world.accepts(world.string(TELEGRAF)),
  };
}

const cases: readonly [string, object, () => Saved][] = [
  ['replace', order, () => rotated],
  ['replace immediately', { ...order, immediately: true }, () => rotated],
  ['freeze', { ...order, way: 'freeze' }, () => rotated],
  ['delete', { ...order, way: 'delete' }, () => rotated],
  ['unfreeze', { ...order, way: 'unfreeze' }, () => frozen],
  ['replace what is frozen', order, () => frozen],
  ['lift', { ...order, way: 'lift' }, () => deleted],
];

interface Case {
  readonly disturbances: Readonly<Record<string, Disturbance>>;
  readonly counts?: (call: Call) => boolean;
  readonly dies?: boolean;
}

async function orderAgain(event: object, string: string, undisturbed: string): Promise<string[]> {
  const { report, error } = await world.revoke(event);
  await world.wait(MINUTE);
  const state = JSON.stringify(stateOf(string));
  const unfinished =
    error?.errorMessage ?? (report?.confirmed ? undefined : JSON.stringify(report));
  return [
    ...(unfinished === undefined ? [] : [unfinished]),
    ...(state === undisturbed ? [] : [`${state}, undisturbed ${undisturbed}`]),
  ];
}

/** Every disturbance at every call of an order, which is then given again. */
async function explore(event: object, saved: Saved, { disturbances, ...subject }: Case) {
  await world.restore(saved);
  const string = world.string(TELEGRAF);
  await world.revoke(event);
  await world.wait(MINUTE);
  const undisturbed = JSON.stringify(stateOf(string));
  const found: string[] = [];
  let tried = 0;
  for (const [index, [name, disturb]] of Object.entries(disturbances).entries()) {
    for (const number of callNumbers(index)) {
      await world.restore(saved);
      const run = () => world.revoke(event);
      const { calls } = await disturbed(world, { run, ...subject }, number, disturb);
      if (calls < number) break;
      tried += 1;
      const wrong = await orderAgain(event, string, undisturbed);
      found.push(...wrong.map((each) => `${name}, call ${number}: ${each}`));
    }
  }
  return { tried, found };
}

const limit = { timeout: 60_000 };

test.each(cases)(
  '%s: a fault at any call, and the same order again, end the same',
  limit,
  async (_name, event, saved) => {
    const { tried, found } = await explore(event, saved(), { disturbances: faults });
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(5);
  },
);

test.each(cases)(
  '%s: cut off at any write, and the same order again, end the same',
  limit,
  async (_name, event, saved) => {
    const { tried, found } = await explore(event, saved(), {
      disturbances: deaths,
      counts: isWrite,
      dies: true,
    });
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  },
);

// A process of its own starts for each of these; what it leaves is what being cut off leaves.
test(
  'replace: killed behind any write, and the same order again, end the same',
  limit,
  async () => {
    const disturbances = { 'killed behind the effect': kill };
    const { tried, found } = await explore(order, rotated, { disturbances, counts: isWrite });
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  },
);
