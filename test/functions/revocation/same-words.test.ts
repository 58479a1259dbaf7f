import { expect, test } from 'vitest';
import { answering } from '../../world/faults.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest } from './issued.ts';

/** The same words again: what the order before has left, or a new order. */
const world = await issuedForEachTest();

const order = { token: 'telegraf', reason: 'leaked' };
const outOfOrder = { status: 503, body: '{}' } as const;

/** The policy without the entry of the secret. */
const withoutEntry = () => {
  const { telegraf, ...tokens } = Object(world.policy).tokens;
  return { ...world.policy, tokens };
};

test('are a new order when schedules have ended since what the first one left', async () => {
  world.intercept(answering('DELETE /tokens/{id}', outOfOrder));
  expect((await world.revoke(order)).error?.errorType).toBe('RevocationError');
  world.intercept();
  for (let hours = 0; hours < 4 * 24; hours += 6) {
    await world.wait(6 * HOUR);
    await world.rotate();
    await world.reap();
  }
  const string = world.string(TELEGRAF);
  const [left] = world.tokens(TELEGRAF);
  expect(left?.marker).toHaveProperty('quarantined');
  expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('go on with the first one after an hour and a half, while it has something left that works', async () => {
  world.intercept(answering('DELETE /tokens/{id}', outOfOrder));
  await world.revoke(order);
  world.intercept();
  await world.wait(90 * MINUTE);
  const string = world.string(TELEGRAF);
  expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
  expect(world.string(TELEGRAF)).toBe(string);
  expect(world.accepts(string)).toBe(true);
});

test('bring a new successor where the one that was not promoted in time has minutes left', async () => {
  world.intercept(answering('POST /api/v2/write', outOfOrder));
  expect((await world.revoke(order)).error?.errorType).toBe('RevocationError');
  world.intercept();
  const { AWSPENDING: waited } = world.holders(TELEGRAF);
  const lives = world.cluster.state.tokens.find(({ id }) => id === waited)?.expiresAt ?? 0;
  await world.wait(lives - 5 * MINUTE - world.clock.now());
  expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
  expect(world.holders(TELEGRAF).AWSCURRENT).not.toBe(waited);
  await world.wait(HOUR);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test.each([
  ['was done', undefined],
  ['got no successor promoted', 'POST /api/v2/write'],
])(
  'take nothing from consumers once the entry has left the policy, where the first order %s',
  async (_how, failing) => {
    if (failing === undefined) await world.revoke({ ...order, immediately: true });
    else {
      world.intercept(answering(failing, outOfOrder));
      expect((await world.revoke(order)).error?.errorType).toBe('RevocationError');
      world.intercept();
    }
    await world.wait(90 * MINUTE);
    const string = world.string(TELEGRAF);
    const deployment = world.deploy(withoutEntry());
    const { result } = await deployment.revoke({ ...order, immediately: true, dryRun: true });
    expect(result?.plan).toMatchObject({ actions: [], notReached: [{ secret: TELEGRAF }] });
    await deployment.revoke({ ...order, immediately: true });
    await world.wait(5 * MINUTE);
    expect(world.string(TELEGRAF)).toBe(string);
    expect(world.accepts(string)).toBe(true);
  },
);
