import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

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
