import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { passThrough } from '../../sandbox/interception.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { functionOf, startAt, startHost } from './lambda/fixtures.ts';

const source = `import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
  import { setTimeout as sleep } from 'node:timers/promises';
  const client = new SecretsManagerClient();
  export const handler = async ({ clusterUrl, secret }) => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
    const headers = { authorization: 'Bearer ' + SecretString, accept: 'application/json' };
    await sleep(30_000);
    const answer = await fetch(clusterUrl + '/api/v0/tokens', { headers });
    await answer.text();
    return { status: answer.status, date: answer.headers.get('date') };
  };`;

it('gives a function both servers, by one clock', async () => {
  const clock = new VirtualClock(startAt);
  const sandbox = await startSandbox({ clock, managementSecretName: 'influxdb/management' });
  onTestFinished(() => sandbox.close());
  const environment = {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: sandbox.aws.url,
    AWS_REGION: sandbox.aws.region,
  };
  const { host } = startHost([functionOf('ask', source)], {
    ...{ clock, environment },
    credentialsOf: sandbox.aws.credentialsOf,
  });
  const callers: string[] = [];
  for (const server of [sandbox.cluster, sandbox.aws]) {
    server.intercept = (call, effect) => {
      callers.push(`${call.caller} ${call.operation}`);
      return passThrough(call, effect);
    };
  }

  const event = { clusterUrl: sandbox.cluster.url, secret: 'influxdb/management' };
  expect(await clock.waitFor(host.invoke('ask', event))).toEqual({
    result: { status: 200, date: 'Wed, 01 Jan 2025 00:00:30 GMT' },
  });
  expect(callers).toEqual(['ask-1 GetSecretValue', 'ask-1 GET /tokens']);
});

async function listen() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

it('leaves nothing running when one of the ports is taken', async () => {
  const clock = new VirtualClock(startAt);
  const taken = await listen();
  const free = await listen();
  onTestFinished(() => {
    taken.server.close();
  });
  free.server.close();
  await once(free.server, 'close');
  const [clusterPort, awsPort] = [free.port, taken.port];

  await expect(startSandbox({ clock, clusterPort, awsPort })).rejects.toThrow('EADDRINUSE');
  const sandbox = await startSandbox({ clock, clusterPort });
  expect(sandbox.cluster.url).toBe(`http://127.0.0.1:${clusterPort}`);
  await sandbox.close();
});
