import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, writer } from '../../world/policy.ts';

/** Together they use all connections of a run. */
const NAMES = Array.from({ length: 8 }, (_, index) => `writer-${index}`);

test('a run does not fail because of connections that died while its process was frozen', async () => {
  const world = await openWorldForTest(
    policyWith(Object.fromEntries(NAMES.map((name) => [name, writer]))),
  );
  await world.rotate();
  await world.wait(HOUR);
  await world.rotate();
  await world.wait(31 * DAY);
  const { error, result } = await world.rotate();
  expect(error).toBeUndefined();
  expect(result?.outcomes.map(({ result: each }: { result: string }) => each)).not.toContain(
    'failed',
  );
  expect(world.cluster.state.tokens).toHaveLength(2 * NAMES.length);
});

test('what a run that failed left behind is never sent, though its process goes on', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `writer-${index}`);
  const world = await openWorldForTest(
    policyWith(Object.fromEntries(names.map((name) => [name, writer]))),
  );
  await world.rotate();
  world.cluster.restore({ ...world.cluster.snapshot(), tokens: [] });
  // Each young version asks when it was put, 25 in a second, and the first answer ends the run.
  world.intercept(async ({ operation }, effect) =>
    operation === 'ListSecretVersionIds'
      ? { status: 400, headers: { 'x-amzn-errortype': 'ExpiredTokenException' }, body: '{}' }
      : effect(),
  );
  expect((await world.reap({ dryRun: true })).error?.errorMessage).toMatch(/ListSecretVersionIds/);
  world.intercept();
  const listings = async () => {
    const before = world.aws.state.calls.ListSecretVersionIds ?? 0;
    expect((await world.reap({ dryRun: true })).error).toBeUndefined();
    return (world.aws.state.calls.ListSecretVersionIds ?? 0) - before;
  };
  expect(await listings()).toBe(await listings());
});
