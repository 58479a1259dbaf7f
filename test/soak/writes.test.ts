import { expect, test } from 'vitest';
import type { Call } from '../../sandbox/interception.ts';
import { viewOf } from '../crash/view.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { writesOf } from './writes.ts';

test('the writes of one secret are told from those of another, from its minting to its retirement', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  const { cluster, aws, clock } = world;
  await world.rotate();
  const isWrite = writesOf(world, () => viewOf(cluster.state, aws.state, clock.now()), TELEGRAF);
  const written: Call[] = [];
  world.watch((call, effect) => {
    if (isWrite(call)) written.push(call);
    return effect();
  });
  const operations = () => written.splice(0).map(({ operation }) => operation);
  await world.rotate({ tokens: ['grafana'], force: true });
  expect(operations()).toEqual([]);
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(operations()).toEqual([
    'POST /tokens',
    'PutSecretValue',
    'PATCH /tokens/{id}',
    'UpdateSecretVersionStage',
    'PATCH /tokens/{id}',
    'PATCH /tokens/{id}',
  ]);
});
