import { expect, test } from 'vitest';
import { acts } from '../../crash/acts.ts';
import { answering, disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const named = { tokens: ['telegraf'], force: true };

const condition = async (world: World): Promise<string> =>
  (await world.rotate()).result.entries[0].condition;

async function conditionsOf(world: World, hours: number) {
  const seen = new Set<string>();
  for (let hour = 0; hour < hours; hour += 1) {
    await world.wait(HOUR);
    await world.reap();
    seen.add(await condition(world));
  }
  return [...seen];
}

/** One rotation an hour ago: the first token is within its grace period. */
async function rotatedToday() {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  await world.rotate(named);
  await world.wait(HOUR);
  await world.reap();
  expect(await condition(world)).toBe('works');
  return world;
}

const replace = (reason: string) => ({ token: 'telegraf', way: 'replace', reason });

// A1: false silence
test.each(
  ['puts a placeholder', 'puts a token made by hand'].flatMap((act) =>
    ['by name', 'as missing'].flatMap((how) =>
      ['deletes', 'strips'].map((end) => [act, how, end] as const),
    ),
  ),
)('a person %s, it is replaced %s, and a person %s the token before', async (act, how, end) => {
  const world = await rotatedToday();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  const string = world.string(TELEGRAF);
  await acts[act]?.(world, TELEGRAF); // what is made by hand here is for another database
  await world.wait(30 * MINUTE);
  expect(await condition(world)).toBe('unknown');
  if (how === 'by name') await world.rotate(named);
  for (let run = 0; run < 4; run += 1) {
    await world.wait(30 * MINUTE);
    await world.rotate();
    await world.reap();
  }
  expect(await condition(world)).toBe('works');
  expect(world.accepts(string)).toBe(true); // consumers that read it three hours ago may use it
  if (end === 'deletes') await world.people.deleteToken(former);
  else await world.people.changeToken(former, { permissions: [] });
  expect(world.accepts(string)).toBe(false);
  expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
});

// A1, where the pasted string is a dead one's: until reap has run
test.each([false, true])('a person pastes the value of a token that an order ended; rotate, a deletion (reap before it: %s)', async (reap) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, other: writer }));
  await world.rotate();
  const old = world.value(TELEGRAF);
  await world.wait(2 * DAY);
  await world.revoke(replace('leaked'));
  await world.wait(DAY);
  await world.reap();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  const string = world.string(TELEGRAF);
  await world.people.saveValue(TELEGRAF, old);
  await world.wait(10 * MINUTE);
  await world.rotate();
  expect(await condition(world)).toBe('works');
  if (reap) await world.reap();
  await world.wait(20 * MINUTE);
  await world.people.deleteToken(former);
  expect(world.accepts(string)).toBe(false);
  expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
});

// A1, by Secrets Manager's own rotation, and where the deletion came before the replacement
test.each(['Secrets Manager', 'name'])('a placeholder is replaced by %s at once, and the token before is deleted', async (by) => {
  const world = await rotatedToday();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  await acts['puts a placeholder']?.(world, TELEGRAF);
  await world.wait(10 * MINUTE);
  if (by === 'Secrets Manager') await world.rotateSecret(TELEGRAF);
  await world.people.deleteToken(former);
  if (by === 'name') await world.rotate(named);
  expect(await conditionsOf(world, 4)).toEqual(['cut-short']);
});

// A2: false alarm
test.each([false, true])('two orders to replace, hours apart (immediately: %s)', async (immediately) => {
  const world = await rotatedToday();
  await world.revoke({ ...replace('leaked'), immediately });
  expect(await conditionsOf(world, 2)).toEqual(['works']);
  await world.revoke({ ...replace('leaked again'), immediately });
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('the same order given again two hours later', async () => {
  const world = await rotatedToday();
  await world.revoke(replace('leaked'));
  expect(await conditionsOf(world, 2)).toEqual(['works']);
  await world.revoke(replace('leaked'));
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

test('an order killed at its promotion, and given again 40 minutes later', async () => {
  const world = await rotatedToday();
  await disturb(world, () => world.revoke(replace('leaked')), 1, {
    meet: faults['killed before the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  await world.wait(40 * MINUTE);
  const { result } = await world.revoke(replace('leaked'));
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

// A3: the documentation says that giving the order again ends the alarm
test('an order whose deletions failed, and that is given again 40 minutes later', async () => {
  const world = await rotatedToday();
  world.intercept(answering('DELETE /tokens/{id}', { status: 500, body: '{"message":"no"}' }));
  await world.revoke(replace('leaked'));
  world.intercept();
  await world.wait(40 * MINUTE);
  expect((await world.revoke(replace('leaked'))).result).toMatchObject({ done: true });
  expect(await conditionsOf(world, 25)).toEqual(['works']);
});

// A4: false alarm, an inert orphan that no consumer ever had
test('an order that died behind its POST /tokens, and is not given again', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  await disturb(world, () => world.revoke(replace('leaked')), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'POST /tokens',
  });
  expect(await conditionsOf(world, 30)).toEqual(['works']);
});

test('an order whose new version Secrets Manager refuses, and that is not given again', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  const body = JSON.stringify({ __type: 'AccessDeniedException', Message: 'no' });
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  world.intercept(answering('PutSecretValue', { status: 400, headers, body }));
  await world.revoke(replace('leaked'));
  world.intercept();
  expect(await conditionsOf(world, 30)).toEqual(['works']);
});

// A5: false alarm, a tool that keeps the owner's tag and takes the others
test.each(['a single token', 'the whole secret, lifted'])('tags are stripped after an order about %s', async (what) => {
  const world = await rotatedToday();
  const { AWSPREVIOUS: former } = world.holders(TELEGRAF);
  if (what === 'a single token') await world.revoke({ tokenId: former, way: 'delete', reason: 'leaked' });
  else {
    await world.revoke({ token: 'telegraf', way: 'delete', reason: 'leaked' });
    await world.revoke({ token: 'telegraf', way: 'lift', reason: 'over' });
    await world.rotate();
  }
  expect(await conditionsOf(world, 2)).toEqual(['works']);
  await acts['strips all tags but the owner']?.(world, TELEGRAF);
  expect(await conditionsOf(world, 3)).toEqual(['works']);
});

// A6: false alarm for the minutes that ListSecrets may be late
test('a run of rotate a minute after an order by id, where ListSecrets is late', async () => {
  const world = await rotatedToday();
  await world.rotate(named);
  await world.wait(HOUR);
  const former = world.tokens(TELEGRAF).find(
    ({ id }) => !Object.values(world.holders(TELEGRAF)).includes(id),
  );
  world.aws.listLagMs = 300_000;
  await world.revoke({ tokenId: former?.id, way: 'delete', reason: 'leaked' });
  await world.wait(MINUTE);
  expect(await condition(world)).toBe('works');
});

// A7: false silence: the run died behind its promotion, a person saved, and deleted before reap came
test('a run dies behind its promotion, a person saves the secret, and deletes the token before', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: former = '' } = world.holders(TELEGRAF);
  await world.wait(2 * DAY);
  await disturb(world, () => world.rotate(named), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'UpdateSecretVersionStage',
  });
  await world.wait(5 * MINUTE);
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.wait(5 * MINUTE);
  expect(await condition(world)).toBe('works');
  await world.people.deleteToken(former);
  expect(await conditionsOf(world, 3)).toEqual(['cut-short']);
});
