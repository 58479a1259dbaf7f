import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

async function openRotated(more: object = {}) {
  const world = await openWorldForTest(policyWith({ telegraf: writer }, more));
  await world.rotate();
  await world.wait(2 * HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  return world;
}

test('the loss of what AWSPREVIOUS had is told for a grace period, though a tool tags the secret every day', async () => {
  const lifetimes = { gracePeriod: '2d', rotateEvery: '60d', expiresAfter: '100d' };
  const world = await openRotated({ defaults: lifetimes });
  await world.wait(HOUR);
  const former = world.holders(TELEGRAF).AWSPREVIOUS ?? '';
  await world.people.deleteToken(former);
  const told: number[] = [];
  for (let day = 1; day <= 8; day += 1) {
    await world.people.tag(TELEGRAF, { 'backup:last': String(day) });
    const { result } = await world.rotate();
    if (result.entries[0].condition === 'cut-short') told.push(day);
    await world.reap();
    await world.wait(DAY);
  }
  expect(told).toEqual([1, 2]);
  expect(world.labels(TELEGRAF)).not.toHaveProperty('AWSPREVIOUS');
});

test('where a person went back, the time counts from the last change: nobody knows when that was', async () => {
  const world = await openRotated();
  await world.wait(3 * DAY);
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS ?? '');
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ condition: 'cut-short' }]);
});

test('nor is it known where a person went back and forth', async () => {
  const world = await openRotated();
  await world.wait(3 * DAY);
  const { AWSCURRENT, AWSPREVIOUS } = world.labels(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, AWSPREVIOUS);
  await world.rotate();
  await world.wait(DAY);
  await world.people.makeCurrent(TELEGRAF, AWSCURRENT);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS ?? '');
  const { result } = await world.rotate();
  expect(result.entries).toMatchObject([{ condition: 'cut-short' }]);
  await world.reap();
  expect(world.labels(TELEGRAF)).toHaveProperty('AWSPREVIOUS');
});
