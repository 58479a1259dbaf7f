import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

test('an order about the token from which a person rolled back leaves the one that consumers have', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const { AWSCURRENT: bad } = world.holders(TELEGRAF);
  const string = world.string(TELEGRAF);
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
  const { result } = await world.revoke({ tokenId: bad, way: 'delete', reason: 'leaked' });
  expect(result).toMatchObject({ confirmed: true, tokens: [{ tokenId: bad, result: 'deleted' }] });
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:hold');
});
