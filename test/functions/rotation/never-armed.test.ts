import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

/** A secret's first token is read by consumers from the moment it is stored, whatever became of the run that was to arm it. */
test('what a person gave to a first token that no run had armed yet stays, beside what the policy says', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  world.intercept((call, effect) => {
    if (call.operation === 'PATCH /tokens/{id}') return Promise.resolve('reset');
    return passThrough(call, effect);
  });
  await world.rotate().catch(() => {});
  world.intercept();
  const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
  const its = () => world.tokens(TELEGRAF).find((each) => each.id === id);
  expect(its()?.permissions).toEqual([]);
  const added = { action: 'read', resource: 'metrics' } as const;
  await world.people.changeToken(id, { permissions: [added] });
  await world.wait(MINUTE);
  await world.rotate();
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(id);
  expect(its()?.permissions).toContainEqual(added);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  await world.wait(MINUTE);
  const { result } = await world.rotate();
  expect(result.outcomes).toEqual([]);
});
