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

const LISTED = ' among the users of the cluster (its group is Admin)';
const OID = '0b6a1a43-1f0c-4b1f-8a57-0a4b5c6d7e8f';
const AUTH0 = { sub: 'kF3d@clients', aud: ['urn:influxdb', 'https://e.auth0.com/userinfo'] };
const refusals: readonly (readonly [string, ProviderManners, string, string])[] = [
  [
    'is a JWT',
    {},
    'it is a JWT with sub 5f0ad5d4-7f0c-4c39-9f5b-3a4b0f6f9f10, no aud and iss http://',
    `list its sub, 5f0ad5d4-7f0c-4c39-9f5b-3a4b0f6f9f10,${LISTED}`,
  ],
  [
    'is one of Entra',
    { claims: { oid: OID, aud: 'api://keyturn' } },
    `it is a JWT with sub 5f0ad5d4-7f0c-4c39-9f5b-3a4b0f6f9f10, oid ${OID}, aud api://keyturn and iss`,
    `list its oid, ${OID},${LISTED}`,
  ],
  [
    'is one of Auth0',
    { claims: AUTH0 },
    'it is a JWT with sub kF3d@clients, aud urn:influxdb and https://e.auth0.com/userinfo and iss',
    `list its sub, kF3d@clients,${LISTED}`,
  ],
  [
    'says of nobody whose it is',
    { claims: { sub: undefined } },
    'it is a JWT with no sub, no aud and iss',
    'have the provider write sub into it',
  ],
  [
    'is over by what it says itself',
    { claims: { exp: 1_767_225_600 } },
    'its exp, 2026-01-01T00:00:00Z, is past by the clock here',
    'compare the clocks of the provider, the cluster and here',
  ],
  [
    'begins later by what it says itself',
    { claims: { nbf: 1_893_456_000 } },
    'its nbf, 2030-01-01T00:00:00Z, is yet to come by the clock here',
    'compare the clocks of the provider, the cluster and here',
  ],
  ['is no JWT', { isOpaque: true }, 'it is no JWT', 'cluster.oauth.audience'],
  [
    'has a claim that a terminal would obey',
    { claims: { sub: `\u202e\u001b[2Jx${'y'.repeat(1_000)}` } },
    `it is a JWT with sub \\u{202e}\\u{1b}[2Jx${'y'.repeat(80)}`,
    'list its sub, \\u{202e}\\u{1b}[2Jx',
  ],
];
test.each(refusals)(
  'of a token that the cluster refuses and that %s, what it says and what to do about it is told',
  async (_what, manners, found, advice) => {
    const world = await openOAuthWorld(POLICY);
    const { identity } = world.cluster;
    if (identity) world.cluster.identity = { ...identity, users: [] };
    world.identityProvider.manners = manners;
    const seen = (await byCheck(world))['management token is taken'];
    expect(seen).toMatchObject({ state: 'fail' });
    expect(seen?.found).toContain('refuses the one of the client keyturn at ');
    expect(seen?.found).toContain(found);
    expect(seen?.advice).toContain(advice);
    expect(seen?.found).not.toMatch(/wrong, revoked or expired/);
    expect(`${seen?.found}${seen?.advice}`.length).toBeLessThan(1_000);
    for (const token of world.identityProvider.given) {
      for (const part of token.split('.')) expect(JSON.stringify(seen)).not.toContain(part);
    }
  },
);

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
