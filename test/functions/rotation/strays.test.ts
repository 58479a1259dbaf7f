import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const OURS = { 'keyturn:owner': 'prod' };
const FOREIGN_ID = '22222222-2222-4222-8222-222222222222';

const denied = {
  status: 400,
  body: JSON.stringify({
    __type: 'AccessDeniedException',
    message: 'Access to KMS is not allowed',
  }),
};
/** No role may look at what is not ours: neither Secrets Manager nor the key of a stray lets it. */
const closed: Interceptor = async ({ server, subject = '', caller }, effect) =>
  server === 'secrets-manager' && caller !== undefined && /^(?:.*:secret:)?stray/.test(subject)
    ? denied
    : effect();

/** Secrets that anybody with `secretsmanager:TagResource` can make. */
async function strew(world: World): Promise<void> {
  const { people } = world;
  const current = world.labels(TELEGRAF).AWSCURRENT ?? '';
  const tags = { ...OURS, 'keyturn:cluster': world.cluster.url };
  await people.createSecret('stray', 'x', OURS);
  await people.createSecret('stray/_+=.@-', '{"token": 1}', tags);
  await people.createSecret('stray/AbCdEf-AbCdEf', 'CHANGE_ME', {
    ...OURS,
    'keyturn:cluster': 'no URL',
  });
  await people.createSecret('stray/bytes', 'x', tags);
  await people.saveBytes('stray/bytes', 'no text');
  // Versions that bear ids of tokens: of ours, of nobody's, and one that is pending.
  await people.createSecret('stray/ours', 'x', tags);
  await people.putVersion('stray/ours', current, world.value(TELEGRAF), 'AWSCURRENT');
  await people.createSecret('stray/foreign', 'x', tags);
  await people.putVersion('stray/foreign', `keyturn-${FOREIGN_ID}`, 'x', 'AWSCURRENT');
  await people.putVersion('stray/foreign', FOREIGN_ID, 'y', 'AWSPENDING');
  // Tags that say what no order said.
  await people.createSecret('stray/held', 'x', { ...tags, 'keyturn:hold': 'deleted' });
  await people.createSecret('stray/lifted', 'x', { ...tags, 'keyturn:lifted': 'yesterday' });
  await people.createSecret('stray/moved', 'x', {
    ...OURS,
    'keyturn:cluster': 'https://other.example.com',
    'keyturn:moved': '?',
  });
  await people.createSecret('stray/deleted', 'x', tags);
  await people.deleteSecret('stray/deleted');
  // Under our prefix, without an entry.
  await people.createSecret('keyturn/prod/stray-by-name', 'x', tags);
}

/** Rotates, reaps and takes an order as if nothing were there. */
async function worksOn(world: World): Promise<void> {
  const first = world.labels(TELEGRAF).AWSCURRENT;
  await world.wait(31 * DAY);
  expect((await world.rotate()).error).toBeUndefined();
  await world.wait(11 * MINUTE);
  expect((await world.rotate()).error).toBeUndefined();
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(first);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  await world.wait(2 * HOUR);
  expect((await world.reap()).error).toBeUndefined();
  const order = { token: 'telegraf', way: 'replace', reason: 'drill' };
  const { error, result } = await world.revoke(order);
  expect(error).toBeUndefined();
  expect(result?.done).toBe(true);
}

test('strays with our tag stop no run and no order, whatever they hold', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await strew(world);
  await worksOn(world);
});

test('nor where no role may look at them', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  await strew(world);
  world.intercept(closed);
  await worksOn(world);
});

test('nor a crowd of them', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  // More than one page of `ListSecrets`.
  for (let n = 0; n < 120; n += 1) await world.people.createSecret(`stray/${n}`, 'x', OURS);
  world.intercept(closed);
  await worksOn(world);
});

test('nor does one that bears the id of a version of ours keep its token for ever', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { AWSCURRENT: first } = world.holders(TELEGRAF);
  const string = world.string(TELEGRAF);
  await strew(world);
  world.intercept(closed);
  await world.rotate({ tokens: ['telegraf'], force: true });
  for (let day = 0; day < 12; day += 1) {
    await world.wait(DAY);
    await world.rotate();
    await world.reap();
  }
  expect(world.accepts(string)).toBe(false);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).not.toContain(first);
});

test.each([
  ['may be read', undefined],
  ['may not be read', closed],
] as const)(
  'a stray whose version only bears the id of a token keeps that token from no retirement, where its value %s',
  async (_where, interceptor) => {
    const policy = policyWith({ telegraf: writer }, { defaults: { gracePeriod: '1d' } });
    const world = await openWorldForTest(policy);
    await world.rotate();
    const old = world.string(TELEGRAF);
    const current = world.labels(TELEGRAF).AWSCURRENT ?? '';
    for (const [name, id] of Object.entries({ stray: current, 'stray/bare': current.slice(8) })) {
      await world.people.createSecret(name, 'x', { ...OURS, 'keyturn:cluster': world.cluster.url });
      await world.people.putVersion(name, id, 'no string of yours', 'AWSCURRENT');
    }
    if (interceptor) world.intercept(interceptor);
    await world.rotate({ tokens: ['telegraf'], force: true });
    for (let hours = 0; hours < 96; hours += 6) {
      await world.wait(6 * HOUR);
      await world.rotate();
      await world.reap();
    }
    expect(world.accepts(old)).toBe(false);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

/** Sixty days with a rotation at their beginning. */
async function passSixtyDays(world: World): Promise<void> {
  await world.rotate({ tokens: ['telegraf'], force: true });
  for (let day = 0; day < 60; day += 1) {
    await world.wait(DAY);
    await world.rotate();
    await world.wait(20 * MINUTE);
    await world.rotate();
    await world.reap();
  }
}

const shortGrace = () => policyWith({ telegraf: writer }, { defaults: { gracePeriod: '1d' } });
const COPY = 'keyturn/prod/reader';

test('a copy that no entry names keeps the token that its readers have, also with the ids of its versions', async () => {
  const world = await openWorldForTest(shortGrace());
  await world.rotate();
  const old = world.string(TELEGRAF);
  const tags = { ...OURS, 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret(COPY, 'x', tags);
  const id = world.labels(TELEGRAF).AWSCURRENT ?? '';
  await world.people.putVersion(COPY, id, world.value(TELEGRAF), 'AWSCURRENT');
  await passSixtyDays(world);
  expect(world.accepts(old)).toBe(true);
  const { result } = await world.reap();
  expect(result?.plan?.findings).toContainEqual(
    expect.objectContaining({ kind: 'Lingering', message: expect.stringContaining(COPY) }),
  );
});

test('a stray that once had the string of a token, and now has others, keeps it no longer', async () => {
  const world = await openWorldForTest(shortGrace());
  await world.rotate();
  const old = world.string(TELEGRAF);
  const tags = { ...OURS, 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret(COPY, world.value(TELEGRAF), tags);
  await world.rotate();
  for (const value of ['pass-1', 'pass-2']) {
    await world.people.saveValue(COPY, value);
    await world.rotate();
  }
  await passSixtyDays(world);
  expect(world.accepts(old)).toBe(false);
});
