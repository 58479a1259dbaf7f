import { expect, test } from 'vitest';
import { answering, endingNothing } from '../../world/faults.ts';
import { HOUR, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest, reportOf } from './issued.ts';

/** What an order that failed advises is carried out as it says, and reaches what the order did not. */
const world = await issuedForEachTest();

const outOfOrder = { status: 503, body: '{"error": "out of order"}' } as const;

type Order = Readonly<Record<string, unknown>>;

/** What the first sentence of a report says to order, of each name in it. */
function advisedBy(report: Order, given: Order): readonly Order[] {
  const [first = ''] = report.unconfirmed as readonly string[];
  const names = /^old strings of (.+) may still work/.exec(first)?.[1]?.split(', ') ?? [];
  expect(names).not.toEqual([]);
  if (first.endsWith('give the same order again')) return [given];
  const way = /with "way": "(\w+)"/.exec(first)?.[1];
  expect(way).toBeDefined();
  return names.map((name) => ({
    ...(name.includes('/') ? { secret: name } : { tokenId: name }),
    way,
    reason: 'as advised',
  }));
}

/** A cluster that ends nothing by this way. */
const failing = (way: string) =>
  world.intercept(
    way === 'freeze' ? answering('PATCH /tokens/{id}', outOfOrder) : endingNothing(outOfOrder),
  );

async function giveAdvised(report: Order, given: Order): Promise<void> {
  for (const each of advisedBy(report, given)) {
    expect((await world.revoke(each)).result).toMatchObject({ done: true, confirmed: true });
  }
}

test.each(['delete', 'freeze', 'replace'])(
  'what an order to %s a secret advises after it failed ends what it did not',
  async (way) => {
    const string = world.string(TELEGRAF);
    const order = { secret: TELEGRAF, way, reason: 'leaked' };
    failing(way);
    const report = reportOf(await world.revoke(order));
    world.intercept();
    expect(report.done).toBe(false);
    expect(world.accepts(string)).toBe(true);
    await giveAdvised(report, order);
    await world.wait(HOUR);
    expect(world.accepts(string)).toBe(false);
  },
);

test.each(['failed', 'failed twice', 'was lost'])(
  'what a replacement whose deletion %s advises leaves the successor to its consumers',
  async (how) => {
    const { AWSCURRENT: old } = world.holders(TELEGRAF);
    const string = world.string(TELEGRAF);
    const order = { secret: TELEGRAF, way: 'replace', reason: 'leaked' };
    const lost = answering('DELETE /tokens/{id}', { status: 204, body: '' });
    world.intercept(how === 'was lost' ? lost : endingNothing(outOfOrder));
    if (how === 'failed twice') await world.revoke(order);
    const report = reportOf(await world.revoke(order));
    world.intercept();
    expect(report.done).toBe(false);
    expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(old);
    await giveAdvised(report, order);
    await world.wait(HOUR);
    expect(world.accepts(string)).toBe(false);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test('a replacement without a successor names the secret', async () => {
  const string = world.string(TELEGRAF);
  const order = { secret: TELEGRAF, way: 'replace', reason: 'leaked' };
  world.intercept(answering('PutSecretValue', outOfOrder));
  const report = reportOf(await world.revoke(order));
  world.intercept();
  expect(advisedBy(report, order)).toMatchObject([{ secret: TELEGRAF, way: 'freeze' }]);
  await giveAdvised(report, order);
  await world.wait(HOUR);
  expect(world.accepts(string)).toBe(false);
});

test.each(['delete', 'freeze'])(
  'what an order to %s one token advises after it failed ends that token alone',
  async (way) => {
    const string = world.string(TELEGRAF);
    const { AWSCURRENT: old } = world.holders(TELEGRAF);
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
    const order = { tokenId: old, way, reason: 'leaked' };
    failing(way);
    const report = reportOf(await world.revoke(order));
    world.intercept();
    expect(world.accepts(string)).toBe(true);
    await giveAdvised(report, order);
    await world.wait(HOUR);
    expect(world.accepts(string)).toBe(false);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test('an order that ends first and gets no successor says that consumers have no token, and what gives them one', async () => {
  const string = world.string(TELEGRAF);
  const order = { secret: TELEGRAF, way: 'replace', immediately: true, reason: 'leaked' };
  world.intercept(answering('POST /tokens', outOfOrder));
  const report = reportOf(await world.revoke(order));
  world.intercept();
  expect(world.accepts(string)).toBe(false);
  expect(report.unconfirmed).toContainEqual(
    expect.stringMatching(`^consumers of ${TELEGRAF} have no token .*keyturn rotate telegraf`),
  );
  expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('what unfreeze advises for a token that lost its marker gives consumers another one', async () => {
  const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
  await world.people.changeToken(id, { description: 'edited by hand' });
  const order = { token: 'telegraf', reason: 'leaked' };
  await world.revoke({ ...order, way: 'freeze', noUndo: true });
  await world.wait(HOUR);
  const report = reportOf(await world.revoke({ ...order, way: 'unfreeze' }));
  expect(report).toMatchObject({ done: true, confirmed: false });
  expect(JSON.stringify(report.tokens)).toContain('keyturn rotate telegraf');
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});
