import { expect, test } from 'vitest';
import type { DataPlane } from '../../../functions/data-plane/data-plane.ts';
import type { Permission } from '../../../functions/management-api/token.ts';
import { createControls } from '../../../functions/revocation/control.ts';
import type { TokenResult } from '../../../functions/revocation/end-token.ts';
import { verifyRefused } from '../../../functions/revocation/verify-refused.ts';
import type { Tools } from '../../../functions/run/tools.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import {
  armed,
  fingerprint,
  HOUR,
  id,
  NOW,
  observationOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
  version,
  WRITE,
} from '../builders.ts';

/** What shows that a refusal is the death of a string, and not of the way to the cluster. */
const GRAFANA = 'keyturn/prod/grafana';
const NOTHING_MEANT = { condemned: [], replaced: [] };
const READ: readonly Permission[] = [{ action: 'read', resource: 'telemetry' }];

const policy = policyOf({
  tokens: {
    telegraf: { permissions: { write: ['telemetry'] } },
    grafana: { permissions: { read: ['telemetry'] } },
  },
});
const tokens = [armed(1), armed(2, { name: GRAFANA, permissions: READ })];
const observation = {
  ...observationOf({
    secrets: [secretOf({ AWSCURRENT: 1 }), secretOf({ AWSCURRENT: 2 }, { name: GRAFANA })],
    tokens,
  }),
  tokens,
  unlisted: [],
  unseen: [],
};

/** A data plane that lets these secrets' strings through while `open` says so; its clock stands still. */
function around(open: (action: string) => boolean = () => true) {
  const clock = { now: NOW };
  const dataPlane: Pick<DataPlane, 'burst' | 'untilRefused'> = {
    burst: async (_value, permissions) => ({
      answer: permissions.every(({ action }) => open(action)) ? 'accepted' : 'refused',
    }),
    untilRefused: async () => ({ refused: true, lastAnswer: 'refused' }),
  };
  const tools = {
    policy,
    dataPlane,
    now: () => clock.now,
    deadline: NOW + 900 * SECOND,
    secrets: { value: async (secret: string) => new TokenValue(`apiv1_${secret}`) },
  } as unknown as Tools;
  return { clock, tools };
}

test('a string is compared with one that the cluster accepts for the same kind of request', async () => {
  const { tools } = around();
  const controls = createControls(observation, NOTHING_MEANT, tools);
  expect(await controls.missing(WRITE)).toBeUndefined();
  expect(await controls.missing(READ)).toBeUndefined();
});

test('that another string may read is no proof that a refused write is a death', async () => {
  const { tools } = around((action) => action === 'read');
  const controls = createControls(observation, NOTHING_MEANT, tools);
  expect(await controls.missing(WRITE)).toContain(
    `nor does it let the string of ${TELEGRAF} write`,
  );
  expect(await controls.missing([...READ, ...WRITE])).toContain(TELEGRAF);
  expect(await controls.missing(READ)).toBeUndefined();
});

test('a string that the order ends is no comparison', async () => {
  const { tools } = around();
  const controls = createControls(observation, { condemned: [TELEGRAF], replaced: [] }, tools);
  expect(await controls.missing(WRITE)).toContain('no other string to compare that may write');
});

test('what a token of this deployment might have done is what any of it may do; where that is nothing, all', () => {
  const { tools } = around();
  const { tokens: entries } = policy;
  const writers = { ...policy, tokens: entries.filter(({ name }) => name === 'telegraf') };
  const controlsOf = (known: typeof tokens) =>
    createControls({ ...observation, tokens: known }, NOTHING_MEANT, { ...tools, policy: writers });
  const both = [...READ, ...WRITE];
  expect(controlsOf([armed(1)]).comparable(both)).toEqual(WRITE);
  expect(controlsOf([armed(1)]).comparable(READ)).toEqual(READ);
  expect(controlsOf(tokens).comparable(both)).toEqual(both);
});

test('what was accepted a few seconds ago is asked again after five', async () => {
  let isOpen = true;
  const { tools, clock } = around(() => isOpen);
  const controls = createControls(observation, NOTHING_MEANT, tools);
  expect(await controls.missing(WRITE)).toBeUndefined();
  isOpen = false;
  clock.now += 4 * SECOND;
  expect(await controls.missing(WRITE)).toBeUndefined();
  clock.now += 2 * SECOND;
  expect(await controls.missing(WRITE)).toContain('so the refusal shows nothing');
});

test('a version with another string than the token had proves nothing of that token', async () => {
  const { tools } = around();
  const proving = { startedAt: NOW, controls: createControls(observation, NOTHING_MEANT, tools) };
  const ended: TokenResult = {
    tokenId: id(1),
    secret: TELEGRAF,
    result: 'deleted',
    had: WRITE,
    versions: [version(1)],
    fingerprint: fingerprint(1),
  };
  expect(await verifyRefused(ended, proving, tools)).toMatchObject({
    unconfirmed: `version ${version(1)} of ${TELEGRAF} has another string`,
  });
  const its = new TokenValue(`apiv1_${TELEGRAF}`).fingerprint();
  expect(await verifyRefused({ ...ended, fingerprint: its }, proving, tools)).toMatchObject({
    deadAfterSeconds: 0,
  });
});

test('in a deployment of one secret, the current token shows the death of a superseded one', async () => {
  const document = { owner: 'prod', databases: [{ name: 'metrics' }] };
  const tokens = { telegraf: { permissions: { write: ['metrics'] } } };
  const world = await openWorldForTest({ ...document, tokens }, { databases: ['metrics'] });
  await world.rotate();
  const [tokenId, string] = [world.holders(TELEGRAF).AWSCURRENT, world.string(TELEGRAF)];
  await world.wait(HOUR);
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  const { result } = await world.revoke({ way: 'delete', tokenId, reason: 'leaked' });
  expect(result).toMatchObject({ confirmed: true, tokens: [{ tokenId, result: 'deleted' }] });
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
  const rest = await world.revoke({ way: 'delete', token: 'telegraf', reason: 'leaked' });
  expect(rest.result).toMatchObject({ done: true, confirmed: false }); // no other string is left
});
