import { beforeEach, expect, test } from 'vitest';
import { DAY, HOUR, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest, reportOf } from './issued.ts';

/** A leaked string was frozen in a hurry, and the rest is done later: nothing is called dead that `unfreeze` revives. */
const world = await issuedForEachTest();

const currentId = () => world.holders(TELEGRAF).AWSCURRENT ?? '';
const idsIn = () => world.tokens(TELEGRAF).map(({ id }) => id);
const leak = { reason: 'leaked' };
const force = { tokens: ['telegraf'], force: true };

let frozen: string;
let string: string;
beforeEach(async () => {
  [frozen, string] = [currentId(), world.string(TELEGRAF)];
  await world.rotate(force);
  await world.wait(HOUR);
  await world.revoke({ tokenId: frozen, way: 'freeze', ...leak });
});

test('replace says of a token that was frozen before that it stays, and what ends it', async () => {
  const order = { token: 'telegraf', ...leak };
  const said = new RegExp(`^${frozen} of ${TELEGRAF} .*unfreeze.*"tokenId": "${frozen}".*--delete`);
  const { result: shown } = await world.revoke({ ...order, dryRun: true });
  expect(shown?.plan.warnings).toContainEqual(expect.stringMatching(said));
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed).toEqual([expect.stringMatching(said)]);
  expect(idsIn()).toContain(frozen);

  const { result: ended } = await world.revoke({ tokenId: frozen, way: 'delete', ...leak });
  expect(ended).toMatchObject({ confirmed: true });
  expect((await world.revoke(order)).result).toMatchObject({ confirmed: true });
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'all clear' });
  await world.wait(HOUR);
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('replace of the frozen token itself is refused, and says what ends it', async () => {
  const order = { tokenId: frozen, ...leak };
  const said = expect.stringMatching(/frozen.*"way": "delete" \(--delete\)/);
  const { result: shown } = await world.revoke({ ...order, dryRun: true });
  expect(shown?.plan).toMatchObject({
    actions: [],
    notReached: [{ secret: TELEGRAF, reason: said }],
  });
  expect(reportOf(await world.revoke(order))).toMatchObject({
    done: false,
    tokens: [{ tokenId: frozen, result: 'frozen', unconfirmed: said }],
  });
  expect(idsIn()).toContain(frozen);
});

test('what was frozen with the hold of its secret is no reason of its own', async () => {
  await world.revoke({ token: 'telegraf', way: 'freeze', ...leak });
  const { result: shown } = await world.revoke({ token: 'telegraf', ...leak, dryRun: true });
  expect(shown?.plan.warnings).toHaveLength(1);
});

test('a token that was frozen by itself ends like its like, by the schedules', async () => {
  for (let day = 0; day < 14; day += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(idsIn()).not.toContain(frozen);
});

test('replace says nothing of a frozen token that is quarantined: unfreeze gives it nothing', async () => {
  for (let day = 0; day < 3; day += 1) {
    await world.wait(25 * HOUR);
    await world.reap();
  }
  expect(idsIn()).toContain(frozen);
  const { result: shown } = await world.revoke({ token: 'telegraf', ...leak, dryRun: true });
  expect(shown?.plan.warnings).toEqual([]);
});

test.each([
  ['the whole secret', () => ({ token: 'telegraf' })],
  ['the token', () => ({ tokenId: frozen })],
])('replace of %s ends what somebody gave permissions again', async (_what, selector) => {
  await world.people.changeToken(frozen, {
    permissions: [{ action: 'write', resource: 'metrics' }],
  });
  await world.wait(HOUR);
  expect(world.accepts(string)).toBe(true);
  const { result } = await world.revoke({ ...selector(), ...leak });
  expect(result).toMatchObject({ confirmed: true });
  expect(result?.tokens).toContainEqual(
    expect.objectContaining({ tokenId: frozen, result: 'deleted' }),
  );
  expect(world.accepts(string)).toBe(false);
});
