import { expect, test } from 'vitest';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { MINUTE, TELEGRAF } from '../../world/policy.ts';
import { issuedForEachTest } from './issued.ts';

/** Killing needs the cluster alone: what AWS refuses is reported, and keeps no token alive. */
const world = await issuedForEachTest();

const currentId = () => world.holders(TELEGRAF).AWSCURRENT ?? '';
const refusing =
  (operation: string): Interceptor =>
  (call, effect) =>
    call.operation === operation
      ? Promise.resolve({
          status: 400,
          body: `{"__type": "AccessDeniedException", "Message": "no ${operation}"}`,
        })
      : passThrough(call, effect);
const working = () => world.tokens(TELEGRAF).filter(({ permissions }) => permissions.length > 0);

test('a superseded token is deleted though its label cannot be taken off, and the answer says so', async () => {
  const [old, string] = [currentId(), world.string(TELEGRAF)];
  await world.rotate({ tokens: ['telegraf'], force: true });
  world.intercept(refusing('UpdateSecretVersionStage'));
  const { error } = await world.revoke({ way: 'delete', tokenId: old, reason: 'leaked' });
  world.intercept();
  expect(world.accepts(string)).toBe(false);
  expect(error?.errorType).toBe('RevocationError');
  expect(error?.errorMessage).toMatch(
    /AWSPREVIOUS is still on version .*no UpdateSecretVersionStage/,
  );
  expect(error?.errorMessage).toContain('"deadAfterSeconds"');
});

test.each(['freeze', 'delete'])(
  '%s by id goes ahead where DescribeSecret is denied, with its hold, and is not confirmed',
  async (way) => {
    const string = world.string(TELEGRAF);
    world.intercept(refusing('DescribeSecret'));
    const { result } = await world.revoke({ way, tokenId: currentId(), reason: 'leaked' });
    world.intercept();
    expect(world.accepts(string)).toBe(false);
    expect(working()).toEqual([]);
    expect(world.hold(TELEGRAF)).toBe(way === 'freeze' ? 'frozen' : 'deleted');
    expect(result).toMatchObject({ done: true, confirmed: false });
    expect(result?.unconfirmed.join()).toContain('no DescribeSecret');
  },
);

test('freeze of a superseded token goes ahead where DescribeSecret is denied', async () => {
  const [old, string] = [currentId(), world.string(TELEGRAF)];
  await world.rotate({ tokens: ['telegraf'], force: true });
  world.intercept(refusing('DescribeSecret'));
  const { result } = await world.revoke({ way: 'freeze', tokenId: old, reason: 'leaked' });
  world.intercept();
  expect(world.accepts(string)).toBe(false);
  expect(result).toMatchObject({ done: true, confirmed: false });
});

test('replace, which needs AWS, ends nothing where DescribeSecret is denied', async () => {
  const string = world.string(TELEGRAF);
  world.intercept(refusing('DescribeSecret'));
  const { error } = await world.revoke({ token: 'telegraf', reason: 'leaked' });
  world.intercept();
  expect(error?.errorType).toBe('RevocationError');
  await world.wait(MINUTE);
  expect(world.accepts(string)).toBe(true);
});

test('whose a token is, is answered by the cluster where ListSecrets is denied', async () => {
  world.intercept(refusing('ListSecrets'));
  const { result } = await world.revoke({ way: 'whois', tokenId: currentId() });
  world.intercept();
  expect(result?.plan.tokens).toMatchObject([
    { tokenId: currentId(), token: 'telegraf', secret: TELEGRAF, owned: true, state: 'live' },
  ]);
  expect(result?.plan.warnings).toEqual([
    expect.stringContaining('it is not known whether the token is current'),
  ]);
  expect(result?.plan.warnings.join()).not.toContain('hold');
});

test('errors that are alike are told once, with their number and the secrets', async () => {
  world.intercept((call, effect) =>
    ['TagResource', 'UpdateSecretVersionStage'].includes(call.operation)
      ? Promise.resolve({
          status: 400,
          body: '{"__type": "ThrottlingException", "Message": "Rate exceeded"}',
        })
      : passThrough(call, effect),
  );
  const everything = { all: true, confirm: '127.0.0.1', reason: 'laptop stolen' };
  const { error } = await world.revoke({ ...everything, way: 'freeze' });
  world.intercept();
  const said = error?.errorMessage.split('\n').slice(1, -1) ?? [];
  expect(said.filter((line) => line.includes('ThrottlingException'))).toEqual([
    'hold: ThrottlingException: Rate exceeded (2 times, keyturn/prod/grafana, keyturn/prod/telegraf)',
  ]);
});
