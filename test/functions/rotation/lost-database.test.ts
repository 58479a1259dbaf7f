import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, policyWith, TELEGRAF } from '../../world/policy.ts';

const entry = { permissions: { write: ['telemetry', 'quality'] } };
const undeclared = policyWith({ telegraf: entry }, { databases: [] });

async function openWith(databases: readonly string[]) {
  const world = await openWorldForTest(undeclared, { databases });
  await world.rotate();
  await world.wait(DAY);
  return world;
}

test('a database of an entry that somebody deleted, and that no rule declares, is told of until it is there again or gone from the entry', async () => {
  const world = await openWith(['telemetry', 'quality']);
  await world.people.deleteDatabase('quality');
  const { entries } = (await world.rotate()).result;
  expect(entries).toMatchObject([{ condition: 'no-database' }]);
  const unusable = world.metrics().flatMap((each) => each['Owner=prod UnusableTokens'] ?? []);
  expect(unusable.at(-1)).toBe(1);
  const left = world.deploy(
    policyWith({ telegraf: { permissions: { write: ['telemetry'] } } }, { databases: [] }),
  );
  expect((await left.rotate({ dryRun: true })).result.entries).toMatchObject([
    { condition: 'works' },
  ]);
  const declared = { databases: [{ name: 'quality' }] };
  const watched = world.deploy(policyWith({ telegraf: entry }, declared));
  expect((await watched.rotate({ dryRun: true })).result.entries).toMatchObject([
    { condition: 'works' },
  ]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a token that waits for a new database of its entry lacks none', async () => {
  const world = await openWith(['telemetry']);
  const { entries, plan } = (await world.rotate()).result;
  expect(entries).toMatchObject([{ condition: 'missing' }]);
  expect(plan.findings).toMatchObject([{ kind: 'UnknownDatabase' }]);
});
