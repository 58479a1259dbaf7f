import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
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
