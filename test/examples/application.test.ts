import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { type Credentials, holdCredentials } from '../../examples/application/credentials.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { meter, openIssuedWorld, rotateNow, untilTheLastMoment, workFor } from './rereading.ts';

/** As examples/application/main.ts puts it together, with the world's clock. */
function startApplication(world: World, rereadEveryMs: number) {
  const secrets = new SecretsManagerClient({});
  const read = async (): Promise<Credentials> => {
    const { SecretString = '' } = await secrets.send(
      new GetSecretValueCommand({ SecretId: TELEGRAF }),
    );
    return JSON.parse(SecretString);
  };
  const credentials = holdCredentials({ read, rereadEveryMs, now: () => world.clock.now() });
  const beat = async () => {
    const answer = await credentials.use(({ url, token }) =>
      fetch(`${url}/api/v2/write?bucket=telemetry`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: 'heartbeat alive=true',
      }),
    );
    await answer.text();
    return answer.status;
  };
  /** Returns the status that the application sees in the end. Time passes while it waits. */
  return () => world.clock.waitFor(world.outside(beat));
}

const unique = (statuses: readonly number[]) => [...new Set(statuses)];

test.each([
  ['five minutes, as the example,', 5 * MINUTE],
  ['hour, as the caching clients of AWS,', HOUR],
])(
  'a reading every %s meets no refusal with the grace period of the table',
  async (_what, rereadEveryMs) => {
    const gracePeriod = rereadEveryMs < HOUR ? '1h' : '3h';
    const world = await openIssuedWorld({ gracePeriod, quarantine: '1d' });
    const beat = startApplication(world, rereadEveryMs);
    await beat();
    const { statuses } = meter(world);
    await rotateNow(world);
    await workFor(world, 2 * DAY, beat);
    expect(unique(statuses)).toEqual([204]);
    // The old token is gone: it was not this that spared the application.
    expect(world.tokens(TELEGRAF)).toHaveLength(1);
  },
);

describe('where the old token has one grace period, because it expires', () => {
  /** What the cluster answered to an application that read right before the last moment. */
  const statusesOf = async (gracePeriodMs: number, rereadEveryMs: number) => {
    const hours = gracePeriodMs / HOUR;
    const lives = { rotateEvery: '10d', expiresAfter: '14d', renewBefore: '4d' };
    const world = await openIssuedWorld({ ...lives, gracePeriod: `${hours}h` });
    await untilTheLastMoment(world, gracePeriodMs);
    const beat = startApplication(world, rereadEveryMs);
    await beat();
    const { statuses } = meter(world);
    await world.rotate();
    let seen: readonly number[] = [];
    await workFor(world, 2 * gracePeriodMs + HOUR, async () => {
      seen = [...seen, await beat()];
    });
    return { statuses, seen };
  };

  test('whoever re-reads once per grace period meets no refusal', async () => {
    const { statuses } = await statusesOf(3 * HOUR, 3 * HOUR);
    expect(unique(statuses)).toEqual([204]);
  });

  test('whoever re-reads more rarely is refused; one more read after the refusal helps', async () => {
    const { statuses, seen } = await statusesOf(3 * HOUR, 3 * HOUR + 30 * MINUTE);
    expect(statuses.filter((status) => status === 401)).toHaveLength(1);
    expect(unique(seen)).toEqual([204]);
  });
});

test('a revoked token costs one refused request, and no restart', async () => {
  const world = await openIssuedWorld({});
  const beat = startApplication(world, 5 * MINUTE);
  await beat();
  const { statuses } = meter(world);
  await world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked' });
  expect(await beat()).toBe(204);
  expect(statuses).toEqual([401, 204]);
});

test('a secret that cannot be read stops nothing while the token that is held works', async () => {
  const world = await openIssuedWorld({});
  const beat = startApplication(world, 5 * MINUTE);
  await beat();
  world.intercept((call, effect) =>
    Promise.resolve(call.operation === 'GetSecretValue' ? { status: 500, body: '{}' } : effect()),
  );
  await world.wait(HOUR);
  expect(await beat()).toBe(204);
  await rotateNow(world);
  expect(await beat()).toBe(204);
});

test('a storm of refusals reads the secret once in ten seconds, and hides no refusal', async () => {
  const world = await openIssuedWorld({});
  const beat = startApplication(world, DAY);
  await beat();
  await world.revoke({ token: 'telegraf', way: 'delete', reason: 'leaked' });
  const seen = meter(world);
  const answers = await Promise.all(Array.from({ length: 20 }, beat));
  expect(unique(answers)).toEqual([401]);
  expect(seen.reads).toBe(1);
  await beat();
  expect(seen.reads).toBe(1);
  await world.wait(11_000);
  await beat();
  expect(seen.reads).toBe(2);
});

test('without any credentials the error of Secrets Manager is told', async () => {
  const world = await openIssuedWorld({});
  await world.people.deleteSecret(TELEGRAF);
  await expect(startApplication(world, 5 * MINUTE)()).rejects.toThrow(/marked for deletion/);
});
