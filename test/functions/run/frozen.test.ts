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
