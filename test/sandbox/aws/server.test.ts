import { expect, test } from 'vitest';
import type { Call } from '../../../sandbox/interception.ts';
import { createClient, id, post, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';

test('the clock of every answer is the given one, in the past as in the future', async () => {
  const { aws, client } = await start({ clock: { now: () => Date.UTC(2031, 5, 1) } });
  await client.createSecret({ Name: SecretId });
  const described = await client.describeSecret({ SecretId });
  expect(described.CreatedDate).toEqual(new Date('2031-06-01T00:00:00Z'));
  for (const request of [new Request(aws.url, { method: 'POST' }), new Request(`${aws.url}/no`)])
    expect((await fetch(request)).headers.get('date')).toBe('Sun, 01 Jun 2031 00:00:00 GMT');
});

test('listens on loopback only', async () => {
  const { aws } = await start();
  expect(aws.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('refuses requests without a signature, unknown operations and broken bodies', async () => {
  const { aws } = await start();
  const headers = { 'x-amz-target': 'secretsmanager.ListSecrets' };
  const unsigned = await fetch(aws.url, { method: 'POST', headers, body: '{}' });
  expect(unsigned.status).toBe(400);
  expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  expect(await post(aws, 'constructor', '{}')).toMatchObject([
    400,
    { __type: 'UnknownOperationException' },
  ]);
  expect(await post(aws, 'ListSecrets', '{')).toMatchObject([
    400,
    { __type: 'SerializationException' },
  ]);
});

test('counts calls, and apart from them the writes that share a quota', async () => {
  const { aws, client } = await start();
  await client.createSecret({ Name: SecretId, SecretString: '1' });
  await client.putSecretValue({ SecretId, SecretString: '2' });
  await client.describeSecret({ SecretId });
  await client.describeSecret({ SecretId });
  expect(aws.state.calls).toEqual({ CreateSecret: 1, PutSecretValue: 1, DescribeSecret: 2 });
  expect(aws.state.writes).toEqual({ PutSecretValue: 1 });
});

test('every call passes the interceptor with its operation, its caller and what it names', async () => {
  const calls: Call[] = [];
  const { client } = await start({
    intercept: (call, effect) => {
      calls.push(call);
      return Promise.resolve(effect());
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, {
        'x-sandbox-caller': 'rotate-1',
      });
      return next(args);
    },
    { step: 'build' },
  );
  await client.createSecret({ Name: SecretId });
  expect(calls).toEqual([
    {
      server: 'secrets-manager',
      operation: 'CreateSecret',
      caller: 'rotate-1',
      subject: SecretId,
    },
  ]);
});

test('a call whose answer is cut off has taken effect, or not, as the interceptor chose', async () => {
  const { aws, client } = await start();
  aws.intercept = () => Promise.resolve('reset');
  expect(await refusal(client.createSecret({ Name: 'before' }))).toMatch(/ECONNRESET|hang up/);
  aws.intercept = (_call, effect) => {
    effect();
    return Promise.resolve('reset');
  };
  expect(await refusal(client.createSecret({ Name: 'behind' }))).toMatch(/ECONNRESET|hang up/);
  expect(Object.keys(aws.state.secrets)).toEqual(['behind']);
});

test("the SDK's own retry of a put whose answer was lost makes one version", async () => {
  const { aws } = await start();
  const client = createClient(aws, 3);
  await client.createSecret({ Name: SecretId, SecretString: '1', ClientRequestToken: id(1) });
  let losses = 1;
  aws.intercept = (_call, effect) => {
    const reply = effect();
    losses -= 1;
    return Promise.resolve(losses < 0 ? reply : 'reset');
  };
  await client.putSecretValue({ SecretId, SecretString: '2' });
  expect(aws.state.calls).toMatchObject({ PutSecretValue: 2 });
  expect(Object.keys(aws.state.secrets[SecretId]?.versions ?? {})).toHaveLength(2);
  client.destroy();
});

test('an answer can be replaced, as by a throttling one', async () => {
  const { aws, client } = await start();
  const body = JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' });
  aws.intercept = () => Promise.resolve({ status: 400, body });
  expect(await refusal(client.listSecrets({}))).toBe('ThrottlingException: Rate exceeded');
});

test('a snapshot is plain data, unmoved by later writes, and can be gone back to', async () => {
  const { aws, client, clock } = await start();
  await client.createSecret({ Name: SecretId, SecretString: '1', ClientRequestToken: id(1) });
  clock.advance(60_000);
  const snapshot = aws.snapshot();
  expect(structuredClone(snapshot)).toEqual(snapshot);

  await client.putSecretValue({ SecretId, SecretString: '2', ClientRequestToken: id(2) });
  await client.createSecret({ Name: 'later' });
  expect(Object.keys(snapshot.secrets)).toEqual([SecretId]);

  for (let time = 1; time <= 2; time += 1) {
    aws.restore(structuredClone(snapshot));
    expect(aws.state).toEqual(snapshot);
    expect((await client.getSecretValue({ SecretId })).SecretString).toBe('1');
    await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
  }
});

test('a restored server lags behind its restored history', async () => {
  const { aws, client, clock } = await start();
  await client.createSecret({ Name: SecretId, Description: 'old' });
  clock.advance(60_000);
  await client.updateSecret({ SecretId, Description: 'new' });
  const snapshot = aws.snapshot();
  const other = await start({ clock, listLagMs: 1000 });
  other.aws.restore(snapshot);
  expect((await other.client.listSecrets({})).SecretList?.[0]?.Description).toBe('old');
});
