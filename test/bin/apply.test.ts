import { expect, it } from 'vitest';
import { TELEGRAF } from '../world/policy.ts';
import { openDeployed, openLocal } from './operator.ts';

const limitOf = ({ cluster }: { readonly cluster: { readonly state: { databases: object } } }) =>
  (Object.values(cluster.state.databases) as { name: string; maxTables: number }[]).find(
    ({ name }) => name === 'telemetry',
  )?.maxTables;

it('shows what it would do, and does nothing without a yes', async () => {
  const { world, run } = await openDeployed();
  const { code, stdout, stderr } = await run(['apply']);
  expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
  expect(stderr).toMatch(/^rotate: 2 to do\n[\s\S]*\nenforce: 1 to do\n {2}maxTables telemetry/);
  expect(stderr).toContain('expected --yes; nothing was done. Read what keyturn plan says first');
  expect(world.tokens()).toEqual([]);
  expect(limitOf(world)).toBe(500);
});

it('does what all schedules would do next, and then there is nothing to do', async () => {
  const { world, run } = await openDeployed();
  const { code, stdout } = await run(['apply', '--yes']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    'rotate:\n  done  rotate grafana\n  done  rotate telegraf\n\nenforce:\n  done  maxTables telemetry 500 -> 400 (rule 1)\n',
  );
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(limitOf(world)).toBe(400);
  expect(await run(['apply'])).toMatchObject({ code: 0, stdout: 'nothing to do\n' });
  expect(await run(['apply', '--json'])).toMatchObject({ code: 0, stdout: '[]\n' });
});

it('does one job alone where one is named', async () => {
  const { world, run } = await openDeployed();
  expect((await run(['apply', '--job', 'enforce', '--yes'])).code).toBe(0);
  expect(limitOf(world)).toBe(400);
  expect(world.tokens()).toEqual([]);
});

it('says what a limit refused, with 4, and the other jobs do their work', async () => {
  const { world, run } = await openDeployed({ limits: { percent: 0, tokens: 0 } });
  const { code, stdout, stderr } = await run(['apply', '--yes']);
  expect(code).toBe(4);
  expect(stdout).toContain('done  rotate telegraf');
  expect(stderr).toMatch(/enforce: .*repeat with --approve \w{16}[\s\S]*not everything was done/);
  expect(limitOf(world)).toBe(500);
  const [, hash = ''] = /--approve (\w{16})/.exec(stderr) ?? [];
  expect((await run(['apply', '--approve', hash])).code).toBe(0);
  expect(limitOf(world)).toBe(400);
});

it('goes on where one job fails, and says so with 1', async () => {
  const { world, run } = await openDeployed();
  world.intercept(async (call, effect) =>
    call.operation === 'POST /tokens' ? { status: 500, body: '{}' } : effect(),
  );
  const { code, stderr } = await run(['apply', '--yes']);
  expect(code).toBe(1);
  expect(stderr).toContain('not everything was done (rotate)');
  expect(limitOf(world)).toBe(400);
});

it('works without a deployment, on this machine', async () => {
  const { systems, run } = await openLocal();
  expect((await run(['apply', '--local', '--yes'])).code).toBe(0);
  expect(limitOf(systems)).toBe(400);
});
