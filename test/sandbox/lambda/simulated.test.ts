import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { createSimulatedHost } from '../../../sandbox/lambda/simulated/host.ts';
import { createSandbox } from '../../../sandbox/sandbox.ts';
import { VirtualClock } from '../../../sandbox/virtual-clock.ts';
import { startAt } from './fixtures.ts';

// The SDK reads the machine's files at its first call. Virtual time must not move meanwhile.
beforeAll(async () => {
  const client = new SecretsManager({
    region: 'eu-west-1',
    endpoint: 'http://127.0.0.1:1',
    maxAttempts: 1,
  });
  await expect(client.listSecrets({})).rejects.toThrow();
});

type Asking = (client: SecretsManager) => Promise<unknown>;

/** A function of this process that keeps its client, whose connections die while it is frozen. */
function startAsking(ask: Asking) {
  const clock = new VirtualClock(startAt);
  const sandbox = createSandbox({ clock });
  const { cluster, aws } = sandbox;
  const host = createSimulatedHost({
    ...{ clock, random: () => 0.5, credentialsOf: aws.credentialsOf, onFrozen: aws.forget },
    network: { [cluster.url]: cluster.respond, [aws.url]: aws.respond },
    functions: [
      {
        name: 'ask',
        timeoutMs: 60_000,
        start: () => {
          const client = new SecretsManager({
            ...{ region: aws.region, endpoint: aws.url, maxAttempts: 1 },
          });
          return () => ask(client);
        },
      },
    ],
  });
  onTestFinished(() => host.close());
  return { aws, invoke: () => clock.waitFor(host.invoke('ask', {})) };
}

const list: Asking = async (client) => (await client.listSecrets({})).SecretList;

it('cuts the connections of an instance that was frozen, which learns of it when it asks', async () => {
  const { aws, invoke } = startAsking(list);
  expect(await invoke()).toEqual({ result: [] });
  expect(await invoke()).toMatchObject({ error: { errorMessage: 'socket hang up' } });
  expect(aws.state.calls).toEqual({ ListSecrets: 1 });
  expect(await invoke()).toEqual({ result: [] });
});

it('cuts none that the instance had ended itself', async () => {
  const { invoke } = startAsking(async (client) => {
    const listed = await list(client);
    client.destroy();
    return listed;
  });
  for (let time = 1; time <= 3; time += 1) expect(await invoke()).toEqual({ result: [] });
});

it('gives each instance credentials of its own', async () => {
  const seen: unknown[] = [];
  const { invoke } = startAsking(async (client) => {
    seen.push(await client.config.credentials());
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });
  await Promise.all([invoke(), invoke()]);
  const session = { sessionToken: expect.stringMatching(/^IQoJ/) };
  expect(seen).toMatchObject([session, session]);
  expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(2);
});

it('answers no more than six megabytes', async () => {
  const { invoke } = startAsking(() => Promise.resolve('a'.repeat(6_291_555)));
  expect(await invoke()).toMatchObject({ error: { errorType: 'Function.ResponseSizeTooLarge' } });
});
