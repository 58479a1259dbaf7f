import { expect, it } from 'vitest';
import { HOUR, TELEGRAF } from '../world/policy.ts';
import { openDeployed } from './operator.ts';

it('waits for a first token that the cluster refuses, and says nothing else when it is repeated', async () => {
  const { world, run } = await openDeployed({ activationTimeout: '60s' });
  world.intercept(async (call, effect) =>
    call.server === 'data-plane' ? { status: 401, body: '' } : await effect(),
  );
  const first = await run(['rotate', 'telegraf']);
  expect(first.stdout).toMatch(/^armed {2}rotate telegraf\ntelegraf: armed, .* --wait waits/);
  const second = await run(['rotate', 'telegraf']);
  expect(second.stdout).toMatch(/^armed {2}verify telegraf\ntelegraf: armed, .* --wait waits/);
  expect((await run(['status'])).stdout).toMatch(
    /telegraf +refused +refused .*\n {2}the cluster was not seen to accept its string\n/,
  );
  world.intercept();
  const waited = await run(['rotate', 'telegraf', '--wait']);
  expect(waited).toMatchObject({ code: 0, stdout: 'done  verify telegraf\n' });
  expect((await run(['status'])).stdout).toMatch(/telegraf +works +accepted/);
});

it('says why a named token was not rotated, beside what became of the others, and fails', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  await world.wait(HOUR);
  await world.people.hold(TELEGRAF, 'frozen');
  const held = 'telegraf: not rotated: on hold (frozen) until keyturn unfreeze [Held]\n';
  expect(await run(['rotate', 'telegraf'])).toMatchObject({ code: 1, stdout: held });
  expect(await run(['rotate', 'telegraf', '--wait'])).toMatchObject({ code: 1, stdout: held });
  const both = await run(['rotate', 'telegraf', 'grafana']);
  expect(both).toMatchObject({ code: 1, stdout: `done  rotate grafana\n${held}` });
  expect((await run(['rotate', 'telegraf', '--json'])).code).toBe(1);
  expect(await run(['rotate', 'grafana'])).toMatchObject({
    code: 0,
    stdout: 'grafana: nothing to do, it was rotated a moment ago\n',
  });
});

it('says what failed, and which run promotes what was armed beside it', async () => {
  const { world, run } = await openDeployed({ activationTimeout: '60s' });
  await run(['rotate', 'telegraf', 'grafana', '--wait']);
  await world.wait(HOUR);
  world.intercept(async (call, effect) => {
    if (call.server === 'data-plane') return { status: 503, body: 'down' };
    const isGrafana = String(call.subject).includes('grafana');
    const denied = { status: 400, body: '{"__type":"AccessDeniedException","message":"no"}' };
    return call.operation === 'PutSecretValue' && isGrafana ? denied : await effect();
  });
  const mixed = await run(['rotate', 'telegraf', 'grafana']);
  expect(mixed).toMatchObject({ code: 1, stdout: '' });
  expect(mixed.stderr).toMatch(
    /1 of 2 actions failed:\nrotate grafana: AccessDenied.*\narmed: rotate telegraf; the next run promotes it/,
  );
});

it('rotates by name a token that a person took some permissions from, and none that lost all', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', '--wait']);
  await world.wait(HOUR);
  const strip = (...left: readonly { readonly action: string; readonly resource: string }[]) =>
    world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { permissions: left });
  await strip({ action: 'write', resource: 'telemetry' });
  const status = async () => (await run(['status'])).stdout;
  // Its next rotation, and its expiry.
  const both = /telegraf +stripped +\w+ +[0-9a-f]{8} +in \d+d\S* +in \d+d/;
  expect(await status()).toMatch(both);
  const named = await run(['rotate', 'telegraf', '--wait']);
  expect(named).toMatchObject({ code: 0, stdout: expect.stringMatching(/^done {2}rotate/) });
  expect(world.accepts(world.string(TELEGRAF), 'read')).toBe(true);
  await world.wait(HOUR);
  await strip();
  expect(await status()).toMatch(/telegraf +stripped .*\n[\s\S]*a person took its permissions/);
  expect(await status()).not.toMatch(both);
  expect(await run(['rotate', 'telegraf'])).toMatchObject({
    code: 1,
    stdout: 'telegraf: not rotated: a person took its permissions away [Held]\n',
  });
});
