// Writes a point every ten seconds for as long as it lives, and needs no restart when its token is rotated.
//
//   npm install @aws-sdk/client-secrets-manager
//   SECRET=keyturn/prod/heartbeat DATABASE=telemetry node main.ts        (Node.js 24)
//
// It needs secretsmanager:GetSecretValue on that secret.
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Credentials, holdCredentials } from './credentials.ts';

const REREAD_EVERY_MS = 5 * 60_000;
const { SECRET, DATABASE = 'telemetry' } = process.env;

if (!SECRET) {
  process.stderr.write(
    'found no SECRET, expected the name of a secret: SECRET=keyturn/prod/heartbeat node main.ts\n',
  );
  process.exit(1);
}

const secrets = new SecretsManagerClient({});

/** Without a VersionStage or a VersionId: what counts is AWSCURRENT. */
async function read(): Promise<Credentials> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET }));
  return JSON.parse(SecretString);
}

const credentials = holdCredentials({ read, rereadEveryMs: REREAD_EVERY_MS });

async function beat(): Promise<void> {
  const answer = await credentials.use(({ url, token }) =>
    fetch(`${url}/api/v2/write?bucket=${DATABASE}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: 'heartbeat alive=true',
    }),
  );
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
}

for (;;) {
  await beat().catch((error: unknown) => process.stderr.write(`${error}\n`));
  await sleep(10_000);
}
