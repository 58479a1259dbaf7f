import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished } from 'vitest';

function start(...flags: readonly string[]) {
  const child = spawn(process.execPath, ['sandbox/main.ts', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const closed = once(child, 'close').then(([code]) => code);
  return { child, closed, stderr: text(child.stderr) };
}

it('says in one line where both endpoints are, and ends at a signal', async () => {
  const { child, closed } = start('--activation-delay', '2s', '--region', 'eu-central-1');
  const [line] = await once(child.stdout, 'data');
  const ready = JSON.parse(String(line));
  expect(Object.keys(ready)).toEqual([
    ...['clusterUrl', 'managementToken', 'awsEndpointUrl', 'region'],
    ...['accessKeyId', 'secretAccessKey'],
  ]);

  const secretsManager = new SecretsManagerClient({
    endpoint: ready.awsEndpointUrl,
    region: ready.region,
    credentials: ready,
  });
  const secret = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: 'keyturn/management-token' }),
  );
  expect(secret.SecretString).toBe(ready.managementToken);
  expect(secret.ARN).toContain(':eu-central-1:');

  child.kill('SIGTERM');
  expect(await closed).toBe(0);
});

it('is like the cluster of a profile, and what a flag says is stronger', async () => {
  const profile = join(mkdtempSync(join(tmpdir(), 'keyturn-')), 'cluster.json');
  onTestFinished(() => rmSync(dirname(profile), { recursive: true }));
  const day = 86_400_000;
  const measured = {
    ...{ keyturnProfile: 1, cluster: 'influxdb.example.com', measuredAt: '2026-01-31T00:00:00Z' },
    ...{ activationDelayMs: 0, revocationDelayMs: day, routers: { count: 1, spreadMs: 0 } },
    manners: { longestDescription: 40, refusals: { unknown: { read: 403, write: 403 } } },
  };
  writeFileSync(profile, JSON.stringify(measured));
  /** What it answers where the token is unknown, was deleted, and has a description of 41 characters. */
  const answers = async (...flags: readonly string[]) => {
    const { child } = start('--profile', profile, ...flags);
    const ready = JSON.parse(String((await once(child.stdout, 'data'))[0]));
    const ask = (path: string, token: string, init: RequestInit = {}) =>
      fetch(`${ready.clusterUrl}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
    const manage = (path: string, init: RequestInit) =>
      ask(`/api/v0/${path}`, ready.managementToken, init);
    const mint = (description: string) => {
      const permissions = [{ action: 'write', resource: '*' }];
      return manage('tokens', {
        method: 'POST',
        body: JSON.stringify({ description, permissions }),
      });
    };
    const write = async (token: string) =>
      (await ask('/api/v2/write?bucket=db', token, { method: 'POST', body: '' })).status;
    const { id, accessToken } = (await (await mint('x'.repeat(40))).json()) as {
      readonly id: string;
      readonly accessToken: string;
    };
    await manage(`tokens/${id}`, { method: 'DELETE' });
    return [
      await write('apiv1_unknown'),
      await write(accessToken),
      (await mint('x'.repeat(41))).ok,
    ];
  };
  expect(await answers()).toEqual([403, 204, false]);
  expect(await answers('--revocation-delay', '0s')).toEqual([403, 403, false]);
});

it.each([
  [['--cluster-port', 'http'], '--cluster-port takes a port from 0 to 65535, not "http"'],
  [['--activation-delay', '2'], '--activation-delay takes a time such as 500ms, 2s or 1m, not "2"'],
  [['--profile', 'package.json'], 'package.json: found keyturnProfile: '],
  [['--profile', 'nowhere.json'], 'nowhere.json: found ENOENT'],
  [['--cluster-prot', '1'], "Unknown option '--cluster-prot'"],
])('refuses %j', async (flags, message) => {
  const { closed, stderr } = start(...flags);
  expect(await closed).toBe(1);
  expect(await stderr).toContain(message);
  expect(await stderr).toContain('npm run sandbox -- [flags]');
});

it('says which port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => {
    other.close();
  });
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { closed, stderr } = start('--aws-port', port);
  expect(await closed).toBe(1);
  expect(await stderr).toContain(`address already in use 127.0.0.1:${port}`);
});
