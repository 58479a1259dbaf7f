import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createAccount } from '../../sandbox/aws/account.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../world/policy.ts';
import type { World } from '../world/world.ts';

const FRANKFURT = 'eu-central-1';

/**
 * AWS: "Secrets Manager replicates the encrypted secret data and metadata such as tags and resource policies"
 * (docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html). SoleWriter's policy denies writes to all but the four roles
 * of the first Region's stack, and the named people, and it goes with the replica: after a promotion it denies the second Region's functions.
 */
test('what SoleWriter writes goes with a replica, and the failover says what to do with it', async () => {
  let world: World | undefined;
  const account = createAccount({ now: () => world?.clock.now() ?? Date.UTC(2026, 2, 2, 12) });
  world = await openWorldForTest(
    policyWith({ telegraf: writer }, { deployment: { replicaRegions: [FRANKFURT] } }),
    { account },
  );
  await world.rotate();
  await world.people.share(TELEGRAF, { Statement: [{ Effect: 'Deny' }] });
  const home = world.aws.state.secrets[TELEGRAF]?.resourcePolicy;
  const copy = account.region(FRANKFURT).findByName(TELEGRAF)?.resourcePolicy;
  console.log('home', home, 'copy', copy);
  expect(home).toContain('Deny');
  expect(copy).toBe(home);

  const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const failover = /## Failover of a Region\n([\s\S]*?)\n## /.exec(operations)?.[1] ?? '';
  expect(failover).toMatch(/SoleWriter|resource polic/);
});
