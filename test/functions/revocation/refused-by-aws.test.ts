import { expect, test } from 'vitest';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { answering, endingNothing } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Answered } from '../../world/world.ts';
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
const outOfOrder = { status: 500, body: '{"code": 500, "message": "out of order"}' };

/** The report of an order that was not done whole, and what its error says to people. */
function failed({ error }: Answered<RevocationReport>) {
  const lines = error?.errorMessage.split('\n') ?? [];
  const report: RevocationReport = JSON.parse(lines.at(-1) ?? '');
  return { report, said: lines.slice(1, -1) };
}
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

test.each([false, true])(
  'replace, which needs AWS, ends nothing where DescribeSecret is denied, and the freeze that it advises does (immediately: %s)',
  async (immediately) => {
    const string = world.string(TELEGRAF);
    world.intercept(refusing('DescribeSecret'));
    const order = { token: 'telegraf', immediately, reason: 'leaked' };
    const { report } = failed(await world.revoke(order));
    await world.wait(MINUTE);
    expect(world.accepts(string)).toBe(true);
    expect(report.unconfirmed[0]).toContain('"way": "freeze"');
    await world.revoke({ secret: TELEGRAF, way: 'freeze', reason: 'leaked' });
    world.intercept();
    expect(world.accepts(string)).toBe(false);
  },
);

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
    'hold: ThrottlingException: TagResource of …: Rate exceeded (2 times, keyturn/prod/grafana, keyturn/prod/telegraf)',
  ]);
});

test.each([
  ['delete', endingNothing(outOfOrder), 'freeze'],
  ['freeze', answering('PATCH /tokens/{id}', outOfOrder), 'delete'],
] as const)(
  '%s of a token that fails has its row and its reason, and says first what cuts the string off',
  async (way, refusing, other) => {
    const [string, superseded] = [world.string(TELEGRAF), currentId()];
    await world.rotate({ tokens: ['telegraf'], force: true });
    world.intercept(refusing);
    const one = failed(await world.revoke({ way, tokenId: superseded, reason: 'leaked' }));
    const all = failed(await world.revoke({ way, secret: TELEGRAF, reason: 'leaked' }));
    world.intercept();
    expect(world.accepts(string)).toBe(true);
    const failing = (tokenId: string) =>
      expect.objectContaining({
        tokenId,
        result: 'failed',
        unconfirmed: expect.stringMatching(/^it was not ended, and may still work: .*out of order/),
      });
    expect(one.report.tokens).toEqual([failing(superseded)]);
    expect(all.report.tokens).toEqual(
      expect.arrayContaining([superseded, currentId()].map(failing)),
    );
    // A secret on the hold of its deletion takes no freeze.
    const instead = way === 'delete' ? 'give the same order again' : `"way": "${other}"`;
    expect([one.report.unconfirmed[0], all.report.unconfirmed[0]]).toEqual([
      expect.stringMatching(`old strings of ${superseded} may still work.*"way": "${other}"`),
      expect.stringMatching(`old strings of ${TELEGRAF} may still work.*${instead}`),
    ]);
  },
);

test('a token that does not get its permissions back has its row and its reason', async () => {
  await world.revoke({ way: 'freeze', secret: TELEGRAF, reason: 'leaked' });
  world.intercept(answering('PATCH /tokens/{id}', outOfOrder));
  const { report } = failed(
    await world.revoke({ way: 'unfreeze', secret: TELEGRAF, reason: 'ok' }),
  );
  world.intercept();
  expect(working().length).toBe(0);
  expect(report.tokens).toMatchObject([
    {
      tokenId: currentId(),
      result: 'failed',
      unconfirmed: expect.stringContaining('out of order'),
    },
  ]);
  expect(report.unconfirmed).toEqual([]);
});

test('a secret that may not be described names the tokens that still work in it', async () => {
  const [old, string] = [currentId(), world.string(TELEGRAF)];
  world.intercept(refusing('DescribeSecret'));
  const { report } = failed(await world.revoke({ token: 'telegraf', reason: 'leaked' }));
  world.intercept();
  expect(world.accepts(string)).toBe(true);
  expect(report.tokens).toMatchObject([
    { tokenId: old, result: 'failed', unconfirmed: expect.stringContaining('no DescribeSecret') },
  ]);
  expect(report.unconfirmed).toEqual([
    expect.stringContaining(`old strings of ${TELEGRAF} may still work`),
    expect.stringMatching(`^observe: .*no DescribeSecret \\(${TELEGRAF}\\)$`),
  ]);
});

test('of many secrets that fail alike the report names every one, and the error says how many', async () => {
  const names = Array.from({ length: 7 }, (_each, index) => `t${index}`);
  const tokens = names.map((name) => [name, { permissions: { write: ['telemetry'] } }] as const);
  const many = await openWorldForTest(policyWith(Object.fromEntries(tokens)), {
    databases: ['telemetry'],
  });
  await many.rotate();
  const secrets = names.map((name) => `keyturn/prod/${name}`);
  const strings = secrets.map((name) => many.string(name));
  many.intercept(refusing('PutSecretValue'));
  const order = { all: true, confirm: '127.0.0.1', reason: 'laptop stolen' };
  const { report, said } = failed(await many.revoke(order));
  many.intercept();
  expect(strings.filter((each) => many.accepts(each))).toEqual(strings);
  expect(report.tokens.map(({ secret, result }) => [secret, result]).sort()).toEqual(
    secrets.map((name) => [name, 'failed']),
  );
  expect(report.unconfirmed).toEqual([
    expect.stringContaining(`old strings of ${secrets.join(', ')} may still work`),
    expect.stringMatching(`^replace: .*no PutSecretValue \\(7 times, ${secrets.join(', ')}\\)$`),
  ]);
  expect(said[1]).toContain(`${secrets[4]} and 2 more, which the report names`);
});

test.each(
  ['freeze', 'delete'].flatMap((way) => [1, 20, 60].map((seconds) => [way, seconds] as const)),
)(
  'an order to %s that is shown its secret as it was %s s ago knows that its own hold stands',
  async (way, seconds) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
    await world.rotate();
    await world.wait(HOUR);
    world.aws.readLagMs = seconds * 1_000;
    const { result } = await world.revoke({ token: 'telegraf', way, reason: 'leaked' });
    expect(result).toMatchObject({ done: true, confirmed: true, unconfirmed: [] });
    expect(Object.keys(world.labels(TELEGRAF))).toContain(`keyturn-hold-${way}`);
  },
);
