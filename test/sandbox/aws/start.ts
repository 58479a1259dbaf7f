import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';
import { PERSON } from '../../../sandbox/aws/account.ts';
import { type Aws, type AwsOptions, startAws } from '../../../sandbox/aws/server.ts';
import { signatureOf } from '../../../sandbox/aws/signature.ts';

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
    credentials: PERSON,
    maxAttempts,
  });

/** A signed request that no SDK would send. Its status and its parsed body. */
export async function post(
  { url, region }: Aws,
  operation: string,
  body: string,
): Promise<[number, unknown]> {
  const { host } = new URL(url);
  const headers = {
    'x-amz-date': '20260115T120000Z',
    'x-amz-target': `secretsmanager.${operation}`,
  };
  const signedHeaders = ['host', ...Object.keys(headers)];
  const claim = { day: '20260115', region, service: 'secretsmanager', signedHeaders };
  const asked = { method: 'POST', url: '/', headers: { ...headers, host }, connection: {} };
  const { accessKeyId, secretAccessKey } = PERSON;
  const signature = signatureOf({ ...asked, body: Buffer.from(body) }, claim, secretAccessKey);
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260115/${region}/secretsmanager/aws4_request, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, authorization },
    body,
  });
  return [response.status, await response.json()];
}

/** A version id: `id('7')` is 36 characters long and the same every time. */
export const id = (seed: string | number) => String(seed).padStart(36, '0');

/** The error's name and message, for comparison with what AWS says. */
export const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );
