import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { InfluxDBClient, setLogger } from '@influxdata/influxdb3-client';
import { z } from 'zod';
import type { VirtualClock } from '../virtual-clock.ts';
import { GRACE_MS } from './policy.ts';

const secretSchema = z.object({ token: z.string(), tokenId: z.string(), url: z.string() });

// Every refusal is in the timeline; the client would print it with a stack besides.
setLogger({ error() {}, warn() {} });

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How often it works, and how often around a promotion. */
export const PACE = { calmMs: HOUR_MS, busyMs: 5 * SECOND_MS } as const;
/** Longer than the slowest router of the demonstration takes to learn of anything. */
export const BUSY_FOR_MS = 10 * MINUTE_MS;

export interface ConsumerOptions {
  readonly name: string;
  readonly secret: string;
  readonly database: string;
  readonly clock: VirtualClock;
  readonly secrets: SecretsManagerClient;
  readonly until: number;
  readonly onRejection: (rejection: Rejection) => void;
}

export interface Rejection {
  readonly at: number;
  readonly consumer: string;
  readonly tokenId: string;
  readonly what: string;
}

export interface Consumer {
  readonly secret: string;
  readonly requests: number;
  /** Writes and queries once. */
  work(): Promise<void>;
  /** Works every few seconds for a while, because the secret's AWSCURRENT has moved. */
  hurry(): void;
  /** Reads the secret again before it works next. */
  restart(): void;
  /** Works until the end, and re-reads its secret as late as the grace period allows. */
  run(): Promise<void>;
}

/** Uses the token that it last read, each time on a new connection, which may meet any router; never retries. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { name, secret, clock, database, until } = options;
  let held: { readonly credentials: Credentials; readonly client: InfluxDBClient } | undefined;
  let rereadAt = 0;
  let busyUntil = 0;
  let requests = 0;
  let pause = new AbortController();

  /** The last client is closed only when nothing begins to use it any more. */
  async function hold(credentials: Credentials | undefined): Promise<void> {
    const last = held;
    held = credentials && { credentials, client: connect(credentials, database) };
    await last?.client.close();
  }

  async function ask(what: string, tokenId: string, answer: Promise<void>): Promise<void> {
    requests += 1;
    try {
      await answer;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const rejection = { at: clock.now(), consumer: name, tokenId, what: `${what}: ${message}` };
      options.onRejection(rejection);
    }
  }

  const consumer: Consumer = {
    secret,
    get requests() {
      return requests;
    },
    async work() {
      if (!held) return;
      const { credentials, client } = held;
      // One row for each day, so that queries do not grow slower.
      const time = clock.now() - (clock.now() % DAY_MS);
      const line = `work,consumer=${name} done=1i ${time}000000`;
      await ask('write', credentials.tokenId, client.write(line, database));
      await ask('query', credentials.tokenId, query(credentials, database));
    },
    hurry() {
      busyUntil = clock.now() + BUSY_FOR_MS;
      pause.abort();
    },
    restart() {
      rereadAt = 0;
      pause.abort();
    },
    async run() {
      while (clock.now() < until) {
        pause = new AbortController();
        if (clock.now() >= rereadAt) {
          rereadAt = clock.now() + GRACE_MS;
          await hold(await readSecret(options));
        }
        await consumer.work();
        const paceMs = clock.now() < busyUntil ? PACE.busyMs : PACE.calmMs;
        const pauseMs = Math.max(0, Math.min(paceMs, rereadAt - clock.now()));
        await clock.sleep(pauseMs, pause.signal).catch(() => {});
      }
      await hold(undefined);
    },
  };
  return consumer;
}

type Credentials = z.infer<typeof secretSchema>;

async function readSecret({ secrets, secret }: ConsumerOptions): Promise<Credentials> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  return secretSchema.parse(JSON.parse(SecretString ?? ''));
}

/** Without an agent there is a new connection for every request. */
const UNSHARED = { agent: false } as const;

const connect = ({ url, token }: Credentials, database: string) =>
  new InfluxDBClient({ host: url, token, database, transportOptions: UNSHARED });

/** The official client queries by gRPC, which the sandbox does not have; `/query` is plain HTTP. */
function query({ url, token }: Credentials, database: string): Promise<void> {
  const q = 'SELECT count(done) FROM work';
  const address = `${url}/query?${new URLSearchParams({ db: database, q })}`;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request(address, { ...UNSHARED, headers }, async (answer) => {
      const body = await text(answer);
      if (answer.statusCode === 200 && !body.includes('"error"')) resolve();
      else reject(new Error(`${answer.statusCode} ${body}`));
    });
    asked.on('error', reject).end();
  });
}
