import { expect, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import { openMoved } from '../../world/moved.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const ADOPTED = 'legacy/grafana';
/** How many the deployment takes. */
const MOST = 44;
const TAGS = { team: 'plant', 'cost-center': '0042' };

test('a secret that is created bears the tags of the deployment, and an adopted one keeps its own', async () => {
  const world = await openWorldForTest(policyWith({}));
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const { id: tokenId, accessToken } = await world.people.mint({ description: '', permissions });
  await world.people.createSecret(ADOPTED, accessToken, { team: 'office' });
  const keyturn = world.deploy(
    policyWith(
      { telegraf: writer, grafana: { ...writer, secret: ADOPTED, adopt: { tokenId } } },
      { deployment: { tags: TAGS } },
    ),
  );
  expect((await keyturn.rotate()).error).toBeUndefined();
  const own = { 'keyturn:owner': 'prod', 'keyturn:cluster': expect.any(String) };
  expect(world.tags(TELEGRAF)).toEqual({ ...TAGS, ...own });
  expect(world.tags(ADOPTED)).toEqual({
    team: 'office',
    ...own,
    'keyturn:adopted': `${tokenId} ${new TokenValue(accessToken).fingerprint()} 2026-03-02T12:00:00Z`,
  });
});

test('tags that are wanted later are on secrets that are created later', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const keyturn = world.deploy(
    policyWith({ telegraf: writer, grafana: writer }, { deployment: { tags: TAGS } }),
  );
  await keyturn.rotate();
  expect(world.tags(TELEGRAF)).not.toMatchObject(TAGS);
  expect(world.tags('keyturn/prod/grafana')).toMatchObject(TAGS);
});

test('beside as many tags as a deployment takes, a secret has room for all that Keyturn ever notes on it', async () => {
  const tags = Object.fromEntries(Array.from({ length: MOST }, (_, index) => [`k${index}`, 'v']));
  const world = await openMoved({ deployment: { tags } });
  await world.wait(HOUR);
  expect((await world.revoke({ token: 'telegraf', reason: 'leaked', way: 'delete' })).error).toBe(
    undefined,
  );
  await world.wait(HOUR);
  expect(
    (await world.revoke({ token: 'telegraf', reason: 'false alarm', way: 'lift' })).error,
  ).toBe(undefined);
  const own = Object.keys(world.tags(TELEGRAF)).filter((name) => name.startsWith('keyturn:'));
  // The hold, which was the sixth, is gone again.
  expect(own.map((name) => name.replace('keyturn:', '')).sort()).toEqual([
    'cluster',
    'ended',
    'lifted',
    'moved',
    'owner',
  ]);
});
