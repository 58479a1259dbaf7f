import { expect, test } from 'vitest';
import { policy, startRun, writer } from '../run/run.ts';

const TELEGRAF = 'keyturn/prod/telegraf';
const WRITE = { action: 'write', resource: 'telemetry' };
const READ = { action: 'read', resource: 'quality' };
const both = policy({ telegraf: { permissions: { write: ['telemetry'], read: ['quality'] } } });
const narrow = policy({ telegraf: writer });

test('widens a token in place, without a rotation', async () => {
  const run = await startRun(narrow);
  await run.rotate();
  const [before] = run.tokens();
  const { result } = await run.deploy(both).rotate();
  expect(result.outcomes).toEqual([
    {
      action: expect.objectContaining({ kind: 'widen', reason: 'PermissionsWidened' }),
      result: 'done',
    },
  ]);
  expect(run.tokens()).toMatchObject([{ id: before?.id, permissions: [READ, WRITE] }]);
  const { token } = JSON.parse(await run.current(TELEGRAF));
  expect(run.sandbox.cluster.accepts(token, 'read', 'quality')).toBe(true);
  expect((await run.deploy(both).rotate()).result.plan.actions).toEqual([]);
  expect(run.sandbox.aws.state.events.at(-1)?.detailType).toBe('Token Permissions Changed');
});

test('narrows by rotation, and lets the old token keep what it had through its grace period', async () => {
  const run = await startRun(both);
  await run.rotate();
  const [before] = run.tokens();
  const { result } = await run.deploy(narrow).rotate();
  expect(result.outcomes).toEqual([
    { action: expect.objectContaining({ reason: 'PermissionsNarrowed' }), result: 'done' },
  ]);
  expect(run.tokens()).toMatchObject([
    { id: before?.id, permissions: [READ, WRITE] },
    { permissions: [WRITE] },
  ]);
  expect(run.labels(TELEGRAF).AWSPREVIOUS).toBe(before?.id);
});

test('reports what a person changed, and corrects it with the next rotation alone', async () => {
  const run = await startRun(narrow);
  await run.rotate();
  const [token] = run.tokens();
  await run.manage('PATCH', `/tokens/${token?.id}`, { permissions: [WRITE, READ] });
  const { result } = await run.rotate();
  expect(result.plan).toMatchObject({
    actions: [],
    findings: [{ kind: 'PermissionsChanged', token: 'telegraf', tokenId: token?.id }],
  });
  expect(run.tokens()).toMatchObject([{ permissions: [WRITE, READ] }]);
  await run.rotate({ tokens: ['telegraf'], force: true });
  expect(run.tokens()).toMatchObject([{}, { permissions: [WRITE] }]);
});

test('refuses a grant to a database that neither exists nor is declared', async () => {
  const typo = { tokens: { telegraf: { permissions: { write: ['telemtry'] } } } };
  const run = await startRun(policy(typo.tokens));
  const { result } = await run.rotate();
  expect(result.plan.findings).toEqual([
    {
      kind: 'UnknownDatabase',
      token: 'telegraf',
      secret: TELEGRAF,
      message: 'grants telemtry, which neither exists nor is declared',
    },
  ]);
  expect(run.tokens()).toEqual([]);
});
