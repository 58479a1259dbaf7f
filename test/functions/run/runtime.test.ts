import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { rootCertificates } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { documentMark } from '../../../functions/policy/document-mark.ts';
import type { RunTools } from '../../../functions/run/tools.ts';
import { createRuntime } from '../../../functions/runtime.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { realClock } from '../../../sandbox/clock.ts';
import { MINUTE } from '../../world/policy.ts';
import { clusterOf, environmentOf, openSystems } from '../../world/systems.ts';
import { policyOf } from '../builders.ts';

/** Stands before a server, and knows which connections are open. */
async function startDoor(to: string) {
  const { hostname, port } = new URL(to);
  const open = new Set<object>();
  let came = 0;
  const server = createServer((socket) => {
    const behind = connect(Number(port), hostname);
    open.add(socket);
    came += 1;
    socket.on('close', () => open.delete(socket) && behind.destroy());
    for (const each of [socket, behind]) each.on('error', () => {});
    socket.pipe(behind).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, open, came: () => came };
}

/** A runtime as on a laptop, which is given its management token, or as in Lambda. */
async function openRuntime({ given = true } = {}) {
  // Of no form that anybody could know.
  const managementToken = randomBytes(48).toString('base64url');
  const systems = await openSystems(realClock, { managementToken });
  onTestFinished(() => systems.close());
  const doors = {
    cluster: await startDoor(systems.cluster.url),
    secrets: await startDoor(systems.aws.url),
    events: await startDoor(systems.aws.url),
  };
  const environment = {
    ...environmentOf(systems),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: doors.secrets.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: doors.events.url,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const logged: unknown[] = [];
  const log = (...line: unknown[]) => logged.push(line);
  const { run } = createRuntime({
    policy: policyOf({ cluster: { ...clusterOf(systems), url: doors.cluster.url } }),
    log: { info: log, warn: log, error: log },
    ...(given && { managementToken: new TokenValue(managementToken) }),
  });
  return {
    doors,
    managementToken,
    run: <T>(work: (tools: RunTools) => Promise<T>) =>
      run({ getRemainingTimeInMillis: () => MINUTE }, work),
    /** What left the process, but for what was asked of the cluster. */
    told: () => JSON.stringify([logged, systems.aws.state.events]),
  };
}

test('a function answers with the mark of its policy and of its authority, as the command line marks the file', async () => {
  const systems = await openSystems(realClock);
  onTestFinished(() => systems.close());
  for (const [name, value] of Object.entries(environmentOf(systems))) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const document = { owner: 'prod' };
  const [ca = ''] = rootCertificates;
  const log = () => {};
  const { runScheduled } = createRuntime({
    policy: policyOf(),
    mark: documentMark(document, ca),
    ca,
    log: { info: log, warn: log, error: log },
    managementToken: new TokenValue('management'),
  });
  const context = { getRemainingTimeInMillis: () => MINUTE };
  const answer = await runScheduled({ job: 'reap' }, context, async () => ({}));
  expect(answer).toMatchObject({ policy: documentMark(document, ca) });
});

const lost = (error: string) =>
  ({ type: 'Action Failed', detail: { action: 'rotate', error } }) as unknown as Parameters<
    RunTools['publish']
  >[0];

test('no connection outlives its run: Lambda freezes the process, and what was open dies meanwhile', async () => {
  const { doors, run } = await openRuntime({ given: false });
  for (const runs of [1, 2]) {
    await run(async ({ api, publish }) => {
      await api.listTokens();
      publish(lost('nothing'));
    });
    await vi.waitFor(() => {
      for (const { open } of Object.values(doors)) expect(open.size).toBe(0);
    });
    for (const { came } of Object.values(doors)) expect(came()).toBeGreaterThanOrEqual(runs);
  }
});

test('an event says nothing of the management token that a person gave, though that has no form of its own', async () => {
  const { managementToken, run, told } = await openRuntime();
  await run(({ publish }) => {
    publish(lost(`refused ${managementToken}`));
    return Promise.resolve();
  });
  expect(told()).toContain('refused [token]');
  expect(told()).not.toContain(managementToken.slice(10, 30));
});

test('nor does a log line of a part of a token that the run has minted', async () => {
  const { run, told } = await openRuntime();
  let part = '';
  await run(async ({ api, log }) => {
    const { value } = await api.createToken({ description: 'x', permissions: [] });
    part = value.reveal().slice(20, 50);
    log.warn('cut', { part });
  });
  expect(told()).toContain('"part":"[token]"');
  expect(told()).not.toContain(part);
});

test("nor of AWS's own credentials, which go with every request, and which a server may repeat", async () => {
  const session = randomBytes(48).toString('base64url');
  vi.stubEnv('AWS_SESSION_TOKEN', session);
  const { run, told } = await openRuntime();
  await run(({ log }) => {
    log.warn('refused', { session: session.slice(5, 30) });
    return Promise.resolve();
  });
  expect(told()).toContain('"session":"[token]"');
});
