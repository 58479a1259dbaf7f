import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectToCluster } from '../management-api/connect.ts';
import { answering, connectDataPlane, VALUE } from './connect-data-plane.ts';

const WRITE = [{ action: 'write', resource: 'db' }];
const BOTH = [...WRITE, { action: 'read', resource: 'db' }];

test('ten acceptances, each on a connection of its own, are one', async () => {
  const { server, dataPlane } = await answering(() => ({ status: 204 }));
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({ answer: 'accepted' });
  expect(server.asked).toHaveLength(10);
  expect(server.connections()).toBe(10);
});

test('every permission is probed, each as often as the others', async () => {
  const { server, dataPlane } = await answering(() => ({ status: 401 }));
  const permissions = [
    ...BOTH,
    ...['a', 'b', 'c'].map((resource) => ({ action: 'read', resource })),
  ];
  expect(await dataPlane.burst(VALUE, permissions)).toMatchObject({ answer: 'refused' });
  const counts = new Map<string, number>();
  for (const { line } of server.asked) counts.set(line, (counts.get(line) ?? 0) + 1);
  expect([...counts.values()]).toEqual([2, 2, 2, 2, 2]);
});

test.each([
  [401, undefined, 'refused'],
  [403, undefined, 'refused'],
  [401, { error: 'unauthorized access' }, 'refused'],
  [403, { code: 'forbidden', message: 'no' }, 'refused'],
  [401, 'Unauthorized', 'indeterminate'],
  [403, '<html>Forbidden</html>', 'indeterminate'],
  [403, '"Forbidden"', 'indeterminate'],
  [429, { code: 'too many requests', message: 'slow down' }, 'indeterminate'],
  [500, undefined, 'indeterminate'],
  [503, undefined, 'indeterminate'],
] as const)('ten times %i with %j are %s', async (status, body, expected) => {
  const { dataPlane } = await answering(() => ({ status, body }));
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({
    answer: expected,
    detail: expect.stringContaining(`POST /api/v2/write answered ${status}`),
  });
});

test('one refusal among ten leaves it open, and is counted', async () => {
  const { server, dataPlane } = await answering((index) => ({ status: index === 3 ? 401 : 204 }));
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({
    answer: 'indeterminate',
    mixed: true,
    detail: '1 of 10 probes were refused: POST /api/v2/write answered 401 Unauthorized',
  });
  expect(server.asked).toHaveLength(10);
});

test.each(['reset', { status: 503 }] as const)('%j among ten says nothing', async (odd) => {
  const { dataPlane } = await answering((index) => (index === 9 ? odd : { status: 204 }));
  expect(await dataPlane.burst(VALUE, WRITE)).toMatchObject({ answer: 'indeterminate' });
});

test('refusals are not forgotten where one probe says nothing', async () => {
  const { dataPlane } = await answering((index) => ({ status: index === 9 ? 429 : 401 }));
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({
    answer: 'indeterminate',
    detail: expect.stringContaining('429'),
    refusals: '9 of 10 probes were refused: POST /api/v2/write answered 401 Unauthorized',
  });
});

test('a token with nothing to probe is not accepted, and says so', async () => {
  const { server, dataPlane } = await answering(() => ({ status: 204 }));
  const admin = [{ action: 'admin', resource: 'db' }];
  for (const permissions of [[], admin]) {
    expect(await dataPlane.burst(VALUE, permissions)).toEqual({
      answer: 'nothing-to-probe',
      detail: 'none of its permissions has a probe',
    });
  }
  expect(server.asked).toEqual([]);
});

test('nothing is asked after the end of the run', async () => {
  const { server, timing } = await answering(() => ({ status: 204 }));
  const dataPlane = connectDataPlane(server.url, { ...timing, deadline: () => timing.now() });
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({
    answer: 'indeterminate',
    detail: 'the time for probing is over',
  });
  expect(server.asked).toEqual([]);
});

test('a silent server is asked once, and not longer than the run lasts', async () => {
  const { server, timing } = await answering(() => 'silence');
  const dataPlane = connectDataPlane(server.url, { ...timing, deadline: () => timing.now() + 200 });
  expect(await dataPlane.burst(VALUE, WRITE)).toMatchObject({ answer: 'indeterminate' });
  expect(server.asked).toHaveLength(1);
});

test('an answer that trickles without end is cut off', async () => {
  const server = createServer((_request, response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const dataPlane = connectDataPlane(`http://127.0.0.1:${port}`, { deadline: () => 200 });
  expect(await dataPlane.burst(VALUE, WRITE)).toEqual({
    answer: 'indeterminate',
    detail: expect.stringContaining(
      `POST /api/v2/write at http://127.0.0.1:${port} failed: no complete answer within 0.2 s`,
    ),
  });
});

test('a cluster in which one database of two is missing from the token is told apart', async () => {
  const { cluster, api } = await connectToCluster();
  const { value } = await api.createToken({ description: '', permissions: WRITE });
  const dataPlane = connectDataPlane(cluster.url);
  expect(await dataPlane.burst(value, WRITE)).toEqual({ answer: 'accepted' });
  expect(await dataPlane.burst(value, BOTH)).toMatchObject({
    answer: 'indeterminate',
    detail: expect.stringContaining('5 of 10 probes were refused'),
  });
});
