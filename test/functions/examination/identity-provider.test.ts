import { expect, test } from 'vitest';
import type { ProviderManners } from '../../../sandbox/identity-provider/server.ts';
import { policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { openOAuthWorld } from '../identity-provider/open-oauth-world.ts';
import { examine, type Seen } from './examine.ts';

const POLICY = policyWith({ telegraf: writer });

const byCheck = async (world: World): Promise<Readonly<Record<string, Seen>>> =>
  Object.fromEntries((await examine(world)).map((each) => [each.check, each]));

test('the token of an identity provider is asked for, and taken by the cluster', async () => {
  const world = await openOAuthWorld(POLICY);
  const seen = await byCheck(world);
  expect(seen['management token']).toMatchObject({
    state: 'ok',
    found: expect.stringMatching(/^the identity provider gives the one of the client \S+ at /),
  });
  expect(seen['its expiry']).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('nobody but the provider knows'),
  });
  expect(seen['management token is taken']).toMatchObject({ state: 'ok' });
  expect(seen.tokens).toMatchObject({ state: 'ok' });
  expect(world.metrics()).toEqual([]);
});

test('a client that the cluster does not list among its users is told, with what to list', async () => {
  const world = await openOAuthWorld(POLICY);
  const { identity } = world.cluster;
  if (identity) world.cluster.identity = { ...identity, users: [] };
  expect((await byCheck(world))['management token is taken']).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('refuses the one of the client'),
    advice: expect.stringContaining('among the users of the cluster'),
  });
});

const ailing: readonly (readonly [string, ProviderManners])[] = [
  ['answers with a page', { ailment: 'page' }],
  ['never answers', { ailment: 'silence' }],
  ['cuts the connection', { ailment: 'reset' }],
];
test.each(ailing)(
  'an identity provider that %s is what fails, and hides nothing else',
  async (_how, manners) => {
    const world = await openOAuthWorld(POLICY);
    world.identityProvider.manners = manners;
    const seen = await byCheck(world);
    expect(seen['management token']?.state).not.toBe('ok');
    expect(seen['management token']?.found).toContain('identity provider');
    expect(seen['Management API']).toMatchObject({ state: 'ok' });
    expect(seen['data plane']).toMatchObject({ state: 'ok' });
    expect(seen['management token is taken']).toMatchObject({ state: 'unknown' });
  },
);
