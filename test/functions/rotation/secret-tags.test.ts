import { expect, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const ADOPTED = 'legacy/grafana';
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
