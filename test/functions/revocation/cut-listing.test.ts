import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { adopt, answer, issuedForEachTest, policy, reportOf } from './issued.ts';

/** A listing that lacks a token which lives, and which no label names any more. */
const world = await issuedForEachTest();

const force = { tokens: ['telegraf'], force: true };
const fingerprint = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);

const listingWithout =
  (id: string): Interceptor =>
  (call, effect) => {
    const reply = effect();
    if (call.operation !== 'GET /tokens') return Promise.resolve(reply);
    const tokens: { id: string }[] = JSON.parse(reply.body);
    const body = JSON.stringify(tokens.filter((each) => each.id !== id));
    return Promise.resolve({ ...reply, body });
  };

/** Replaced twice within its grace period. */
async function hideSuperseded() {
  const [id, string] = [world.holders(TELEGRAF).AWSCURRENT ?? '', world.string(TELEGRAF)];
  for (let time = 0; time < 2; time += 1) {
    await world.rotate(force);
    await world.wait(2 * HOUR);
  }
  expect(Object.values(world.holders(TELEGRAF))).not.toContain(id);
  expect(world.accepts(string)).toBe(true);
  world.intercept(listingWithout(id));
  return { id, string };
}

test.each(['freeze', 'delete', 'replace'])(
  '%s ends a token too that a version alone names, and says that the listing is cut',
  async (way) => {
    const { id, string } = await hideSuperseded();
    const report = reportOf(await world.revoke({ token: 'telegraf', way, reason: 'leaked' }));
    world.intercept();
    const result = way === 'freeze' ? 'frozen' : 'deleted';
    expect(report.tokens).toContainEqual(expect.objectContaining({ tokenId: id, result }));
    expect(report).toMatchObject({ done: true, confirmed: false });
    expect(JSON.stringify(report.unconfirmed)).toContain('the listing of tokens is cut');
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(false);
  },
);

/** What names one token. */
const SELECTORS: Readonly<Record<string, (id: string, string: string) => object>> = {
  'its leaked string': (_id, string) => ({ fingerprint: fingerprint(string) }),
  'its id': (tokenId) => ({ tokenId }),
  'the beginning of its id': (id) => ({ tokenId: id.slice(0, 8) }),
};

test.each(
  Object.keys(SELECTORS).flatMap((by) => ['freeze', 'delete', 'replace'].map((way) => [way, by])),
)('%s finds a token that the listing lacks by %s, and ends it alone', async (way, by = '') => {
  const { id, string } = await hideSuperseded();
  const selector = SELECTORS[by]?.(id, string);
  const whois = await world.revoke({ way: 'whois', ...selector });
  expect(whois.result?.plan).toMatchObject({ tokens: [{ tokenId: id, owned: true }] });
  const report = reportOf(await world.revoke({ ...selector, way, reason: 'leaked' }));
  world.intercept();
  const result = way === 'freeze' ? 'frozen' : 'deleted';
  expect(report.tokens).toMatchObject([{ tokenId: id, result }]);
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('unfreeze gives back what the listing lacks, too', async () => {
  const { string } = await hideSuperseded();
  await world.revoke({ token: 'telegraf', way: 'freeze', reason: 'drill' });
  await world.revoke({ token: 'telegraf', way: 'unfreeze', reason: 'over' });
  world.intercept();
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(true);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('the same order goes on with an adopted token that its successor alone names', async () => {
  const { deployed, secret, id } = await adopt(world);
  const string = world.string(secret);
  await world.wait(2 * HOUR);
  const order = { secret, reason: 'leaked' };
  world.intercept(answer(['DELETE /tokens/{id}'], { status: 500, body: '{}' }));
  await deployed.revoke(order);
  world.intercept(listingWithout(id));
  expect(world.accepts(string)).toBe(true);
  const report = reportOf(await deployed.revoke(order));
  world.intercept();
  expect(report.tokens).toContainEqual(expect.objectContaining({ tokenId: id, result: 'deleted' }));
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(secret))).toBe(true);
});

test.each(['freeze', 'delete', 'replace'])(
  '%s is not confirmed where the versions could not be listed when they were asked for',
  async (way) => {
    const { id, string } = await hideSuperseded();
    const cut = listingWithout(id);
    let isRefused = false;
    world.intercept((call, effect) => {
      if (call.operation !== 'ListSecretVersionIds' || isRefused) return cut(call, effect);
      isRefused = true;
      return Promise.resolve({ status: 400, body: '{"__type": "AccessDeniedException"}' });
    });
    const report = reportOf(await world.revoke({ token: 'telegraf', way, reason: 'leaked' }));
    world.intercept();
    await world.wait(MINUTE);
    expect([report.confirmed, isRefused]).toEqual([false, true]);
    expect(world.accepts(string)).toBe(true);
  },
);

test('that the listing is cut shows also by a token of another secret whose string a secret remembers', async () => {
  const { secret: first, id } = await adopt(world);
  const string = world.string(first);
  await world.people.changeToken(id, { description: 'reset by a tool' });
  const second = 'legacy/moved';
  await world.people.createSecret(second, string);
  const moved = { permissions: { write: ['metrics'] }, secret: second, adopt: { tokenId: id } };
  const deployed = world.deploy({ ...policy, tokens: { ...policy.tokens, moved } });
  await deployed.rotate();
  for (let time = 0; time < 3; time += 1) {
    await world.wait(2 * HOUR);
    await deployed.rotate({ tokens: ['moved'], force: true });
  }
  expect(Object.values(world.holders(second))).not.toContain(id);
  world.intercept(listingWithout(id));
  const order = { token: 'telegraf', way: 'freeze', reason: 'leaked' };
  const { result } = await deployed.revoke({ ...order, dryRun: true });
  expect(result?.plan.warnings.join()).toContain('the listing of tokens is cut');
});
