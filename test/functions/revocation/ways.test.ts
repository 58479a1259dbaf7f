import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { GRAFANA, issuedForEachTest } from './issued.ts';

const world = await issuedForEachTest();

const leak = { reason: 'found in a log' };
const current = (secret = TELEGRAF) => world.holders(secret).AWSCURRENT ?? '';

test('replaces by default: the successor first, then the old one is deleted, and seen dead', async () => {
  const [old, string] = [current(), world.string(TELEGRAF)];
  const { result: report } = await world.revoke({ token: 'telegraf', ...leak });
  const successor = current();
  expect(successor).not.toBe(old);
  expect(report).toMatchObject({ way: 'replace', reason: leak.reason, confirmed: true });
  expect(report?.tokens).toEqual([
    { tokenId: successor, token: 'telegraf', secret: TELEGRAF, result: 'successor' },
    {
      tokenId: old,
      token: 'telegraf',
      secret: TELEGRAF,
      result: 'deleted',
      replacedBy: successor,
      deadAfterSeconds: expect.any(Number),
    },
  ]);
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([successor]);
  expect(world.holders(TELEGRAF)).toEqual({ AWSCURRENT: successor, AWSPENDING: successor });
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
  expect(world.events('Token Revoked').at(-1)?.detail).toMatchObject({
    tokenId: old,
    way: 'replace',
    reason: leak.reason,
    replacedBy: successor,
  });
  expect(world.events('Token Rotated').at(-1)?.detail).toMatchObject({ tokenId: successor });
});

test('keeps consumers unharmed while it replaces: one of both strings always works', async () => {
  const old = world.string(TELEGRAF);
  const states: boolean[] = [];
  world.intercept((call, effect) => {
    states.push(world.accepts(old) || world.accepts(world.string(TELEGRAF)));
    return passThrough(call, effect);
  });
  await world.revoke({ token: 'telegraf', ...leak });
  world.intercept();
  expect(states.length).toBeGreaterThan(10);
  expect(states).not.toContain(false);
});

test('kills first where a gap is accepted', async () => {
  const old = world.string(TELEGRAF);
  const at = world.clock.now();
  const { result: report } = await world.revoke({ token: 'telegraf', immediately: true, ...leak });
  const revoked = world.cluster.state.tokens.find(({ revokedAt }) => revokedAt !== undefined);
  expect(revoked?.revokedAt).toBeLessThan(at + 2_000);
  expect(report).toMatchObject({ confirmed: true });
  expect(report?.tokens.map(({ result }) => result)).toEqual(['deleted', 'successor']);
  expect(world.accepts(old)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('answers a repeated order with what the first one did', async () => {
  const old = current();
  await world.revoke({ token: 'telegraf', ...leak });
  const successor = current();
  const { result: report } = await world.revoke({ token: 'telegraf', ...leak });
  expect(report?.tokens).toMatchObject([
    { tokenId: old, result: 'gone', replacedBy: successor },
    { tokenId: successor, result: 'successor' },
  ]);
  expect(report).toMatchObject({ confirmed: true, plan: { actions: [] } });
  expect(current()).toBe(successor);
});

test('replaces a successor too, named by its id or once it is no longer fresh', async () => {
  await world.revoke({ token: 'telegraf', ...leak });
  const first = current();
  await world.revoke({ tokenId: first, ...leak });
  const second = current();
  expect(second).not.toBe(first);
  await world.revoke({ tokenId: first, ...leak });
  expect(current()).toBe(second);
  await world.wait(61 * MINUTE);
  await world.revoke({ token: 'telegraf', ...leak });
  expect(current()).not.toBe(second);
  expect(world.tokens(TELEGRAF)).toHaveLength(1);
});

test.each(['freeze', 'delete'])(
  'a reason of no word that a tag takes ends the string under a hold that stands already: %s',
  async (way) => {
    const string = world.string(TELEGRAF);
    await world.people.hold(TELEGRAF, 'frozen');
    await world.wait(MINUTE);
    const { result } = await world.revoke({ token: 'telegraf', way, reason: '🔥🔥', by: 'bob' });
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(world.accepts(string)).toBe(false);
  },
);

test('freezes: dead, on hold, and given back by unfreezing', async () => {
  const [id, string] = [current(), world.string(TELEGRAF)];
  const { result: report } = await world.revoke({ way: 'freeze', token: 'telegraf', ...leak });
  expect(report).toMatchObject({
    confirmed: true,
    tokens: [{ tokenId: id, result: 'frozen', deadAfterSeconds: expect.any(Number) }],
  });
  expect([world.hold(TELEGRAF), world.accepts(string)]).toEqual(['frozen', false]);
  expect(world.tokens(TELEGRAF)).toMatchObject([{ id, permissions: [] }]);

  const again = await world.revoke({ way: 'freeze', token: 'telegraf', ...leak });
  expect(again.result).toMatchObject({ confirmed: true, tokens: [{ result: 'frozen' }] });

  const back = await world.revoke({ way: 'unfreeze', token: 'telegraf', ...leak });
  expect(back.result).toMatchObject({ confirmed: true, tokens: [{ result: 'given-back' }] });
  await world.wait(MINUTE);
  expect([world.hold(TELEGRAF), world.accepts(string)]).toEqual([undefined, true]);
  const [token] = world.tokens(TELEGRAF);
  expect(token?.marker).not.toHaveProperty('frozen');
  expect(token?.marker).not.toHaveProperty('was');
  expect(token).toMatchObject({ id, permissions: [{ action: 'write', resource: 'metrics' }] });
});

test('deletes without a successor, until it is lifted', async () => {
  const [id, string] = [current(), world.string(TELEGRAF)];
  const { result: report } = await world.revoke({ way: 'delete', token: 'telegraf', ...leak });
  expect(report).toMatchObject({ confirmed: true, tokens: [{ tokenId: id, result: 'deleted' }] });
  expect([world.hold(TELEGRAF), world.accepts(string)]).toEqual(['deleted', false]);

  const again = await world.revoke({ way: 'delete', token: 'telegraf', ...leak });
  expect(again.result).toMatchObject({
    confirmed: true,
    tokens: [{ tokenId: id, result: 'gone' }],
  });
  const refused = await world.revoke({ token: 'telegraf', ...leak });
  expect(refused.error).toMatchObject({
    errorType: 'RevocationError',
    errorMessage: expect.stringMatching(
      `${TELEGRAF} is on hold \\(deleted\\) since [-0-9T:]+Z: found in a log; lift it first`,
    ),
  });
  await world.rotate();
  expect(world.tokens(TELEGRAF)).toEqual([]);

  await world.revoke({ way: 'lift', token: 'telegraf', ...leak });
  expect(world.hold(TELEGRAF)).toBeUndefined();
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(world.accepts(string)).toBe(false);
});

test('replaces nothing that is frozen until somebody unfreezes it', async () => {
  await world.revoke({ way: 'freeze', token: 'telegraf', by: 'alice@laptop', ...leak });
  const [frozen, string] = [current(), world.string(TELEGRAF)];
  for (const order of [{ database: 'metrics' }, { token: 'telegraf' }]) {
    const { error } = await world.revoke({ ...order, ...leak });
    expect(error?.errorMessage).toMatch(
      /keyturn\/prod\/telegraf is on hold \(frozen\) since \S+, by alice@laptop: found in a log; unfreeze it first/,
    );
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([frozen]);
  }
  await world.revoke({ way: 'unfreeze', token: 'telegraf', ...leak });
  const { result: report } = await world.revoke({ token: 'telegraf', ...leak });
  expect(report).toMatchObject({ confirmed: true });
  expect(world.tokens(TELEGRAF).map(({ id }) => id)).toEqual([current()]);
  expect([world.accepts(string), world.accepts(world.string(TELEGRAF))]).toEqual([false, true]);
});

test('restores what was quarantined', async () => {
  const [id, string] = [current(), world.string(TELEGRAF)];
  await world.rotate({ tokens: ['telegraf'], force: true });
  for (let step = 0; step < 3; step += 1) {
    await world.reap();
    await world.wait(25 * HOUR);
  }
  expect(world.tokens(TELEGRAF).find((each) => each.id === id)).toMatchObject({ permissions: [] });
  const { result: report } = await world.revoke({ way: 'restore', token: 'telegraf', ...leak });
  expect(report).toMatchObject({
    confirmed: true,
    tokens: [{ tokenId: id, result: 'given-back' }],
  });
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(true);
  // By its name nothing is left to restore; who does not know whether it came to that is told how to see it.
  const byName = await world.revoke({ way: 'restore', token: 'telegraf', ...leak });
  expect(byName.error?.errorMessage).toBe(
    `no token of what was selected is quarantined; ${id} may have been restored before: "tokenId": ID (--token-id ID) shows whether it is accepted`,
  );
  const again = await world.revoke({ way: 'restore', tokenId: id, ...leak });
  expect(again.result).toMatchObject({ confirmed: true, tokens: [{ result: 'left' }] });
});

test('tells in a dry run what it would do, and does nothing', async () => {
  const state = () => [world.tokens(), world.labels(TELEGRAF), world.hold(TELEGRAF)];
  const before = state();
  const { result: report } = await world.revoke({ database: 'metrics', dryRun: true });
  expect(report).toMatchObject({
    dryRun: true,
    tokens: [],
    plan: { databases: ['logs', 'metrics'], secrets: [GRAFANA, TELEGRAF] },
  });
  expect(report?.plan.actions.map(({ kind }) => kind)).toEqual([
    'replace',
    'delete',
    'replace',
    'delete',
  ]);
  expect(state()).toEqual(before);
});

async function supersededToken(): Promise<string> {
  const old = current();
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(HOUR);
  return old;
}

test.each(['frozen', 'deleted'] as const)(
  'replace by id is refused under a hold: %s',
  async (hold) => {
    const tokenId = await supersededToken();
    const string = world.string(TELEGRAF);
    await world.people.hold(TELEGRAF, hold);
    const shown = await world.revoke({ tokenId, dryRun: true });
    expect(shown.result?.plan).toMatchObject({
      actions: [],
      notReached: [{ secret: TELEGRAF, reason: expect.stringContaining(`is on hold (${hold})`) }],
    });
    const { error } = await world.revoke({ tokenId, ...leak });
    expect(error?.errorMessage).toContain(`"tokenId":"${tokenId}","result":"left"`);
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).toContain(tokenId);
    expect(world.accepts(string)).toBe(true);
  },
);
