import { expect, test } from 'vitest';
import { openMoved } from '../../world/moved.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

/** This cluster refuses what another one made, and says nothing of what becomes of it there. */
const order = { token: 'telegraf', reason: 'leaked', way: 'delete' };

test('an order after a move to another cluster says that what the old one made may work there', async () => {
  const world = await openMoved();
  await world.wait(HOUR);
  const { result } = await world.revoke(order);
  expect(world.accepts(world.string(TELEGRAF))).toBe(false);
  expect(result).toMatchObject({ confirmed: false });
  expect(result?.unconfirmed).toContainEqual(
    expect.stringMatching(/^keyturn\/prod\/telegraf \(AWSPREVIOUS\) .* another cluster/),
  );
});

test('an order before the move is approved says which cluster the tokens are of', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  world.cluster.state.tokens.length = 0;
  await world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://old.example.com' });
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ confirmed: false });
  expect(result?.unconfirmed).toContainEqual(
    expect.stringMatching(/^keyturn\/prod\/telegraf \(AWSCURRENT\) .*https:\/\/old\.example\.com/),
  );
});

test('an order long after a move is confirmed where this cluster made all that it ended', async () => {
  const world = await openMoved();
  await world.wait(HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.people.deleteToken(world.holders(TELEGRAF).AWSPREVIOUS);
  await world.wait(HOUR);
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ confirmed: true });
});
