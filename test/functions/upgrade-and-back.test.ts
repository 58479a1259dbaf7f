import { expect, test } from 'vitest';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import type { World } from '../world/world.ts';

/** As a later version writes it, of which this one knows nothing. */
const FIELD = ' later=1';
const TAG = 'keyturn:later';

const descriptions = ({ cluster }: World) =>
  cluster.state.tokens.flatMap(({ revokedAt, id, description }) =>
    revokedAt === undefined ? [{ id, description }] : [],
  );

/** What a later version leaves: fields in markers and tags on secrets, wherever there is none. */
async function runLaterVersion(world: World) {
  for (const { id, description } of descriptions(world)) {
    if (description.includes(FIELD)) continue;
    await world.people.changeToken(id, { description: description.replace(/\]$/, `${FIELD}]`) });
  }
  await world.people.tag(TELEGRAF, { [TAG]: '1' });
}

test('what a later version wrote outlives this one, which owns every token all the same, and loses none', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  const marked = new Set<string>();
  const upgrade = async () => {
    await runLaterVersion(world);
    for (const { id } of descriptions(world)) marked.add(id);
  };
  const strays = () =>
    Math.max(0, ...world.metrics().map((each) => Number(each['Owner=prod WorkingStrays'] ?? 0)));

  await world.rotate();
  await upgrade();
  // Back to this version: a rotation and its retirement, a freeze and its end, a replacement by an order.
  const acts = [
    () => world.rotate({ tokens: ['telegraf'], force: true }),
    () => world.revoke({ token: 'telegraf', way: 'freeze', reason: 'odd reads' }),
    () => world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'was nothing' }),
    () => world.revoke({ token: 'telegraf', way: 'replace', reason: 'leaked' }),
  ];
  for (const act of acts) {
    await upgrade();
    expect(await act()).not.toHaveProperty('error');
    for (let hours = 0; hours < 72; hours += 12) {
      await world.wait(12 * HOUR);
      expect(await world.rotate()).not.toHaveProperty('error');
      expect(await world.reap()).not.toHaveProperty('error');
      const kept = descriptions(world);
      expect(
        kept.filter(({ id }) => marked.has(id)).every((each) => each.description.includes(FIELD)),
      ).toBe(true);
      expect(world.tokens().every(({ marker }) => marker?.owner === 'prod')).toBe(true);
      expect(world.accepts(world.string(TELEGRAF))).toBe(world.hold(TELEGRAF) === undefined);
    }
    expect(world.tags(TELEGRAF)).toMatchObject({ [TAG]: '1', 'keyturn:owner': 'prod' });
  }
  // Each was retired in its time, by this version or the later one.
  await world.wait(10 * DAY);
  for (let days = 0; days < 4; days += 1) {
    await world.reap();
    await world.wait(DAY);
  }
  expect(world.tokens().map(({ id }) => id)).toEqual([world.holders(TELEGRAF).AWSCURRENT]);
  expect(strays()).toBe(0);
});
