import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tools } from '../../../functions/run/tools.ts';
import { HOLD_TAG } from '../../../functions/secrets-manager/hold.ts';
import { underHold } from '../../../functions/tokens/under-hold.ts';
import type { Call } from '../../../sandbox/interception.ts';
import { disturb, type Meeting } from '../../world/faults.ts';
import { DAY, TELEGRAF } from '../../world/policy.ts';
import { MANAGEMENT_SECRET } from '../../world/systems.ts';
import type { Answered, Saved, World } from '../../world/world.ts';
import { armed, id, NOW, observationOf, secretOf, WRITE } from '../builders.ts';
import { openIssued } from '../revocation/issued.ts';

let world: World;
let saved: Saved;

beforeAll(async () => {
  world = await openIssued();
  saved = world.save();
});
afterAll(() => world.close());

const readsTheHold = ({ operation, subject }: Call) =>
  operation === 'DescribeSecret' && subject === TELEGRAF;

const refused: Meeting = () =>
  Promise.resolve({
    status: 400,
    body: '{"__type": "AccessDeniedException", "message": "not authorized to DescribeSecret"}',
  });

/** Runs twice from the same state: the second time, the run's last look at the hold is refused. */
async function withHoldUnread<A extends Answered>(run: () => Promise<A>) {
  const before = world.save();
  const { calls } = await disturb(world, run, 0, { meet: refused, counts: readsTheHold });
  await world.restore(before);
  const seen = { events: world.events().length, lines: world.lines().length };
  const { answer } = await disturb(world, run, calls, {
    meet: refused,
    counts: readsTheHold,
    later: 'alike',
  });
  const types = world.events().slice(seen.events);
  return {
    answer,
    events: types.map(({ detailType }) => detailType),
    measured: world.lines(seen.lines).filter((line) => line.includes('_aws')),
  };
}

const order = { token: 'telegraf', reason: 'leaked' };

test('a revocation whose hold cannot be read last answers with its report, its events and its metric', async () => {
  await world.restore(saved);
  const old = world.string(TELEGRAF);
  const { answer, events, measured } = await withHoldUnread(() => world.revoke(order));
  expect(world.accepts(old)).toBe(false);
  expect(answer.result).toMatchObject({
    confirmed: false,
    tokens: expect.arrayContaining([
      expect.objectContaining({ result: 'deleted', deadAfterSeconds: expect.any(Number) }),
      expect.objectContaining({
        result: 'successor',
        unconfirmed: expect.stringMatching(
          /^the hold of keyturn\/prod\/telegraf could not be read/,
        ),
      }),
    ]),
  });
  expect(events).toEqual(['Token Rotated', 'Token Revoked']);
  expect(measured.join()).toContain('"UnconfirmedRevocations":1');
});

test('so does what is given back', async () => {
  await world.restore(saved);
  await world.revoke({ ...order, way: 'freeze' });
  const { answer, events, measured } = await withHoldUnread(() =>
    world.revoke({ ...order, way: 'unfreeze' }),
  );
  expect(answer.result).toMatchObject({
    confirmed: false,
    tokens: [{ result: 'given-back', unconfirmed: expect.stringContaining('could not be read') }],
  });
  expect(events).toEqual(['Token Permissions Changed']);
  expect(measured.join()).toContain('"UnconfirmedRevocations":1');
});

test('so does a single token that is restored', async () => {
  await world.restore(saved);
  const id = world.holders(TELEGRAF).AWSCURRENT ?? '';
  await world.rotate({ tokens: ['telegraf'], force: true });
  for (let days = 0; days < 3; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  const { answer, events, measured } = await withHoldUnread(() =>
    world.revoke({ way: 'restore', tokenId: id, reason: 'needed' }),
  );
  expect(answer.result).toMatchObject({
    confirmed: false,
    tokens: [
      { tokenId: id, result: 'given-back', unconfirmed: expect.stringContaining('hold of') },
    ],
  });
  expect(events).toEqual(['Token Permissions Changed']);
  expect(measured.join()).toContain('"UnconfirmedRevocations":1');
});

test('a step of Secrets Manager whose hold cannot be read last is asked for again, and finds its work done', async () => {
  await world.restore(saved);
  const before = world.labels(TELEGRAF).AWSCURRENT;
  let armed = false;
  let refusals = 0;
  let runs = 0;
  world.intercept((call, effect) => {
    if (call.operation === 'GetSecretValue' && call.subject === MANAGEMENT_SECRET) runs += 1;
    armed ||= call.operation === 'PATCH /tokens/{id}' && call.caller !== undefined;
    if (!armed || refusals > 0 || !readsTheHold(call)) return Promise.resolve(effect());
    refusals += 1;
    return refused(call, effect, world);
  });
  await world.rotateSecret(TELEGRAF);
  world.intercept();
  expect(refusals).toBe(1);
  // Each run reads the management token once: one that failed, and four for the whole rotation.
  expect(runs).toBe(1 + 4);
  await world.rotate();
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(before);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a rotation whose hold cannot be read last counts as done, and fails its invocation all the same', async () => {
  await world.restore(saved);
  const old = world.labels(TELEGRAF).AWSCURRENT;
  const { answer, events, measured } = await withHoldUnread(() =>
    world.rotate({ tokens: ['telegraf'], force: true }),
  );
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(old);
  expect(answer.error?.errorType).toBe('ApplyError');
  expect(answer.error?.errorMessage).toMatch(
    /rotate telegraf \(done\): the hold of keyturn\/prod\/telegraf could not be read/,
  );
  expect(events).toEqual(['Token Rotated']);
  expect(measured.join()).toContain('"FailedActions":1');
  expect(measured.join()).toContain('"Action":"rotate"');
});

test('what the work threw is what is said, though the hold cannot be read either', async () => {
  await world.restore(saved);
  let begun = false;
  const { answer } = await disturb(
    world,
    () => world.rotate({ tokens: ['telegraf'], force: true }),
    1,
    {
      meet: refused,
      // From the promotion on, Secrets Manager refuses everything.
      counts({ server, operation }) {
        begun ||= operation === 'UpdateSecretVersionStage';
        return begun && server === 'secrets-manager';
      },
      later: 'alike',
    },
  );
  expect(answer.error?.errorMessage).toMatch(/rotate telegraf: AccessDeniedException/);
  expect(world.lines().join()).toContain('the hold could not be read');
});

/** Tools on two tokens of a secret that is on hold; one of them cannot be changed any more. */
function toolsOf(stuck: string) {
  const tokens = new Map([armed(1), armed(2)].map((token) => [token.id, token]));
  const secret = secretOf({}, { tags: { [HOLD_TAG]: 'frozen' } });
  const silent = () => {};
  const tools = {
    api: {
      getToken: async (tokenId: string) => tokens.get(tokenId),
      updateToken(tokenId: string, change: object) {
        const isStripped = 'permissions' in change && isEmpty(change.permissions);
        if (tokenId === stuck && isStripped) return Promise.reject(new Error('stuck'));
        const token = { ...(tokens.get(tokenId) ?? armed(9)), ...change };
        tokens.set(tokenId, token);
        return Promise.resolve(token);
      },
    },
    secrets: { describe: async () => secret },
    publish: silent,
    log: { info: silent, warn: silent, error: silent },
    apiNow: () => NOW,
  } as unknown as Tools;
  return { tools, tokens };
}

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;

test('of several tokens that were given permissions, one that cannot be stripped stops no other', async () => {
  const { tools, tokens } = toolsOf(id(1));
  const { secrets } = observationOf({ secrets: [secretOf()], tokens: [...tokens.values()] });
  const owned = secrets.get(TELEGRAF)?.tokens ?? [];
  const { result, holdError } = await underHold(TELEGRAF, tools, async ({ arm }) => {
    for (const each of owned) await arm(each, { marker: {}, permissions: WRITE });
    return owned.length;
  });
  expect(result).toBe(2);
  expect(holdError?.message).toMatch(/stuck$/);
  expect(tokens.get(id(1))?.permissions).toEqual(WRITE);
  expect(tokens.get(id(2))).toMatchObject({
    permissions: [],
    description: expect.stringContaining('frozen='),
  });
});

test('what was armed counts as armed though its answer was lost', async () => {
  const { tools, tokens } = toolsOf('none');
  const { secrets } = observationOf({ secrets: [secretOf()], tokens: [...tokens.values()] });
  const [owned] = secrets.get(TELEGRAF)?.tokens ?? [];
  const { updateToken } = tools.api;
  let lost = false;
  tools.api.updateToken = async (tokenId, change) => {
    const token = await updateToken(tokenId, change);
    if (lost) return token;
    lost = true;
    throw new Error('reset');
  };
  const work = underHold(TELEGRAF, tools, ({ arm }) => {
    if (!owned) throw new Error('nothing to arm');
    return arm(owned, { marker: {}, permissions: WRITE });
  });
  await expect(work).rejects.toThrow('reset');
  expect(tokens.get(id(1))?.permissions).toEqual([]);
});
