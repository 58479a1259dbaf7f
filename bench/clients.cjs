/** Both listings by the clients that a function has, as they come, and nothing else: each part is let go once it is parsed. */
const { ListSecretsCommand, SecretsManagerClient } = require('@aws-sdk/client-secrets-manager');
const { Pool } = require('undici');

const OWNER = [{ Key: 'tag-key', Values: ['keyturn:owner'] }];

async function listSecrets() {
  const client = new SecretsManagerClient({ maxAttempts: 1 });
  let [secrets, NextToken] = [0, undefined];
  do {
    const command = new ListSecretsCommand({ Filters: OWNER, MaxResults: 100, NextToken });
    const page = await client.send(command);
    secrets += page.SecretList.length;
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  client.destroy();
  return secrets;
}

async function listTokens(cluster) {
  const pool = new Pool(cluster);
  const { body } = await pool.request({ method: 'GET', path: '/tokens' });
  const tokens = JSON.parse(await body.text());
  await pool.close();
  return tokens.length;
}

async function take({ cluster }) {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const results = { secrets: await listSecrets(), tokens: await listTokens(cluster) };
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuMs: (user + system) / 1_000,
    wallMs: performance.now() - wall,
    peakMb: process.resourceUsage().maxRSS / 1_000,
    results,
  };
}

process.on('disconnect', () => process.exit());
process.on('message', async (given) => {
  try {
    process.send({ answer: await take(given) });
  } catch (error) {
    process.send({ error: `${error.stack}` });
  }
});
