import { expect, it } from 'vitest';
import { openWorldForTest } from '../world/open-world.ts';
import { policyWith } from '../world/policy.ts';
import { environmentOf } from '../world/systems.ts';
import { keyturn, writeTemporary } from './cli.ts';
import { openDeployed } from './operator.ts';
import { serveLambda } from './serve-lambda.ts';

const SECRET = 'legacy/admin';

/** An operator of a deployment that adopts a token which may do everything. */
async function openAdopting() {
  const world = await openWorldForTest(policyWith({}), { startAt: Date.now() });
  const permissions = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  const made = await world.people.mint({ description: 'of the admins', permissions });
  await world.people.createSecret(SECRET, made.accessToken);
  const adopt = { tokenId: made.id };
  const grants = { read: ['*'], write: ['*'] };
  const deployed = world.deploy(
    policyWith({ admin: { permissions: grants, secret: SECRET, adopt } }),
  );
  const AWS_ENDPOINT_URL_LAMBDA = await serveLambda(deployed);
  const KEYTURN_POLICY = writeTemporary('keyturn.yaml', deployed.policy);
  const env = { KEYTURN_POLICY, ...environmentOf(world), AWS_ENDPOINT_URL_LAMBDA };
  return { world, made, run: (args: readonly string[]) => keyturn(args, { env }) };
}

it('adopts what cannot be proven when a person confirms it, and publishes who that was', async () => {
  const { world, made, run } = await openAdopting();
  const unconfirmed = await run(['adopt', 'admin']);
  expect([unconfirmed.code, unconfirmed.stderr]).toEqual([
    1,
    expect.stringContaining('found no --confirm'),
  ]);
  // It changes nothing, so nobody need know anything.
  const unsure = await run(['adopt', 'admin', '--dry-run']);
  const shown = await run(['adopt', 'admin', '--confirm', '--dry-run']);
  expect(unsure).toEqual(shown);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain(`admin ${made.id.slice(0, 8)}: adopt it`);
  expect(world.tags(SECRET)).toEqual({});

  expect(await run(['adopt', 'admin', '--confirm', '--by', 'ada'])).toMatchObject({
    code: 0,
    stdout: 'done  adopt admin\n',
  });
  expect(world.tags(SECRET)).toMatchObject({ 'keyturn:owner': 'prod' });
  expect(world.events('Token Adopted')).toMatchObject([
    { detail: { tokenId: made.id, confirmedBy: 'ada' } },
  ]);
  for (const more of [[], ['--dry-run']]) {
    const again = await run(['adopt', 'admin', '--confirm', ...more]);
    expect(again.code).toBe(0);
    expect(again.stdout.replaceAll(/\s+/g, ' ')).toContain(
      `is adopted: AWSCURRENT has token ${made.id}`,
    );
  }
});

it('says why a confirmation adopts nothing, and does not call that done', async () => {
  const { world, made, run } = await openAdopting();
  await world.people.deleteToken(made.id);
  const answer = await run(['adopt', 'admin', '--confirm']);
  expect(answer).toMatchObject({ code: 1, stdout: '' });
  expect(answer.stderr).toContain(`no token has the id ${made.id}`);
});

it('does not call adopted what Keyturn minted for an entry that adopts nothing', async () => {
  const { run } = await openDeployed();
  await run(['rotate', 'telegraf']);
  const answer = await run(['adopt', 'telegraf', '--confirm']);
  expect(answer).toMatchObject({ code: 1, stdout: '' });
  expect(answer.stderr).toContain('its entry in the policy has no adopt.tokenId');
});

it('adopts nothing without the word, for a name that is not in the policy, or under a hold', async () => {
  const { world, run } = await openAdopting();
  expect(await run(['adopt', 'admin'])).toMatchObject({ code: 1, stdout: '' });
  const unknown = await run(['adopt', 'admn', '--confirm']);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain('found no token admn');
  await world.people.tag(SECRET, { 'keyturn:hold': 'frozen' });
  expect(await run(['adopt', 'admin', '--confirm'])).toMatchObject({
    code: 1,
    stdout: 'held  adopt admin\n',
  });
  expect(world.events('Token Adopted')).toEqual([]);
});
