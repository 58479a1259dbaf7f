import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';

/** Well within the policy's grace period of ten seconds. */
const REREAD_EVERY_MS = 3_000;
const WORK_EVERY_MS = 250;

const secretSchema = z.object({ token: z.string(), tokenId: z.string(), url: z.string() });
type Credentials = z.infer<typeof secretSchema>;

export interface Consumer {
  readonly requests: number;
  /** Requests that did not succeed. */
  readonly refusals: readonly string[];
  /** Ids of the tokens that it has used. */
  readonly tokenIds: ReadonlySet<string>;
  stop(): Promise<void>;
}

async function request(credentials: Credentials, path: string, body?: string): Promise<void> {
  const answer = await fetch(`${credentials.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${credentials.token}` },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  if (!answer.ok || text.includes('"error"')) throw new Error(`${path}: ${answer.status} ${text}`);
}

/** Writes and queries with the token that it last read, and never retries. */
export function startConsumer(
  secrets: SecretsManagerClient,
  secret: string,
  database: string,
): Consumer {
  const refusals: string[] = [];
  const tokenIds = new Set<string>();
  let requests = 0;
  let stopped = false;

  const attempt = async (credentials: Credentials, path: string, body?: string) => {
    requests += 1;
    try {
      await request(credentials, path, body);
    } catch (error) {
      const at = new Date().toISOString();
      refusals.push(`${at} ${secret}, token ${credentials.tokenId}: ${error}`);
    }
  };
  const read = async () => {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
    return secretSchema.parse(JSON.parse(SecretString ?? ''));
  };
  const work = async () => {
    const query = new URLSearchParams({ db: database, q: 'SELECT count(done) FROM work' });
    while (!stopped) {
      const credentials = await read();
      tokenIds.add(credentials.tokenId);
      for (const until = Date.now() + REREAD_EVERY_MS; Date.now() < until && !stopped; ) {
        const line = `work,consumer=e2e done=1i ${Date.now()}000000`;
        await attempt(credentials, `/api/v2/write?bucket=${database}`, line);
        await attempt(credentials, `/query?${query}`);
        await sleep(WORK_EVERY_MS);
      }
    }
  };
  const working = work().catch((error: unknown) => {
    refusals.push(`${secret} could not be read: ${error}`);
  });

  return {
    get requests() {
      return requests;
    },
    refusals,
    tokenIds,
    async stop() {
      stopped = true;
      await working;
    },
  };
}
