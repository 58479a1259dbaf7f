import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { InfluxDBClient } from '@influxdata/influxdb3-client';
import { z } from 'zod';
import type { VirtualClock } from '../virtual-clock.ts';

const secretSchema = z.object({ token: z.string(), tokenId: z.string(), url: z.string() });

const MINUTE_MS = 60_000;
/**
 * Within a grace period of a day. AWS's caching clients re-read every hour
 * (github.com/aws/aws-secretsmanager-caching-java).
 */
const REREAD_EVERY_MS = 6 * 60 * MINUTE_MS;
const WORK_EVERY_MS = 60 * MINUTE_MS;

export interface ConsumerOptions {
  readonly name: string;
  readonly secret: string;
  readonly database: string;
  readonly clock: VirtualClock;
  readonly secrets: SecretsManagerClient;
  readonly until: number;
  /** Whether an event says that the secret's token was revoked since then. */
  readonly isRevoked: (secret: string, since: number) => boolean;
  readonly onRejection: (rejection: Rejection) => void;
}

export interface Rejection {
  readonly at: number;
  readonly consumer: string;
  readonly tokenId: string;
  readonly what: string;
}

/**
 * Writes and queries once an hour with the token that it last read, and never retries.
 * Resolves to the number of its requests.
 */
export async function consume(options: ConsumerOptions): Promise<number> {
  const { name, clock, database, until, onRejection } = options;
  let requests = 0;
  let credentials = await readSecret(options);
  let client = connect(credentials, database);
  let readAt = clock.now();

  const counted = async (what: string, request: () => Promise<void>) => {
    requests += 1;
    try {
      await request();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const { tokenId } = credentials;
      onRejection({ at: clock.now(), consumer: name, tokenId, what: `${what}: ${message}` });
    }
  };

  while (clock.now() < until) {
    if (clock.now() - readAt >= REREAD_EVERY_MS || options.isRevoked(options.secret, readAt)) {
      await client.close();
      credentials = await readSecret(options);
      client = connect(credentials, database);
      readAt = clock.now();
    }
    const line = `work,consumer=${name} done=1i ${clock.now()}000000`;
    await counted('write', () => client.write(line, database));
    await counted('query', () => query(credentials, database));
    await clock.sleep(WORK_EVERY_MS);
  }
  await client.close();
  return requests;
}

type Credentials = z.infer<typeof secretSchema>;

async function readSecret({ secrets, secret }: ConsumerOptions): Promise<Credentials> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  return secretSchema.parse(JSON.parse(SecretString ?? ''));
}

const connect = ({ url, token }: Credentials, database: string) =>
  new InfluxDBClient({ host: url, token, database });

/** The official client queries by gRPC, which the sandbox does not have; `/query` is plain HTTP. */
async function query({ url, token }: Credentials, database: string): Promise<void> {
  const q = 'SELECT count(done) FROM work';
  const address = `${url}/query?${new URLSearchParams({ db: database, q })}`;
  const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  if (!answer.ok || text.includes('"error"')) throw new Error(`${answer.status} ${text}`);
}
