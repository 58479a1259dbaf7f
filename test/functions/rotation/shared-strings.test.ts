import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const day = { defaults: { gracePeriod: '1d' } };
const both = policyWith({ telegraf: writer, grafana: writer }, day);

/** A person puts the string of grafana's former token, which is fenced, into telegraf; both secrets go on. */
async function pasteFormer(world: World): Promise<string> {
  await world.rotate();
  const old = world.string(GRAFANA);
  await world.rotate({ tokens: ['grafana'], force: true });
  await world.wait(DAY + 2 * HOUR);
  await world.reap();
  expect(world.tokens(GRAFANA)[0]?.marker).toMatchObject({ fenced: expect.any(String) });
  const text = { ...JSON.parse(world.value(TELEGRAF)), token: old };
  await world.people.saveValue(TELEGRAF, JSON.stringify(text));
  await world.rotate();
  return old;
}

async function replacePasted(world: World): Promise<void> {
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(20 * MINUTE);
  await world.rotate({ tokens: ['telegraf'], force: true });
}

test('a string that another secret had keeps its whole grace period from when that is over, though its token was fenced', async () => {
  const world = await openWorldForTest(both);
  const old = await pasteFormer(world);
  await world.wait(60 * HOUR);
  await replacePasted(world);
  for (let hours = 0; hours < 24; hours += 1) {
    await world.rotate();
    await world.reap();
    expect(world.accepts(old)).toBe(true);
    await world.wait(HOUR);
  }
  // And yet it ends.
  for (let hours = 0; hours < 36; hours += 6) {
    await world.reap();
    await world.wait(6 * HOUR);
  }
  expect(world.accepts(old)).toBe(false);
});

test('the longer grace period of the two secrets counts for a string that both had', async () => {
  const slow = { ...writer, gracePeriod: '4d' };
  const world = await openWorldForTest(policyWith({ telegraf: slow, grafana: writer }, day));
  const old = await pasteFormer(world);
  await replacePasted(world);
  for (let hours = 0; hours < 96; hours += 6) {
    await world.rotate();
    await world.reap();
    expect(world.accepts(old)).toBe(true);
    await world.wait(6 * HOUR);
  }
});

test('a secret that lost its tag while it has the string of another one still keeps that string working', async () => {
  const world = await openWorldForTest(both);
  const old = await pasteFormer(world);
  await world.people.untag(TELEGRAF, ['keyturn:owner']);
  for (let days = 0; days < 10; days += 1) {
    await world.rotate();
    await world.reap();
    expect(world.accepts(old)).toBe(true);
    await world.wait(DAY);
  }
  await world.people.tag(TELEGRAF, { 'keyturn:owner': 'prod' });
  await replacePasted(world);
  for (let days = 0; days < 5; days += 1) {
    await world.rotate();
    await world.reap();
    await world.wait(DAY);
  }
  expect(world.accepts(old)).toBe(false);
});

test('a quarantined token goes on to its deletion when another secret has its string no more', async () => {
  const world = await openWorldForTest(both);
  await world.rotate();
  const old = world.string(GRAFANA);
  const { AWSCURRENT: id } = world.holders(GRAFANA);
  const its = () => world.tokens().find((each) => each.id === id)?.marker;
  await world.rotate({ tokens: ['grafana'], force: true });
  for (let hours = 0; hours < 60 && !its()?.quarantined; hours += 6) {
    await world.wait(6 * HOUR);
    await world.reap();
  }
  const before = its();
  expect(before).toHaveProperty('quarantined');
  const text = { ...JSON.parse(world.value(TELEGRAF)), token: old };
  await world.people.saveValue(TELEGRAF, JSON.stringify(text));
  await world.rotate();
  expect(its()).toHaveProperty('shared');
  await world.wait(HOUR);
  await replacePasted(world);
  await world.wait(HOUR);
  await world.rotate();
  expect(its()).toEqual(before);
});

/** How a person's copy of telegraf's secret may name its version. */
const COPIES: Readonly<Record<string, (id: string) => string>> = {
  'the id that Keyturn put': (version) => version,
  'the bare id of its token': (version) => version.slice('keyturn-'.length),
};

test.each(Object.keys(COPIES))(
  'a copy of another secret under %s alarms, and keeps its token from retirement until it is gone',
  async (how) => {
    const weekly = { ...writer, rotateEvery: '7d' };
    const world = await openWorldForTest(policyWith({ telegraf: weekly, grafana: writer }, day));
    await world.rotate();
    const version = COPIES[how]?.(world.labels(TELEGRAF).AWSCURRENT ?? '') ?? '';
    const copied = world.string(TELEGRAF);
    await world.people.putVersion(GRAFANA, version, world.value(TELEGRAF), 'AWSCURRENT');
    const runs = async (days: number) => {
      for (let passed = 0; passed < days; passed += 1) {
        await world.wait(DAY - 30 * MINUTE);
        await world.rotate();
        await world.wait(30 * MINUTE);
        await world.rotate();
        await world.reap();
      }
    };
    await runs(20);
    expect(world.string(TELEGRAF)).not.toBe(copied);
    expect(world.accepts(copied)).toBe(true);
    const unusable = 'Owner=prod UnusableTokens';
    expect(world.metrics().findLast((each) => unusable in each)?.[unusable]).toBe(1);
    await world.rotate({ tokens: ['grafana'], force: true });
    await runs(6);
    expect(world.accepts(copied)).toBe(false);
    expect(world.accepts(world.string(GRAFANA))).toBe(true);
  },
);

test('a string that a person pasted from another secret is replaced before that one’s token expires', async () => {
  const life = { expiresAfter: '40d', rotateEvery: '20d', renewBefore: '5d' };
  const seldom = { ...writer, rotateEvery: '39d', renewBefore: '5d' };
  const world = await openWorldForTest(
    policyWith({ telegraf: seldom, grafana: { ...writer, ...life } }, { defaults: life }),
  );
  await world.rotate();
  await world.wait(10 * DAY);
  await world.people.saveValue(TELEGRAF, world.value(GRAFANA));
  const pasted = world.string(TELEGRAF);
  // Until ten days after its expiry.
  for (let hours = 0; hours < 40 * 24; hours += 6) {
    await world.rotate();
    await world.wait(6 * HOUR);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  }
  expect(world.string(TELEGRAF)).not.toBe(pasted);
});
