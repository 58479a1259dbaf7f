import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';

const EVERY_MS = 1_000;

const secretSchema = z.object({ token: z.string() });

export interface Repeated {
  /** How often it was done. */
  readonly times: number;
  /** Each time that it failed. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Does it again and again until it is stopped, whether it fails or not. */
function repeat(work: () => Promise<void>): Repeated {
  const failures: string[] = [];
  const stopping = new AbortController();
  let times = 0;
  const working = (async () => {
    while (!stopping.signal.aborted) {
      times += 1;
      await work().catch((error: unknown) => failures.push(`${error}`));
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    failures,
    get times() {
      return times;
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** The string that consumers read now. */
export async function readToken(secrets: SecretsManagerClient, secret: string): Promise<string> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  return secretSchema.parse(JSON.parse(SecretString ?? '')).token;
}

/** A sidecar: reads the secret again every second, and hands on what has changed. */
export function startSidecar(
  secrets: SecretsManagerClient,
  secret: string,
  hand: (token: string) => void,
): Repeated {
  let last: string | undefined;
  return repeat(async () => {
    const token = await readToken(secrets, secret);
    if (token !== last) hand(token);
    last = token;
  });
}

/** A dashboard of version 1, which sends the token as a password, and reads it again before every query. */
export function startDashboard(
  secrets: SecretsManagerClient,
  secret: string,
  { url, database, q }: { readonly url: string; readonly database: string; readonly q: string },
): Repeated {
  return repeat(async () => {
    const p = await readToken(secrets, secret);
    const answer = await fetch(
      `${url}/query?${new URLSearchParams({ db: database, u: 'grafana', p, q })}`,
    );
    const text = await answer.text();
    if (!answer.ok || text.includes('"error"') || !text.includes('"values"')) {
      throw new Error(`${new Date().toISOString()} ${answer.status} ${text.slice(0, 200)}`);
    }
  });
}
