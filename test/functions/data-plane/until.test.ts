import { expect, test } from 'vitest';
import { createDataPlane } from '../../../functions/data-plane/probe.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { fakeTiming } from '../fake-timing.ts';
import { connectToCluster } from '../management-api/connect.ts';
import { startOddServer } from '../management-api/odd-server.ts';

const VALUE = new TokenValue(`apiv1_${'5'.repeat(64)}`);
const WRITE = [{ action: 'write', resource: 'db' }];
const BOTH = [...WRITE, { action: 'read', resource: 'db' }];
const persistence = { times: 3, intervalMs: 1_000, deadline: 60_000 };

/** Answers to one write after the other; the last one for ever. */
async function answering(...statuses: readonly number[]) {
  const server = await startOddServer((_request, index) => ({
    status: statuses[index] ?? statuses.at(-1) ?? 500,
  }));
  const timing = fakeTiming();
  return { server, timing, dataPlane: createDataPlane({ url: server.url, ...timing }) };
}

/** A cluster whose time is the one that passes while the data plane is waited for. */
async function onCluster(delays: { activationDelayMs?: number; revocationDelayMs?: number }) {
  const timing = fakeTiming(Date.UTC(2026, 0, 31));
  const { cluster, api } = await connectToCluster({ clock: timing, ...delays });
  await api.createDatabase({ name: 'db' });
  const { token, value } = await api.createToken({ description: '', permissions: BOTH });
  const dataPlane = createDataPlane({ url: cluster.url, ...timing });
  const deadline = timing.now() + 300_000;
  return { timing, api, token, value, dataPlane, persistence: { ...persistence, deadline } };
}

test('a token is accepted after so many acceptances in a row', async () => {
  const { server, timing, dataPlane } = await answering(401, 204, 204, 503, 204, 403, 204);
  expect(await dataPlane.untilAccepted(VALUE, WRITE, persistence)).toEqual({
    accepted: true,
    lastAnswer: 'accepted',
  });
  expect(server.asked).toHaveLength(9);
  expect(timing.naps).toEqual(Array(8).fill(1_000));
});

test('a token that is not accepted in time is told with the answer in its way', async () => {
  const { server, dataPlane } = await answering(401);
  expect(await dataPlane.untilAccepted(VALUE, WRITE, { ...persistence, deadline: 2_500 })).toEqual({
    accepted: false,
    lastAnswer: 'refused',
    detail: 'POST /api/v2/write answered 401 Unauthorized',
  });
  expect(server.asked).toHaveLength(3);
});

test('acceptances that the deadline cuts short prove nothing', async () => {
  const { dataPlane } = await answering(204);
  expect(await dataPlane.untilAccepted(VALUE, WRITE, { ...persistence, deadline: 1_500 })).toEqual({
    accepted: false,
    lastAnswer: 'accepted',
  });
});

test('a token is refused after so many refusals in a row, outages not counted', async () => {
  const { server, dataPlane } = await answering(204, 401, 503, 403, 401, 429, 401);
  expect(await dataPlane.untilRefused(VALUE, WRITE, persistence)).toEqual({
    refused: true,
    lastAnswer: 'refused',
  });
  expect(server.asked).toHaveLength(9);
});

test.each([{ permissions: [] }, { permissions: [{ action: 'admin', resource: 'db' }] }])(
  'a token with nothing to probe is proved neither way: %j',
  async ({ permissions }) => {
    const { server, dataPlane } = await answering(204);
    expect(await dataPlane.untilAccepted(VALUE, permissions, persistence)).toEqual({
      accepted: false,
    });
    expect(await dataPlane.untilRefused(VALUE, permissions, persistence)).toEqual({
      refused: false,
    });
    expect(server.asked).toEqual([]);
  },
);

test('a new token is waited for until the cluster knows it', async () => {
  const { timing, value, dataPlane, persistence } = await onCluster({ activationDelayMs: 45_000 });
  const start = timing.now();
  expect(await dataPlane.untilAccepted(value, BOTH, persistence)).toMatchObject({ accepted: true });
  expect(timing.now() - start).toBe(47_000);
});

test('a token that may do only half of it is not accepted', async () => {
  const { value, dataPlane, persistence } = await onCluster({});
  const more = [...BOTH, { action: 'read', resource: 'other' }];
  expect(await dataPlane.untilAccepted(value, more, persistence)).toMatchObject({
    accepted: false,
    lastAnswer: 'refused',
  });
});

test('a revoked token is waited for until the cluster has forgotten it', async () => {
  const { timing, api, token, value, dataPlane, persistence } = await onCluster({
    revocationDelayMs: 30_000,
  });
  await api.deleteToken(token.id);
  const start = timing.now();
  expect(await dataPlane.untilRefused(value, BOTH, persistence)).toMatchObject({ refused: true });
  expect(timing.now() - start).toBe(32_000);
});
