import { onTestFinished } from 'vitest';
import { createSecrets, type SecretsOptions } from '../../../functions/secrets-manager/client.ts';
import { type Aws, type AwsOptions, startAws } from '../../../sandbox/aws/server.ts';
import { fakeTiming } from '../fake-timing.ts';

export const START = Date.UTC(2026, 2, 2, 12);
export const version = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;

/** A server of its own for one test, and a client of it that waits in no real time. */
export async function connect(
  options: Partial<SecretsOptions> = {},
  awsOptions: Partial<AwsOptions> = {},
) {
  const timing = fakeTiming(START);
  const aws: Aws = await startAws({ clock: { now: () => START }, ...awsOptions });
  onTestFinished(() => aws.close());
  const secrets = createSecrets({
    ...timing,
    client: {
      endpoint: aws.url,
      region: aws.region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    writesPerSecond: 20,
    deadline: () => START + 900_000,
    ...options,
  });
  return { aws, secrets, timing };
}
