import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const NAME = 'app/legacy';
const permissions = [{ action: 'write', resource: 'telemetry' }];

/** An adopted secret that was rotated since and lost its tags, while its entry still has `adopt`. */
async function openUntagged(legacy: 'in its grace' | 'deleted') {
  const world = await openWorldForTest(policyWith({ other: writer }));
  const { id, accessToken } = await world.people.mint({ description: 'by hand', permissions });
  await world.people.createSecret(NAME, accessToken);
  // A tool keeps a version of its own in it, whose id has another form than ours.
  await world.people.putVersion(NAME, 'a-version-of-the-tools-of-line-7', accessToken, 'mine');
  const adopting = (tokenId: string) =>
    world.deploy(policyWith({ legacy: { ...writer, secret: NAME, adopt: { tokenId } } }));
  const keyturn = adopting(id);
  await keyturn.rotate();
  await world.wait(DAY);
  await keyturn.rotate({ tokens: ['legacy'], force: true });
  await world.wait(2 * HOUR);
  if (legacy === 'deleted') {
    await world.people.deleteToken(id);
    await world.wait(DAY); // until nobody can miss it, and AWSPREVIOUS goes
    await keyturn.reap();
  }
  await world.people.untag(NAME, Object.keys(world.tags(NAME)));
  return { world, keyturn, adopting };
}

const unusable = ({ metrics }: Pick<World, 'metrics'>) =>
  metrics().findLast((each) => 'Owner=prod UnusableTokens' in each)?.['Owner=prod UnusableTokens'];

test.each(['in its grace', 'deleted'] as const)(
  'a secret that lost its tag is not adopted again by the adopt that stayed in its entry, whose token is %s',
  async (legacy) => {
    const { world, keyturn } = await openUntagged(legacy);
    const before = world.tokens();
    const { error } = await keyturn.rotate();
    expect(error?.errorMessage).toMatch(
      /: app\/legacy has no owner; to take it over: keyturn takeover legacy --confirm, or aws secretsmanager tag-resource/,
    );
    expect(world.tokens()).toEqual(before);
    expect(unusable(keyturn)).toBe(1);
    const { result } = await keyturn.rotate({ dryRun: true });
    expect(result.entries).toMatchObject([{ condition: 'missing' }]);
    await world.people.tag(NAME, { 'keyturn:owner': 'prod' });
    expect(await keyturn.rotate()).not.toHaveProperty('error');
    expect(unusable(keyturn)).toBe(0);
  },
);

test('a person who confirms the adoption of a secret that lost its tag is told so', async () => {
  const { world, keyturn } = await openUntagged('in its grace');
  const before = world.tokens();
  const confirmed = { tokens: ['legacy'], confirmAdoption: 'alice' };
  const { result } = await keyturn.rotate({ ...confirmed, dryRun: true });
  expect(result.plan).toMatchObject({
    actions: [],
    findings: [{ kind: 'CannotAdopt', message: expect.stringContaining('has no owner') }],
  });
  expect(world.tokens()).toEqual(before);
});

test('an entry that names the token which a secret without a tag has takes it back', async () => {
  const { world, adopting } = await openUntagged('deleted');
  const keyturn = adopting(world.holders(NAME).AWSCURRENT ?? '');
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([
    { action: { kind: 'adopt' }, result: 'done' },
  ]);
  expect(world.tags(NAME)).toMatchObject({ 'keyturn:owner': 'prod' });
  expect(unusable(keyturn)).toBe(0);
});
