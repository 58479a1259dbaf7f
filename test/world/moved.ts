import { expect } from 'vitest';
import { openWorldForTest } from './open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from './policy.ts';
import type { World } from './world.ts';

/** As after a move that was approved: the secret has a token of the new cluster, and before it one of the old. */
export async function openMoved(more: object = {}): Promise<World> {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }, more));
  await world.rotate();
  await world.wait(2 * HOUR);
  world.cluster.state.tokens.length = 0;
  await world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://old.example.com' });
  const refused = await world.rotate();
  const [, approve] = /\{"approve": "(\w{16})"\}/.exec(refused.error?.errorMessage ?? '') ?? [];
  await world.rotate({ approve });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  return world;
}
