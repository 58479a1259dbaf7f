import { beforeEach, expect, test } from 'vitest';
import { openWorldForTest } from '../world/open-world.ts';
import { MINUTE, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { touchedBetween, viewOf } from './view.ts';

const GRAFANA = 'keyturn/prod/grafana';
let world: World;

beforeEach(async () => {
  world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
});

const view = () => viewOf(world.cluster.state, world.aws.state, world.clock.now());

/** Names of the secrets, and of those whose tokens they are, of what somebody's act touches. */
async function touchedBy(act: () => unknown) {
  const before = view();
  await act();
  const { tokens, secrets } = touchedBetween(before, view());
  const owners = tokens.map(({ marker }) => marker.secret);
  return { tokens: [...new Set(owners)], secrets: secrets.map(({ name }) => name) };
}

const currentOf = (secret: string) => world.holders(secret).AWSCURRENT ?? '';

test('a token that is another than before is touched, and the secret that holds it', async () => {
  const touched = await touchedBy(() => world.people.deleteToken(currentOf(GRAFANA)));
  expect(touched).toEqual({ tokens: [GRAFANA], secrets: [GRAFANA] });
});

test('a secret that is another than before is touched, and the tokens that are its', async () => {
  const touched = await touchedBy(() => world.people.untag(TELEGRAF, ['keyturn:fingerprint']));
  expect(touched).toEqual({ tokens: [TELEGRAF], secrets: [TELEGRAF] });
});

test('what nobody may write is touched by every request: its tokens may have expired', async () => {
  await world.people.untag(TELEGRAF, ['keyturn:owner']);
  const touched = await touchedBy(() => world.people.deleteToken(currentOf(GRAFANA)));
  expect(touched.tokens.sort()).toEqual([GRAFANA, TELEGRAF]);
});

test('the tokens of a secret that is gone for good are touched', async () => {
  const touched = await touchedBy(async () => {
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.wait(MINUTE);
  });
  expect(touched).toEqual({ tokens: [TELEGRAF], secrets: [] });
});

test('nothing is touched where nothing happened', async () => {
  expect(await touchedBy(() => {})).toEqual({ tokens: [], secrets: [] });
});
