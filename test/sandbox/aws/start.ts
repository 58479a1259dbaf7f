import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';
import { type Aws, type AwsOptions, startAws } from '../../../sandbox/aws/server.ts';

export const DAY_MS = 86_400_000;

export interface TestClock {
  now(): number;
  advance(ms: number): void;
}

function createClock(startAt = Date.UTC(2026, 0, 15, 12)): TestClock {
  let now = startAt;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

/** A server and an SDK client for the length of one test. */
export async function start(
  options: Partial<AwsOptions> = {},
): Promise<{ aws: Aws; client: SecretsManager; clock: TestClock }> {
  const clock = createClock();
  const aws = await startAws({ clock, ...options });
  const client = createClient(aws);
  onTestFinished(async () => {
    client.destroy();
    await aws.close();
  });
  return { aws, client, clock };
}

export const createClient = (aws: Aws, maxAttempts = 1) =>
  new SecretsManager({
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts,
  });

/** A version id: `id('7')` is 36 characters long and the same every time. */
export const id = (seed: string | number) => String(seed).padStart(36, '0');

/** The error's name and message, for comparison with what AWS says. */
export const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );
