import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Permission } from '../../../sandbox/cluster/state.ts';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { besideRun, disturb, meanwhile } from '../../world/faults.ts';
import { DAY, HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import type { Answered, Saved, World } from '../../world/world.ts';
import { STRIDE } from './every-call.ts';
import { GRAFANA, openIssued } from './issued.ts';

/** Undoing: what a person saw is undone, and nothing else. */
let world: World;
let issued: Saved;
/** The first token, which is superseded: no label names it. */
let superseded = '';
let supersededString = '';
beforeAll(async () => {
  world = await openIssued();
  superseded = currentId();
  supersededString = world.string(TELEGRAF);
  for (let time = 0; time < 2; time += 1) {
    await world.rotate({ tokens: ['telegraf'], force: true });
    await world.wait(HOUR);
  }
  issued = world.save();
});
beforeEach(() => world.restore(issued));
afterAll(() => world.close());

const order = { token: 'telegraf', reason: 'false alarm' };
const currentId = () => world.holders(TELEGRAF).AWSCURRENT ?? '';
const working = () =>
  world.tokens(TELEGRAF).filter(({ permissions }) => permissions.length > 0).length;
const freeze = { way: 'freeze', token: 'telegraf' };
const deletion = { way: 'delete', token: 'telegraf' };
const alices = { reason: 'odd writes', by: 'alice' };
const bobs = { reason: 'legal, permanent', by: 'bob' };

/** The report, also of an order that was not done whole. */
function reportOf({ result, error }: Answered<object>): Record<string, unknown> {
  return { ...(result ?? JSON.parse(error?.errorMessage.split('\n').at(-1) ?? '{}')) };
}
const warningsOf = async (event: object) =>
  (await world.revoke({ ...event, dryRun: true })).result?.plan.warnings.join('\n');

test.each([
  ['unfreeze', freeze],
  ['lift', deletion],
])(
  '%s never releases a hold that was set after it was planned, at whatever call',
  { timeout: 200_000 },
  async (way, held) => {
    await world.revoke({ ...held, ...alices });
    const saved = world.save();
    const wrong: string[] = [];
    for (let number = 1; ; number += STRIDE) {
      await world.restore(saved);
      const shown = await world.revoke({ ...order, way, dryRun: true });
      let other: Answered<{ readonly confirmed: boolean }> = {};
      let stood = true;
      const { before } = besideRun(async () => {
        stood = isLabelled() || world.hold(TELEGRAF) !== undefined;
        other = await world.revoke({ ...held, ...bobs });
      });
      const plan = shown.result?.plan.hash;
      const undo = () => world.revoke({ ...order, way, plan });
      const { answer, calls } = await disturb(world, undo, number, { meet: before });
      if (calls < number) break;
      await world.wait(MINUTE);
      const isConfirmed = answer.result?.confirmed === true;
      const complain = (about: string) => wrong.push(`call ${number}: ${about}`);
      if (world.hold(TELEGRAF) === undefined && !isLabelled()) complain('the hold is gone');
      if (working() > 0) complain(`${working()} work`);
      if (other.result?.confirmed !== true) complain('the hold was not confirmed');
      if (stood && isConfirmed) complain('the undoing was confirmed');
    }
    expect(wrong).toEqual([]);
  },
);

test('lift takes nothing from the hold of another person that it finds right before it begins, and notes nothing', async () => {
  await world.revoke({ ...deletion, ...alices });
  const saved = world.save();
  const operations: string[] = [];
  const lift = () => world.revoke({ ...order, way: 'lift' });
  await disturb(world, lift, 1_000, {
    counts({ operation }) {
      operations.push(operation);
      return true;
    },
    meet: (_call, effect) => Promise.resolve(effect()),
  });
  const began = operations.indexOf('TagResource');
  await world.restore(saved);
  const { answer } = await disturb(
    world,
    lift,
    operations.lastIndexOf('DescribeSecret', began) + 1,
    {
      meet: meanwhile(() =>
        world.people.tag(TELEGRAF, { 'keyturn:hold': 'deleted 2026-03-02T13:30:00Z: legal' }),
      ),
    },
  );
  expect(answer.result?.confirmed).not.toBe(true);
  expect([world.hold(TELEGRAF), isLabelled()]).toEqual(['deleted', true]);
  expect(world.tags(TELEGRAF)).not.toHaveProperty('keyturn:lifted');
});

test('restore gives nothing back to a token that is frozen, whatever the quarantine took before, and says so', async () => {
  const tokenId = world.holders(GRAFANA).AWSCURRENT ?? '';
  await world.rotate({ tokens: ['grafana'], force: true });
  const isQuarantined = () =>
    world.tokens(GRAFANA).some(({ id, marker }) => id === tokenId && marker?.quarantined);
  for (let days = 0; days < 4 && !isQuarantined(); days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(isQuarantined()).toBe(true);
  await world.revoke({ way: 'freeze', tokenId, ...alices });
  const report = reportOf(await world.revoke({ way: 'restore', tokenId, reason: 'needed' }));
  expect(report.tokens).toMatchObject([
    { tokenId, result: 'left', unconfirmed: 'it is frozen; unfreeze it' },
  ]);
  expect(world.tokens(GRAFANA).find(({ id }) => id === tokenId)).toMatchObject({
    permissions: [],
    marker: { frozen: expect.anything() },
  });
});

const isLabelled = () =>
  Object.keys(world.labels(TELEGRAF)).some((label) => label.startsWith('keyturn-hold'));

test('a hold that is set while permissions are given back takes them away again, and is not confirmed', async () => {
  await world.revoke({ ...freeze, ...alices });
  let isSet = false;
  world.intercept(async (call, effect) => {
    if (call.server === 'data-plane' && !isSet) {
      isSet = true;
      await world.people.hold(TELEGRAF, 'frozen');
    }
    return effect();
  });
  const report = reportOf(await world.revoke({ ...order, way: 'unfreeze' }));
  world.intercept();
  expect(report).toMatchObject({ done: false, confirmed: false });
  expect(report.tokens).toContainEqual(
    expect.objectContaining({
      result: 'left',
      unconfirmed: expect.stringContaining('its permissions were taken away again'),
    }),
  );
  expect([working(), world.hold(TELEGRAF)]).toEqual([0, 'frozen']);
});

test('releases a hold though what it reads of Secrets Manager is out of date for a minute', async () => {
  await world.revoke({ ...freeze, ...alices });
  await world.wait(HOUR);
  world.aws.readLagMs = MINUTE;
  const { result } = await world.revoke({ ...order, way: 'unfreeze' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(result?.tokens).toHaveLength(3);
  expect([world.hold(TELEGRAF), isLabelled(), working()]).toEqual([undefined, false, 3]);
});

test('undoes a freeze at once, though a listing of the secrets does not show its hold yet', async () => {
  await world.wait(HOUR);
  world.aws.listLagMs = 5 * MINUTE;
  await world.revoke({ ...freeze, ...alices });
  const { result } = await world.revoke({ ...order, way: 'unfreeze' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect([world.hold(TELEGRAF), isLabelled(), working()]).toEqual([undefined, false, 3]);
});

test.each(['by the order alone', 'after reap took it again'])(
  'what a person gave back in part under a freeze is given back whole %s',
  async (how) => {
    const held = { ...freeze, token: 'grafana' };
    const current = () =>
      world.tokens(GRAFANA).find(({ id }) => id === world.holders(GRAFANA).AWSCURRENT);
    const had = (current()?.permissions ?? []) as readonly Permission[];
    expect(had).toHaveLength(3);
    await world.revoke({ ...held, ...alices });
    await world.people.changeToken(current()?.id, { permissions: had.slice(0, 1) });
    if (how !== 'by the order alone') await world.reap();
    const { result } = await world.revoke({ ...order, token: 'grafana', way: 'unfreeze' });
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(current()?.permissions).toHaveLength(3);
    expect(current()?.permissions).toEqual(expect.arrayContaining([...had]));
  },
);

test('a second freeze says who holds it already, and both are in the tag', async () => {
  await world.revoke({ ...freeze, ...alices });
  expect(await warningsOf({ ...freeze, ...alices })).toBe('');
  expect(await warningsOf({ ...freeze, ...bobs })).toMatch(
    /is on hold \(frozen\) since \S+Z, by alice: odd writes already; the order adds its own reason/,
  );
  await world.revoke({ ...freeze, ...bobs });
  expect(world.tags(TELEGRAF)['keyturn:hold']).toMatch(
    /^frozen \S+Z by alice: odd writes \+ \S+Z by bob: legal permanent$/,
  );
});

test.each([
  ['of an order', undefined, /^frozen \S+Z by alice: odd writes$/],
  ['that a person wrote', 'frozen INC-7 ask ops', /^frozen INC-7 ask ops$/],
])('lifting a deletion leaves the freeze %s that it was set over', async (_whose, tag, left) => {
  if (tag === undefined) await world.revoke({ ...freeze, ...alices });
  else await world.people.tag(TELEGRAF, { 'keyturn:hold': tag });
  expect(await warningsOf({ ...deletion, ...bobs })).toContain(
    'the deletion is set over it, and lift leaves it so',
  );
  await world.revoke({ ...deletion, ...bobs });
  expect(world.hold(TELEGRAF)).toBe('deleted');
  expect(await warningsOf({ ...order, way: 'lift' })).toContain('stays on hold (frozen)');
  const { result } = await world.revoke({ ...order, way: 'lift' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.unconfirmed.join()).toContain('it was so before the deletion');
  expect(world.tags(TELEGRAF)['keyturn:hold']).toMatch(left);
  await world.rotate();
  expect(world.tokens(TELEGRAF)).toEqual([]);
  await world.revoke({ ...order, way: 'unfreeze' });
  await world.rotate();
  await world.wait(MINUTE);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('the preview of lift names the live tokens that it deletes', async () => {
  await world.people.tag(TELEGRAF, { 'keyturn:hold': 'deleted' });
  const warnings = await warningsOf({ ...order, way: 'lift' });
  expect(warnings).toContain(`${currentId()} is the current token of ${TELEGRAF} and works`);
  expect(warnings).toContain(`${superseded} is a token of ${TELEGRAF} and works`);
  expect(warnings).toContain('DELETES it');
});

test('a deletion that cannot be finished is not lifted', async () => {
  await world.people.tag(TELEGRAF, { 'keyturn:hold': 'deleted' });
  world.intercept((call, effect) =>
    call.operation === 'DELETE /tokens/{id}'
      ? Promise.resolve({ status: 500, body: '{}' })
      : passThrough(call, effect),
  );
  expect(reportOf(await world.revoke({ ...order, way: 'lift' }))).toMatchObject({ done: false });
  world.intercept();
  expect(world.hold(TELEGRAF)).toBe('deleted');
});

test('gives nothing back to one token of a secret on hold, and says so before', async () => {
  await world.revoke({ ...freeze, ...alices });
  for (const way of ['unfreeze', 'restore']) {
    const one = { way, tokenId: superseded, reason: 'false alarm' };
    const { result } = await world.revoke({ ...one, dryRun: true });
    expect(result?.plan).toMatchObject({
      actions: [],
      notReached: [{ secret: TELEGRAF, reason: expect.stringContaining('by alice: odd writes') }],
    });
    const report = reportOf(await world.revoke(one));
    expect(report).toMatchObject({ done: false, confirmed: false, tokens: [{ result: 'left' }] });
  }
  expect(world.events('Token Permissions Changed')).toEqual([]);
  expect(working()).toBe(0);
});

test.each(['lift', 'restore', 'unfreeze'])(
  '%s of a token that nothing was done to says that there is nothing to undo',
  async (way) => {
    const one = { way, tokenId: superseded, reason: 'false alarm' };
    expect(await warningsOf(one)).toContain(`nothing to ${way}: ${superseded}`);
    const { result } = await world.revoke(one);
    expect(result).toMatchObject({ done: true, confirmed: true, tokens: [{ result: 'left' }] });
    expect(world.events('Token Permissions Changed')).toEqual([]);
  },
);

test.each(['lift', 'unfreeze'])(
  '%s without a hold says that there is nothing to undo',
  async (way) => {
    expect(await warningsOf({ ...order, way })).toContain(`nothing to ${way}: ${TELEGRAF}`);
    const { result } = await world.revoke({ ...order, way });
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect(result?.tokens.map((each) => each.result)).toEqual(['left', 'left', 'left']);
    expect(world.events('Token Permissions Changed')).toEqual([]);
  },
);

const refusing: Interceptor = (call, effect) =>
  call.server === 'data-plane' && call.caller !== undefined
    ? Promise.resolve({ status: 403, body: '' })
    : passThrough(call, effect);

test.each(['the whole secret', 'one token'])(
  'what was given back to %s is not confirmed until the data plane accepts it',
  async (what) => {
    const selector = what === 'one token' ? { tokenId: superseded } : { token: 'telegraf' };
    await world.revoke({ ...selector, way: 'freeze', ...alices });
    world.intercept(refusing);
    const report = reportOf(await world.revoke({ ...selector, way: 'unfreeze', reason: 'x' }));
    world.intercept();
    expect(report).toMatchObject({ done: true, confirmed: false });
    expect(report.tokens).toContainEqual(
      expect.objectContaining({
        result: 'given-back',
        unconfirmed: expect.stringContaining('not seen accepted'),
      }),
    );
  },
);

/** The fingerprint of the first token's string. */
const leaked = () => ({
  fingerprint: createHash('sha256').update(supersededString).digest('hex').slice(0, 16),
});

test.each([
  ['its id', { token: 'telegraf' }, () => ({ tokenId: superseded })],
  ['its string', { all: true, confirm: '127.0.0.1' }, leaked],
])('lift gives nothing back that an order froze by %s', async (_what, lifted, selector) => {
  await world.revoke({ ...selector(), way: 'freeze', ...alices });
  await world.revoke({ way: 'delete', token: 'grafana', ...bobs });
  await world.wait(HOUR);
  const lift = { ...lifted, way: 'lift', reason: 'false alarm' };
  expect(await warningsOf(lift)).toContain(`${superseded} is frozen and stays so`);
  expect((await world.revoke(lift)).result).toMatchObject({ done: true });
  await world.wait(HOUR);
  expect(world.accepts(supersededString)).toBe(false);
  expect(world.hold(GRAFANA)).toBe('all' in lifted ? undefined : 'deleted');
});

test.each([
  ['after an earlier deletion was lifted', true],
  ['of a secret that nothing was lifted from', false],
])(
  'lift gives nothing back to a current token that an order froze %s, though its hold was taken off by hand',
  async (_when, isLifted) => {
    if (isLifted) {
      await world.revoke({ ...deletion, ...bobs });
      await world.revoke({ ...order, way: 'lift' });
      await world.rotate();
      await world.wait(DAY);
    }
    const string = world.string(TELEGRAF);
    await world.revoke({ ...freeze, ...alices });
    await world.people.untag(TELEGRAF, ['keyturn:hold']);
    await world.people.takeOff(TELEGRAF, 'keyturn-hold-freeze');
    await world.revoke({ all: true, confirm: '127.0.0.1', way: 'lift', reason: 'false alarm' });
    await world.wait(HOUR);
    expect(world.accepts(string)).toBe(false);
    expect((await world.revoke({ ...order, way: 'unfreeze' })).result).toMatchObject({
      done: true,
      confirmed: true,
    });
    expect(world.accepts(string)).toBe(true);
  },
);

test('the preview of unfreeze names the tokens that were frozen before its hold', async () => {
  await world.revoke({ ...freeze, ...bobs });
  expect(await warningsOf({ ...order, way: 'unfreeze' })).not.toContain('perhaps by an order');
  await world.revoke({ ...order, way: 'unfreeze' });
  await world.revoke({ tokenId: superseded, way: 'freeze', ...alices });
  await world.wait(HOUR);
  await world.revoke({ ...freeze, ...bobs });
  const warned = await warningsOf({ ...order, way: 'unfreeze' });
  expect(warned?.match(/\S+ is frozen since \S+, perhaps by an order/g)).toEqual([
    expect.stringContaining(superseded),
  ]);
});

test('the preview of unfreeze does not ask about what consumers have, though nobody knows since when it is frozen', async () => {
  await world.people.hold(TELEGRAF, 'frozen');
  await world.reap();
  const { result } = await world.revoke({ ...order, way: 'unfreeze', dryRun: true });
  expect(result?.plan.actions).toContainEqual(
    expect.objectContaining({ kind: 'give-back', tokenId: currentId() }),
  );
  expect(result?.plan.warnings.join()).not.toContain(`${currentId()} is frozen`);
});

test('and a token from which a person went back, before any schedule', async () => {
  const bad = currentId();
  await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPREVIOUS);
  await world.revoke({ tokenId: bad, way: 'freeze', ...alices });
  await world.wait(HOUR);
  await world.revoke({ ...freeze, ...bobs });
  const warned = await warningsOf({ ...order, way: 'unfreeze' });
  expect(warned?.match(/\S+ is frozen since \S+, perhaps by an order/g)).toEqual([
    expect.stringContaining(bad),
  ]);
});

test.each([
  ['unfreeze', freeze],
  ['lift', deletion],
])('%s undoes an order whose reason has the words of the tag', async (way, held) => {
  const saying = { ...held, reason: 'moved + over: 3 sites', by: 'alice' };
  expect((await world.revoke(saying)).result).toMatchObject({ done: true, confirmed: true });
  expect(world.tags(TELEGRAF)['keyturn:hold']?.match(/3 sites/g)).toHaveLength(1);
  const again = await world.revoke({ ...saying, dryRun: true });
  expect(again.result?.plan.actions).toEqual([]);
  expect((await world.revoke({ ...order, way })).result).toMatchObject({ confirmed: true });
  expect([world.hold(TELEGRAF), isLabelled()]).toEqual([undefined, false]);
});

test.each(['unfreeze', 'restore'])(
  '%s claims nothing by a repetition while the cluster refuses what was given back, and proves it then',
  async (way) => {
    const isFreeze = way === 'unfreeze';
    if (isFreeze) await world.revoke({ ...freeze, ...alices });
    for (let step = 0; step < 3 && !isFreeze; step += 1) {
      await world.wait(25 * HOUR);
      await world.reap();
    }
    const string = isFreeze ? world.string(TELEGRAF) : supersededString;
    const about = isFreeze ? order : { tokenId: superseded, reason: order.reason };
    const { activationDelayMs } = world.cluster;
    world.cluster.activationDelayMs = 2 * HOUR;
    for (const result of ['given-back', 'left']) {
      const { result: report } = await world.revoke({ ...about, way });
      expect([report?.done, report?.confirmed]).toEqual([true, false]);
      expect(report?.tokens).toContainEqual(
        expect.objectContaining({
          result,
          unconfirmed: expect.stringContaining('it was not seen accepted in time'),
        }),
      );
    }
    world.cluster.activationDelayMs = activationDelayMs;
    expect(world.accepts(string)).toBe(false);
    await world.wait(2 * HOUR);
    const { result: report } = await world.revoke({ ...about, way });
    expect(report).toMatchObject({ done: true, confirmed: true });
    expect(new Set(report?.tokens.map(({ result }) => result))).toEqual(new Set(['left']));
    expect(world.accepts(string)).toBe(true);
  },
);

test.each([
  ['unfreeze', 'of a freeze'],
  ['unfreeze', 'without a hold'],
  ['lift', 'without a hold'],
])(
  '%s %s is not confirmed where the current token was deleted, and says what mends it',
  async (way, what) => {
    if (what === 'of a freeze') await world.revoke({ ...freeze, ...alices });
    const gone = currentId();
    await world.people.deleteToken(gone);
    await world.wait(MINUTE);
    const { result } = await world.revoke({ ...order, way });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({
        tokenId: gone,
        result: 'gone',
        unconfirmed: expect.stringContaining('keyturn rotate telegraf'),
      }),
    );
    expect([world.hold(TELEGRAF), world.accepts(world.string(TELEGRAF))]).toEqual([
      undefined,
      false,
    ]);
    await world.rotate({ tokens: ['telegraf'], force: true });
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    const again = await world.revoke({ ...order, way });
    expect(again.result).toMatchObject({ done: true, confirmed: true });
  },
);

test('a lifted deletion is confirmed although its tokens are gone, also by a repetition: the next run mints', async () => {
  await world.revoke({ ...deletion, ...alices });
  for (let time = 0; time < 2; time += 1) {
    const { result } = await world.revoke({ ...order, way: 'lift' });
    expect(result).toMatchObject({ done: true, confirmed: true });
  }
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a lifted deletion of what the policy no longer names is not confirmed: nothing mints', async () => {
  await world.revoke({ ...deletion, ...alices });
  const { telegraf: _telegraf, ...others } = (
    world.policy as { readonly tokens: Readonly<Record<string, object>> }
  ).tokens;
  const deployed = world.deploy({ ...world.policy, tokens: others });
  const { result } = await deployed.revoke({ secret: TELEGRAF, way: 'lift', reason: 'over' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(JSON.stringify(result)).toContain('no entry of the policy says what another one may do');
});

const WRITE_METRICS = [{ action: 'write', resource: 'metrics' }] as const;

test.each(['of nobody', 'of a token without our marker'])(
  'what was undone is confirmed only if a string %s, which consumers read, is accepted',
  async (whose) => {
    const mine = { description: 'by hand', permissions: WRITE_METRICS };
    const { id, accessToken } = await world.people.mint(mine);
    await world.wait(HOUR);
    if (whose === 'of nobody') await world.people.saveValue(TELEGRAF, accessToken);
    else await world.people.changeToken(currentId(), { description: 'whose is this?' });
    const idRead = whose === 'of nobody' ? id : currentId();
    const unfreeze = { ...order, way: 'unfreeze' };
    expect((await world.revoke(unfreeze)).result).toMatchObject({ done: true, confirmed: true });
    await world.people.changeToken(idRead, { permissions: [] });
    await world.wait(MINUTE);
    const { result } = await world.revoke(unfreeze);
    expect(world.accepts(world.string(TELEGRAF))).toBe(false);
    expect(result).toMatchObject({ done: true, confirmed: false });
    const said = [
      ...(result?.unconfirmed ?? []),
      ...(result?.tokens ?? []).map((each) => each.unconfirmed),
    ];
    expect(said.join()).toContain('keyturn rotate telegraf');
  },
);

test.each(['quarantined', 'expired'])(
  'what was undone is not confirmed where consumers read a token that is %s',
  async (state) => {
    if (state === 'expired') await world.wait(91 * 24 * HOUR);
    else {
      for (let step = 0; step < 3; step += 1) {
        await world.wait(25 * HOUR);
        await world.reap();
      }
      const version = `keyturn-${superseded}`;
      await world.people.makeCurrent(TELEGRAF, version);
      await world.revoke({ ...freeze, ...alices });
    }
    const { result } = await world.revoke({ ...order, way: 'unfreeze' });
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.tokens).toContainEqual(
      expect.objectContaining({
        tokenId: currentId(),
        result: 'left',
        unconfirmed: expect.stringMatching(new RegExp(`it is ${state}.*keyturn rotate telegraf`)),
      }),
    );
  },
);

test('unfreeze does not take a hold that appears behind its release for one that was there before', async () => {
  await world.revoke({ ...freeze, ...alices });
  let isSet = false;
  world.intercept(async (call, effect) => {
    const answered = await effect();
    if (call.operation === 'UntagResource' && !isSet) {
      isSet = true;
      await world.people.tag(TELEGRAF, { 'keyturn:hold': 'frozen INC-7' });
    }
    return answered;
  });
  const report = reportOf(await world.revoke({ ...order, way: 'unfreeze' }));
  world.intercept();
  expect(report).toMatchObject({ done: false, confirmed: false });
  expect(String(report.unconfirmed)).toContain('not there when this order was planned');
  expect([working(), world.tags(TELEGRAF)['keyturn:hold']]).toEqual([0, 'frozen INC-7']);
});

test('an order that does not reach a secret on hold says that alone, whatever its consumers read', async () => {
  await world.revoke({ ...deletion, ...alices });
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const report = reportOf(await world.revoke({ ...order, way: 'unfreeze' }));
  expect(report.unconfirmed).toEqual([expect.stringMatching(/on hold \(deleted\).*; lift it$/)]);
});

test('lift deletes nothing under a deletion that its plan did not show', async () => {
  let descriptions = 0;
  world.intercept(async (call, effect) => {
    if (call.operation === 'DescribeSecret') {
      descriptions += 1; // the first one is the plan's
      if (descriptions === 2) await world.people.hold(TELEGRAF, 'deleted');
    }
    return effect();
  });
  const report = reportOf(await world.revoke({ ...order, way: 'lift' }));
  world.intercept();
  expect(report).toMatchObject({ done: false, confirmed: false, plan: { actions: [] } });
  expect(String(report.unconfirmed)).toContain('not there when this order was planned');
  expect([working(), world.hold(TELEGRAF)]).toEqual([3, 'deleted']);
});

test('the id of a deleted token, whose secret a person had saved, lifts the hold of that', async () => {
  await world.people.saveValue(TELEGRAF, world.value(TELEGRAF));
  await world.rotate();
  const tokenId = world.holders(TELEGRAF).AWSCURRENT ?? '';
  const ordered = await world.revoke({ tokenId, way: 'delete', reason: 'leaked' });
  expect(ordered.error).toBeUndefined();
  expect(world.hold(TELEGRAF)).toBe('deleted');
  const { result } = await world.revoke({ tokenId, way: 'lift', reason: 'false alarm' });
  expect(result).toMatchObject({ done: true });
  expect(world.hold(TELEGRAF)).toBeUndefined();
  await world.rotate();
  await world.wait(300_000);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('unfreeze says at once of what expired meanwhile that it is expired, and what gives consumers another one', async () => {
  await world.revoke({ ...freeze, ...alices });
  await world.wait(91 * DAY);
  const { result } = await world.revoke({ ...order, way: 'unfreeze' });
  expect(result).toMatchObject({ done: true, confirmed: false });
  expect(result?.tokens).toContainEqual(
    expect.objectContaining({
      tokenId: currentId(),
      result: 'left',
      unconfirmed: expect.stringMatching(/it is expired.*keyturn rotate telegraf$/),
    }),
  );
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test.each(['whois', 'unfreeze', 'restore'])(
  '%s says of a string whose token the schedules retired long ago that it is dead, where the cluster shows that no more',
  async (way) => {
    for (let day = 0; day < 12; day += 1) {
      await world.wait(DAY);
      await world.reap();
    }
    expect(world.tokens(TELEGRAF).map(({ id }) => id)).not.toContain(superseded);
    world.cluster.manners = { hidesRevoked: true };
    for (const selector of [leaked(), { tokenId: superseded }]) {
      const { result, error } = await world.revoke({ ...selector, way, reason: 'found in git' });
      const said = error?.errorMessage ?? result?.plan.warnings.join('\n');
      expect(said).toContain(`${superseded} is revoked`);
      expect(said).not.toContain('find the token by its string');
      if (way === 'whois')
        expect(said).toContain(`${TELEGRAF} still has a version with its string`);
    }
    world.cluster.manners = {};
  },
);
