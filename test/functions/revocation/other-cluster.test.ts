import { expect, test } from 'vitest';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import { answering } from '../../world/faults.ts';
import { openMoved } from '../../world/moved.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** This cluster refuses what another one made, and says nothing of what becomes of it there. */
const order = { token: 'telegraf', reason: 'leaked', way: 'delete' };

const ELSEWHERE = /another one, where its secret was before, may/;

/** As if the policy had pointed to another cluster until now: this one has these tokens, and a person approves. */
async function approveMoveFrom(
  world: World,
  url: string,
  tokens: World['cluster']['state']['tokens'],
): Promise<void> {
  world.cluster.state.tokens.splice(0, Number.POSITIVE_INFINITY, ...tokens);
  for (const name of [TELEGRAF, 'keyturn/prod/grafana']) {
    await world.people.tag(name, { 'keyturn:cluster': url });
  }
  const { result } = await world.rotate({ dryRun: true });
  await world.rotate({ approve: result.plan.refusals[0].hash });
}

/** The row of the token that the other cluster made. */
const rowOf = (result: RevocationReport | undefined, tokenId: string | undefined) =>
  result?.tokens.find((row) => row.tokenId === tokenId);

test.each([
  ['its entry', {}],
  ['its id', { token: undefined, tokenId: 'OLD' }],
  ['its entry, a second time', { again: true }],
  ['its id, when no label has it any more', { token: undefined, tokenId: 'OLD', rotated: true }],
])(
  'an order for %s, after a move to another cluster, says that what the old one made may work there',
  async (_what, {
    again = false,
    rotated = false,
    ...selector
  }: { again?: boolean; rotated?: boolean; token?: undefined; tokenId?: string }) => {
    const world = await openMoved();
    const old = world.labels(TELEGRAF).AWSPREVIOUS?.replace('keyturn-', '') ?? '';
    await world.wait(HOUR);
    if (rotated) await world.rotate({ tokens: ['telegraf'], force: true });
    const given = { ...order, ...selector, ...(selector.tokenId && { tokenId: old }) };
    if (again) await world.revoke(given);
    const { result } = await world.revoke(given);
    expect(result).toMatchObject({ confirmed: false });
    expect(rowOf(result, old)).toMatchObject({
      result: 'gone',
      unconfirmed: expect.stringMatching(ELSEWHERE),
    });
    expect(rowOf(result, old)).not.toHaveProperty('deadAfterSeconds');
  },
);

test('an order before the move is approved says so of every token', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const current = world.holders(TELEGRAF).AWSCURRENT;
  world.cluster.state.tokens.length = 0;
  await world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://old.example.com' });
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ confirmed: false });
  expect(rowOf(result, current)?.unconfirmed).toMatch(ELSEWHERE);
});

test('an order for a secret that lost the tag with its cluster says so of a token that this one does not have', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const current = world.holders(TELEGRAF).AWSCURRENT;
  const { tokens } = world.cluster.state;
  tokens.splice(
    tokens.findIndex(({ id }) => id === current),
    1,
  );
  await world.people.untag(TELEGRAF, ['keyturn:cluster']);
  const { result } = await world.revoke(order);
  expect(result).toMatchObject({ confirmed: false });
  expect(rowOf(result, current)?.unconfirmed).toMatch(ELSEWHERE);
});

test('a secret that was moved, and whose versions cannot be listed, keeps no order from another one', async () => {
  const world = await openMoved();
  await world.wait(HOUR);
  world.intercept(
    answering('ListSecretVersionIds', {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: '{"__type": "ThrottlingException", "Message": "Rate exceeded"}',
    }),
  );
  const grafana = world.string('keyturn/prod/grafana');
  const old = world.labels(TELEGRAF).AWSPREVIOUS?.replace('keyturn-', '');
  const { result } = await world.revoke({ ...order, token: undefined, database: 'telemetry' });
  expect(rowOf(result, old)?.unconfirmed).toMatch(ELSEWHERE);
  expect(world.accepts(grafana)).toBe(false);
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

test('an order after a move back says that what the cluster between made may work there', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(HOUR);
  const ofFirst = world.labels(TELEGRAF).AWSCURRENT;
  const before = [...world.cluster.state.tokens];
  await approveMoveFrom(world, 'https://old.example.com', []);
  const between = world.holders(TELEGRAF).AWSCURRENT;
  await world.wait(HOUR);
  await world.people.makeCurrent(TELEGRAF, ofFirst);
  await approveMoveFrom(world, 'https://between.example.com', before);
  await world.wait(HOUR);
  const { result } = await world.revoke({ ...order, token: undefined, tokenId: between });
  expect(result).toMatchObject({ confirmed: false });
  expect(rowOf(result, between)?.unconfirmed).toMatch(ELSEWHERE);
});
