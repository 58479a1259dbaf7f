import { describe, expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const WRITE = { action: 'write', resource: 'telemetry' };
const READ = { action: 'read', resource: 'quality' };
const both = policyWith({ telegraf: { permissions: { write: ['telemetry'], read: ['quality'] } } });
const narrow = policyWith({ telegraf: writer });

test('widens a token in place, without a rotation', async () => {
  const world = await openWorldForTest(narrow);
  await world.rotate();
  const [before] = world.tokens();
  const { result } = await world.deploy(both).rotate();
  expect(result.outcomes).toEqual([
    {
      action: expect.objectContaining({ kind: 'widen', reason: 'PermissionsWidened' }),
      result: 'done',
    },
  ]);
  expect(world.tokens()).toMatchObject([{ id: before?.id, permissions: [READ, WRITE] }]);
  expect(world.accepts(world.string(TELEGRAF), 'read', 'quality')).toBe(true);
  expect((await world.deploy(both).rotate()).result.plan.actions).toEqual([]);
  expect(world.events().at(-1)?.detailType).toBe('Token Permissions Changed');
});

test('narrows by rotation, and lets the old token keep what it had through its grace period', async () => {
  const world = await openWorldForTest(both);
  await world.rotate();
  const [before] = world.tokens();
  const deployed = world.deploy(narrow);
  const { result } = await deployed.rotate();
  expect(result.outcomes).toMatchObject([
    { action: { kind: 'mint', reason: 'PermissionsNarrowed' }, result: 'done' },
  ]);
  await world.wait(10 * MINUTE);
  await deployed.rotate();
  expect(world.tokens()).toMatchObject([
    { id: before?.id, permissions: [READ, WRITE] },
    { permissions: [WRITE] },
  ]);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(before?.id);
});

test('gives consumers the grant that is swapped in at once, and takes the other away in the next window', async () => {
  const windows = ['Sun 02:00-04:00'];
  const swapped = { permissions: { read: ['quality'] }, windows };
  const world = await openWorldForTest(policyWith({ telegraf: { ...writer, windows } }));
  await world.rotate();
  const [before] = world.tokens();
  const deployed = world.deploy(policyWith({ telegraf: swapped }));
  const look = await deployed.rotate({ dryRun: true });
  expect(look.result.plan.actions).toMatchObject([{ kind: 'widen', reason: 'PermissionsWidened' }]);
  await deployed.rotate();
  expect(world.tokens()).toMatchObject([{ id: before?.id, permissions: [READ, WRITE] }]);
  const { result } = await deployed.rotate();
  expect(result.outcomes).toMatchObject([
    { action: { kind: 'mint', reason: 'PermissionsNarrowed' }, result: 'done' },
  ]);
  const string = world.string(TELEGRAF);
  const can = () => [world.accepts(string), world.accepts(string, 'read', 'quality')];
  expect(can()).toEqual([true, true]);
  // The next Sunday, at three.
  await world.wait(Date.UTC(2026, 2, 8, 3) - world.clock.now());
  await deployed.rotate();
  expect(world.tokens(TELEGRAF).at(-1)?.permissions).toEqual([READ]);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(before?.id);
  expect(can()).toEqual([true, true]);
});

test('gives a new grant to the current token first, and then to the one that waits', async () => {
  const world = await openWorldForTest(narrow);
  await world.rotate();
  await world.wait(31 * DAY);
  await world.rotate();
  await world.wait(11 * MINUTE);
  const deployed = world.deploy(both);
  const kinds = async (): Promise<readonly string[]> =>
    (await deployed.rotate()).result.outcomes.map(
      ({ action }: { readonly action: { readonly kind: string } }) => action.kind,
    );
  expect([await kinds(), await kinds()]).toEqual([['widen'], ['arm']]);
  expect(world.tokens().map(({ permissions }) => permissions.length)).toEqual([2, 2]);
});

test('reports what a person changed, and corrects it with the next rotation alone', async () => {
  const world = await openWorldForTest(narrow);
  await world.rotate();
  const [token] = world.tokens();
  await world.people.changeToken(token?.id, { permissions: [WRITE, READ] });
  const { result } = await world.rotate();
  expect(result.plan).toMatchObject({
    actions: [],
    findings: [{ kind: 'PermissionsChanged', token: 'telegraf', tokenId: token?.id }],
  });
  expect(world.tokens()).toMatchObject([{ permissions: [WRITE, READ] }]);
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(world.tokens()).toMatchObject([{}, { permissions: [WRITE] }]);
});

test('refuses a grant to a database that neither exists nor is declared', async () => {
  const typo = { tokens: { telegraf: { permissions: { write: ['telemtry'] } } } };
  const world = await openWorldForTest(policyWith(typo.tokens));
  const { result } = await world.rotate();
  expect(result.plan.findings).toEqual([
    {
      kind: 'UnknownDatabase',
      token: 'telegraf',
      secret: TELEGRAF,
      message: 'gets no permissions on telemtry, which neither exists nor is declared',
    },
  ]);
  expect(world.tokens()).toEqual([]);
});

describe.each(['description', 'permissions'] as const)(
  'a server that for the length of one run stores only the %s of a PATCH',
  (patchesOnly) => {
    const halving = async (world: World, run: () => Promise<unknown>) => {
      world.cluster.manners = { patchesOnly };
      await run();
      world.cluster.manners = {};
      await world.wait(HOUR);
    };

    test('does not keep a first token from being armed by the next run', async () => {
      const world = await openWorldForTest(narrow);
      await halving(world, () => world.rotate());
      await world.rotate();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
      expect(world.tokens(TELEGRAF)).toHaveLength(1);
    });

    test('does not keep a token from what the policy adds', async () => {
      const world = await openWorldForTest(narrow);
      await world.rotate();
      const wide = world.deploy(both);
      await halving(world, () => wide.rotate());
      await wide.rotate();
      expect(world.accepts(world.string(TELEGRAF), 'read', 'quality')).toBe(true);
      expect((await wide.rotate()).result?.plan).toMatchObject({ actions: [], findings: [] });
    });

    test('does not keep its permissions from a token that a person rolled back to', async () => {
      const world = await openWorldForTest(narrow);
      await world.rotate();
      const { AWSCURRENT: first } = world.labels(TELEGRAF);
      await world.rotate({ tokens: ['telegraf'], force: true });
      for (let days = 0; days < 4; days += 1) {
        await world.wait(DAY + HOUR);
        await world.reap();
      }
      expect(world.tokens(TELEGRAF)[0]?.permissions).toEqual([]);
      await world.people.makeCurrent(TELEGRAF, first);
      await halving(world, () => world.rotate());
      await world.rotate();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    });

    test('does not keep a frozen token from being unfrozen by the same order again', async () => {
      const world = await openWorldForTest(narrow);
      await world.rotate();
      await world.revoke({ way: 'freeze', token: 'telegraf', reason: 'a drill' });
      const unfreeze = () => world.revoke({ way: 'unfreeze', token: 'telegraf', reason: 'over' });
      await halving(world, unfreeze);
      await unfreeze();
      expect(world.accepts(world.string(TELEGRAF))).toBe(true);
    });
  },
);

test('a run that dies between the two halves of arming a first token is carried on', async () => {
  const world = await openWorldForTest(narrow);
  let patches = 0;
  world.intercept(async (call, effect) => {
    if (call.operation !== 'PATCH /tokens/{id}') return effect();
    patches += 1;
    if (patches < 2) return effect();
    await world.kill(call);
    return 'reset';
  });
  await world.rotate();
  world.intercept();
  await world.wait(HOUR);
  await world.rotate();
  expect(world.tokens(TELEGRAF)).toMatchObject([
    { permissions: [WRITE], marker: { grants: expect.any(String) } },
  ]);
});
