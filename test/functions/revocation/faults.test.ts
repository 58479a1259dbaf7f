import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../../sandbox/interception.ts';
import { type Disturbance, faults } from '../../world/faults.ts';
import { readMarker } from '../../world/marker.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import type { Saved, World } from '../../world/world.ts';
import { atEveryCall } from './every-call.ts';
import { openIssued } from './issued.ts';

let world: World;
let issued: Saved;
let frozen: Saved;
let deleted: Saved;
let rotated: Saved;
beforeAll(async () => {
  world = await openIssued();
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
  const labels = world.holders(TELEGRAF);
  const able = world.tokens(TELEGRAF).filter(({ marker }) => marker?.fp !== undefined);
  const successors = world.cluster.state.tokens
    .map(({ description }) => readMarker(description)?.marker)
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
  ['lift', { ...order, way: 'lift' }, () => deleted],
];

async function orderAgain(event: object, string: string, undisturbed: string): Promise<string[]> {
  const { result: report, error } = await world.revoke(event);
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
async function explore(
  event: object,
  saved: Saved,
  disturbances: Readonly<Record<string, Disturbance>>,
) {
  await world.restore(saved);
  const string = world.string(TELEGRAF);
  await world.revoke(event);
  await world.wait(MINUTE);
  const undisturbed = JSON.stringify(stateOf(string));
  const run = () => world.revoke(event);
  const complaints = (former: string) => orderAgain(event, former, undisturbed);
  return await atEveryCall({ world, saved, run, complaints }, disturbances);
}

const WRITES = ['POST', 'PATCH', 'DELETE', 'Put', 'Update', 'Tag', 'Untag'];
const isWrite = ({ operation }: Call) => WRITES.some((each) => operation.startsWith(each));

/** At one call. */
const single = pick(['a 500 before the effect', 'a reset after the effect'], {});
/** At one write; and no later call arrives, as if the process were dead. */
const deaths = pick(['a reset before the effect', 'a reset after the effect'], {
  counts: isWrite,
  later: 'cut off',
});
const kills = pick(['killed after the effect'], { counts: isWrite });

function pick(names: readonly (keyof typeof faults)[], how: Omit<Disturbance, 'meet'>) {
  return Object.fromEntries(names.map((name) => [name, { ...how, meet: faults[name] }]));
}

const limit = { timeout: 180_000 };

test.each(cases)(
  '%s: a fault at any call, and the same order again, end the same',
  limit,
  async (_name, event, saved) => {
    const { tried, found } = await explore(event, saved(), single);
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(5);
  },
);

test.each(cases)(
  '%s: cut off at any write, and the same order again, end the same',
  limit,
  async (_name, event, saved) => {
    const { tried, found } = await explore(event, saved(), deaths);
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  },
);

// A process of its own starts for each of these; what it leaves is what being cut off leaves.
test('replace: killed after any write, and the same order again, end the same', limit, async () => {
  const { tried, found } = await explore(order, rotated, kills);
  expect(found).toEqual([]);
  expect(tried).toBeGreaterThan(0);
});
