import { expect, test } from 'vitest';
import { fakeTiming } from '../fake-timing.ts';
import { connectToCluster } from '../management-api/connect.ts';
import { answering, connectDataPlane, VALUE } from './connect-data-plane.ts';

const MINUTE = 60_000;
const WRITE = [{ action: 'write', resource: 'db' }];
const BOTH = [...WRITE, { action: 'read', resource: 'db' }];
const patience = { settleMs: 10 * MINUTE, firstBy: 5 * MINUTE, deadline: 15 * MINUTE };
const armed = { ...patience, armedAt: 0 };
const ended = { ...patience, endedAt: 0 };

/** A cluster whose time is the one that passes while the data plane is waited for. */
async function onCluster(delays: { activationDelayMs?: number; revocationDelayMs?: number }) {
  const timing = fakeTiming(Date.UTC(2026, 0, 31));
  const { cluster, api } = await connectToCluster({ clock: timing, ...delays });
  await api.createDatabase({ name: 'db' });
  const { token, value } = await api.createToken({ description: '', permissions: BOTH });
  const start = timing.now();
  const until = { settleMs: 10 * MINUTE, firstBy: start + MINUTE, deadline: start + 15 * MINUTE };
  const dataPlane = connectDataPlane(cluster.url, timing);
  return { timing, start, api, token, value, dataPlane, until };
}

test('a token is accepted after eight bursts in a row over the time that it took', async () => {
  const { server, timing, dataPlane } = await answering((_index, now) => ({
    status: now < 60_000 ? 401 : 204,
  }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, armed)).toEqual({ accepted: true });
  // 65 s: the first burst after 60 s.
  expect(timing.now()).toBeGreaterThanOrEqual(130_000);
  expect(timing.now()).toBeLessThan(131_000);
  expect(server.asked).toHaveLength(4 + 80);
  expect(server.connections()).toBe(84);
});

test('one refusal among a hundred acceptances starts the measure anew', async () => {
  const { server, dataPlane } = await answering((index) => ({ status: index === 75 ? 401 : 204 }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, armed)).toEqual({ accepted: true });
  expect(server.asked).toHaveLength(76 + 80);
});

test.each([
  ['an outage', { status: 503 }],
  ['too many requests', { status: 429 }],
  ["a firewall's page", { status: 403, body: '<html>Forbidden</html>' }],
  ['an empty page', { status: 200, body: '' }],
  ['a cut connection', 'reset'],
] as const)('%s in the last burst lets nothing through', async (_name, odd) => {
  const { server, dataPlane } = await answering((index) => (index === 75 ? odd : { status: 204 }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, armed)).toEqual({ accepted: true });
  expect(server.asked).toHaveLength(76 + 80);
});

test('a router that answers nothing is not passed over', async () => {
  const { timing, dataPlane } = await answering((index) => ({ status: index % 4 ? 204 : 503 }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, armed)).toEqual({
    accepted: false,
    detail: 'the last answer: POST /api/v2/write answered 503 Service Unavailable',
  });
  expect(timing.now()).toBeLessThanOrEqual(5 * MINUTE);
});

test('a token that was armed long ago needs ten acceptances', async () => {
  const { server, timing, dataPlane } = await answering(() => ({ status: 204 }));
  const longAgo = { ...armed, armedAt: -10 * MINUTE };
  expect(await dataPlane.untilAccepted(VALUE, WRITE, longAgo)).toEqual({ accepted: true });
  expect(server.asked).toHaveLength(10);
  expect(timing.naps).toEqual([]);
});

test('a token that is not accepted at all is given up in time, with the answer in its way', async () => {
  const { server, timing, dataPlane } = await answering(() => ({ status: 401 }));
  const impatient = { ...armed, firstBy: 20_000 };
  expect(await dataPlane.untilAccepted(VALUE, WRITE, impatient)).toEqual({
    accepted: false,
    detail: 'the last answer: POST /api/v2/write answered 401 Unauthorized',
  });
  expect(server.asked).toHaveLength(4);
  expect(timing.naps).toEqual([5_000, 10_000, 5_000]);
});

test('a token that was accepted once is waited for longer than one that never was', async () => {
  const { dataPlane } = await answering((index, now) => ({
    status: index > 9 && now < 40_000 ? 401 : 204,
  }));
  const impatient = { ...armed, firstBy: 20_000 };
  expect(await dataPlane.untilAccepted(VALUE, WRITE, impatient)).toEqual({ accepted: true });
});

test('a watch that cannot end before the deadline is not begun, and says how far it came', async () => {
  const { server, timing, dataPlane } = await answering((_index, now) => ({
    status: now < 60_000 ? 401 : 204,
  }));
  const hurried = { ...armed, deadline: 120_000 };
  expect(await dataPlane.untilAccepted(VALUE, WRITE, hurried)).toEqual({
    accepted: false,
    detail: 'accepted for 0 s of the 65 s that it must be',
  });
  expect(timing.now()).toBe(65_000);
  expect(server.asked).toHaveLength(4 + 10);
});

test('a deadline that has passed asks nothing', async () => {
  const { server, dataPlane } = await answering(() => ({ status: 204 }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, { ...armed, deadline: 0 })).toEqual({
    accepted: false,
    detail: 'the last answer: the time for probing is over',
  });
  expect(server.asked).toEqual([]);
});

test('a string is dead when eight bursts in a row were refused, over the time that it took', async () => {
  const { server, timing, dataPlane } = await answering((_index, now) => ({
    status: now < 60_000 ? 204 : 401,
  }));
  expect(await dataPlane.untilRefused(VALUE, WRITE, ended)).toEqual({
    refused: true,
    lastAnswer: 'refused',
  });
  expect(timing.now()).toBeGreaterThanOrEqual(130_000);
  expect(server.asked).toHaveLength(4 + 80);
});

test('one acceptance shows that a string is not dead', async () => {
  const { server, dataPlane } = await answering((index) => ({ status: index === 75 ? 204 : 401 }));
  expect(await dataPlane.untilRefused(VALUE, WRITE, ended)).toMatchObject({ refused: true });
  expect(server.asked).toHaveLength(76 + 80);
  const alive = await answering(() => ({ status: 204 }));
  expect(await alive.dataPlane.untilRefused(VALUE, WRITE, ended)).toEqual({
    refused: false,
    lastAnswer: 'accepted',
    detail: 'the last answer: accepted',
  });
});

test("a firewall's page to every probe is no death", async () => {
  const { dataPlane } = await answering(() => ({ status: 403, body: '<html>Forbidden</html>' }));
  expect(await dataPlane.untilRefused(VALUE, WRITE, ended)).toEqual({
    refused: false,
    lastAnswer: 'indeterminate',
    detail: 'the last answer: POST /api/v2/write answered 403 Forbidden: Forbidden',
  });
});

test.each([{ permissions: [] }, { permissions: [{ action: 'admin', resource: 'db' }] }])(
  'a token with nothing to probe is proved neither way: %j',
  async ({ permissions }) => {
    const { server, dataPlane } = await answering(() => ({ status: 204 }));
    const detail = 'none of its permissions has a probe';
    expect(await dataPlane.untilAccepted(VALUE, permissions, armed)).toEqual({
      accepted: false,
      detail,
    });
    expect(await dataPlane.untilRefused(VALUE, permissions, ended)).toEqual({
      refused: false,
      detail,
    });
    expect(server.asked).toEqual([]);
  },
);

test('a new token is waited for until the cluster knows it', async () => {
  const { timing, start, value, dataPlane, until } = await onCluster({ activationDelayMs: 45_000 });
  const armed = { ...until, armedAt: start };
  expect(await dataPlane.untilAccepted(value, BOTH, armed)).toEqual({ accepted: true });
  expect(timing.now() - start).toBeGreaterThanOrEqual(2 * 45_000);
});

test('a token that may do only half of it is not accepted', async () => {
  const { start, value, dataPlane, until } = await onCluster({});
  const more = [...BOTH, { action: 'read', resource: 'other' }];
  const armed = { ...until, armedAt: start - 10 * MINUTE };
  expect(await dataPlane.untilAccepted(value, more, armed)).toMatchObject({ accepted: false });
});

test('a token with a hundred grants is not accepted if one of them is missing', async () => {
  const { start, api, dataPlane, until } = await onCluster({});
  const permissions = Array.from({ length: 75 }, (_, index) => ({
    action: 'write',
    resource: `db${index}`,
  }));
  const { value } = await api.createToken({ description: '', permissions: permissions.slice(1) });
  const rotated = [
    ...permissions.slice(1, 40),
    ...permissions.slice(0, 1),
    ...permissions.slice(40),
  ];
  const armed = { ...until, armedAt: start };
  expect(await dataPlane.untilAccepted(value, rotated, armed)).toMatchObject({ accepted: false });
});

test('a revoked token is waited for until the cluster has forgotten it', async () => {
  const { timing, start, api, token, value, dataPlane, until } = await onCluster({
    revocationDelayMs: 30_000,
  });
  await api.deleteToken(token.id);
  const ended = { ...until, endedAt: start };
  expect(await dataPlane.untilRefused(value, BOTH, ended)).toMatchObject({ refused: true });
  expect(timing.now() - start).toBeGreaterThanOrEqual(2 * 30_000);
});

test('a token that comes last is probed before the others are done', async () => {
  const { server, timing } = await answering(() => ({ status: 204 }));
  const dataPlane = connectDataPlane(server.url, { ...timing, connections: 2 });
  const settled = { ...armed, armedAt: -10 * MINUTE };
  const permissions = [...Array.from({ length: 50 }, () => WRITE), BOTH];
  await Promise.all(permissions.map((each) => dataPlane.untilAccepted(VALUE, each, settled)));
  expect(server.lines().findIndex((line) => line.startsWith('GET'))).toBeLessThanOrEqual(51);
});

test('where some routers accept and others refuse for longer than the patience, they are waited for', async () => {
  const { dataPlane, timing } = await answering((index, now) => ({
    status: index % 3 === 2 && now < 330_000 ? 401 : 204,
  }));
  expect(await dataPlane.untilAccepted(VALUE, WRITE, armed)).toEqual({ accepted: true });
  expect(timing.now()).toBeGreaterThan(330_000);
});
