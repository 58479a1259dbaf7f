import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { passThrough } from '../../../sandbox/interception.ts';
import { answering } from '../../world/faults.ts';
import { HOUR, TELEGRAF } from '../../world/policy.ts';
import { GRAFANA, issuedForEachTest } from './issued.ts';

const world = await issuedForEachTest();

const idOf = (secret: string) => world.holders(secret).AWSCURRENT ?? '';
const fingerprint = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);
const leaked = (string: string) => ({ fingerprint: fingerprint(string), reason: 'leaked' });

/** Somebody rewrote the description, so that no marker bears the fingerprint. */
async function loseMarker(secret: string): Promise<string> {
  const id = idOf(secret);
  await world.people.changeToken(id, { description: 'edited by hand' });
  return id;
}

test('finds a string in the values that it may read, where its marker was edited', async () => {
  const string = world.string(TELEGRAF);
  const id = await loseMarker(TELEGRAF);
  const whois = await world.revoke({ way: 'whois', fingerprint: fingerprint(string) });
  expect(whois.result?.plan).toMatchObject({ secrets: [TELEGRAF] });
  expect(whois.result?.plan.tokens).toEqual(
    expect.arrayContaining([expect.objectContaining({ tokenId: id, owned: false })]),
  );
  expect(whois.result?.plan.candidates).toBeUndefined();

  await world.revoke({ ...leaked(string), way: 'delete' });
  await world.wait(60_000);
  expect(world.accepts(string)).toBe(false);
});

test('finds it by its version, where its marker bears another fingerprint', async () => {
  const [id, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
  const { description = '' } = world.cluster.state.tokens.find((each) => each.id === id) ?? {};
  const edited = description.replace(fingerprint(string), '0123456789abcdef');
  expect(edited).not.toBe(description);
  await world.people.changeToken(id, { description: edited });
  await world.revoke(leaked(string));
  await world.wait(60_000);
  expect(world.accepts(string)).toBe(false);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('finds it under any label, in any form of the value', async () => {
  const string = world.string(GRAFANA);
  await loseMarker(GRAFANA);
  const value = JSON.stringify({ url: `https://host/query?p=${encodeURIComponent(string)}` });
  await world.people.saveValue(GRAFANA, value);
  const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(string) });
  const said = JSON.stringify(result?.plan);
  expect(said).toContain(GRAFANA);
  expect(said).not.toContain(string);
});

const permissions = [{ action: 'read', resource: 'logs' }];

test('names the live tokens that it may be of, where nothing is known of a string', async () => {
  const old = await world.people.mint({ description: 'a dashboard', permissions });
  await world.wait(1_000);
  const { id, accessToken } = await world.people.mint({ description: 'a notebook', permissions });
  await world.people.mint({ description: 'can do nothing', permissions: [] });
  const before = world.tokens();

  for (const order of [{ way: 'whois' }, { dryRun: true }, { dryRun: true, way: 'freeze' }]) {
    const { result } = await world.revoke({ ...order, fingerprint: fingerprint(accessToken) });
    expect(result).toMatchObject({ confirmed: false, tokens: [] });
    expect(result?.plan).toMatchObject({ tokens: [], actions: [], secrets: [] });
    expect(result?.plan.candidates).toMatchObject([
      { tokenId: id, description: 'a notebook', permissions, state: 'live', owned: false },
      { tokenId: old.id, description: 'a dashboard', permissions },
    ]);
    expect(result?.plan.candidates?.[0]?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(result?.plan.warnings.join()).toContain('none of 2 values of our secrets');
  }

  const { error } = await world.revoke({ ...leaked(accessToken), way: 'delete' });
  expect(error?.errorType).toBe('SelectionError');
  expect(error?.errorMessage).toContain('nothing was done');
  expect(error?.errorMessage).toContain(`${id}, ${old.id}`);
  expect(world.tokens()).toEqual(before);
});

test('says where a string is that is in a secret, though no token is known to have it', async () => {
  const { accessToken, id } = await world.people.mint({ description: 'by hand', permissions });
  await world.people.saveValue(GRAFANA, JSON.stringify({ token: accessToken }));
  const { result } = await world.revoke({
    way: 'whois',
    fingerprint: fingerprint(accessToken),
  });
  expect(result?.plan.warnings.join()).toContain(`${GRAFANA} (AWSCURRENT)`);
  expect(result?.plan.candidates?.map(({ tokenId }) => tokenId)).toContain(id);
});

test.each(['replace', 'freeze', 'delete'])(
  'to %s a string that only an old version has, no order for its secret is advised, which would end another one',
  async (way) => {
    const { accessToken, id } = await world.people.mint({ description: 'by hand', permissions });
    const ours = world.value(TELEGRAF);
    await world.people.saveValue(TELEGRAF, accessToken);
    await world.people.saveValue(TELEGRAF, ours);
    await world.wait(60_000);
    const { error } = await world.revoke({ ...leaked(accessToken), way });
    expect(error?.errorMessage).toContain(`the string is in ${TELEGRAF} (AWSPREVIOUS)`);
    expect(error?.errorMessage).not.toContain('replace it there');
    expect(error?.errorMessage).toMatch(/end it by its id.* it may be one of 1 live token/);
    await world.revoke({ tokenId: id, reason: 'leaked', way: 'delete' });
    await world.wait(60_000);
    expect(world.accepts(accessToken, 'read', 'logs')).toBe(false);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(['replace', 'freeze', 'delete'])(
  'a string that a person keeps beside ours is not taken for ours, in the way %s',
  async (way) => {
    const { accessToken, id } = await world.people.mint({ description: 'by hand', permissions });
    const ours = world.string(TELEGRAF);
    const value = JSON.stringify({ token: ours, other: accessToken });
    await world.people.saveValue(TELEGRAF, value);
    await world.wait(60_000);
    const { error } = await world.revoke({ ...leaked(accessToken), way });
    expect(error?.errorMessage).toContain(`in the value of ${TELEGRAF} (AWSCURRENT)`);
    expect(error?.errorMessage).toContain(id);
    expect(world.accepts(ours)).toBe(true);
  },
);

/** Secrets Manager's answer to a call that a role does not allow. */
const forbidden = {
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: 'AccessDeniedException', Message: 'not authorized' }),
};

test('says of how many secrets no version could be listed, where no value has a string', async () => {
  const { accessToken } = await world.people.mint({ description: 'by hand', permissions });
  world.intercept(answering('ListSecretVersionIds', forbidden));
  const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(accessToken) });
  world.intercept();
  expect(result?.plan.warnings.join()).toContain('the versions of 2 secrets could not be listed');
});

test.each([false, true])(
  'says how many values could not be read, where no other has a string (with older ones: %s)',
  async (isRotated) => {
    for (let time = 0; time < (isRotated ? 2 : 0); time += 1) {
      await world.rotate({ tokens: ['telegraf'], force: true });
      await world.wait(HOUR);
    }
    const versions = Object.keys(world.aws.state.secrets[TELEGRAF]?.versions ?? {}).length;
    const { accessToken } = await world.people.mint({ description: 'by hand', permissions });
    world.intercept((call, effect) =>
      call.operation === 'GetSecretValue' && call.subject?.includes(TELEGRAF)
        ? Promise.resolve(forbidden)
        : passThrough(call, effect),
    );
    const { result } = await world.revoke({ way: 'whois', fingerprint: fingerprint(accessToken) });
    world.intercept();
    const counted = versions === 1 ? '1 value' : `${versions} values`;
    expect(result?.plan.warnings.join()).toContain(`${counted} could not be read`);
  },
);

test.each(['replace', 'freeze', 'delete'])(
  'to %s a string whose token cannot be asked for says what was not done, and is whole when the cluster answers',
  async (way) => {
    const [id, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
    for (let time = 0; time < 2; time += 1) {
      await world.rotate({ tokens: ['telegraf'], force: true });
      await world.wait(2 * HOUR);
    }
    expect(Object.values(world.holders(TELEGRAF))).not.toContain(id);
    world.cluster.manners = { longestListing: 0 };
    world.intercept(answering('GET /tokens/{id}', { status: 500, body: '{"message": "broken"}' }));
    const { error } = await world.revoke({ ...leaked(string), way });
    expect(error?.errorType).toBe('NotSeenError');
    expect(error?.errorMessage).toMatch(
      /500.*; nothing was done, and what was meant may still work/,
    );
    expect(error?.errorMessage).toMatch(
      /give the same order again when the Management API answers$/,
    );
    expect(world.accepts(string)).toBe(true);
    world.intercept();
    world.cluster.manners = {};
    const { result } = await world.revoke({ ...leaked(string), way });
    expect(result?.confirmed).toBe(true);
    expect(world.accepts(string)).toBe(false);
  },
);

test('says that no value was compared, where Secrets Manager could not be asked', async () => {
  const { accessToken } = await world.people.mint({ description: 'by hand', permissions });
  world.intercept(answering('ListSecrets', forbidden));
  const { error } = await world.revoke({ ...leaked(accessToken), way: 'delete' });
  world.intercept();
  expect(error?.errorMessage).toContain('no value could be compared');
  expect(error?.errorMessage).not.toContain('none of 0 values');
});

test('a string whose token is gone is not taken for that of a token with a copy of its marker', async () => {
  const [id, string] = [idOf(TELEGRAF), world.string(TELEGRAF)];
  const { description = '' } = world.cluster.state.tokens.find((token) => token.id === id) ?? {};
  const copy = await world.people.mint({ description, permissions });
  await world.rotate({ tokens: ['telegraf'], force: true });
  await world.people.deleteToken(id);
  await world.wait(HOUR);
  world.cluster.manners = { hidesRevoked: true };
  await world.revoke(leaked(string));
  world.cluster.manners = {};
  expect(world.tokens().map((token) => token.id)).toContain(copy.id);
  const own = await world.revoke({ way: 'whois', fingerprint: fingerprint(copy.accessToken) });
  expect(own.result?.plan.candidates?.map(({ tokenId }) => tokenId)).toContain(copy.id);
});

test('kills the token that its marker names, and not the one that somebody copied the marker to', async () => {
  const string = world.string(TELEGRAF);
  const id = idOf(TELEGRAF);
  const { description = '' } = world.cluster.state.tokens.find((token) => token.id === id) ?? {};
  const copy = await world.people.mint({ description, permissions });
  const { result } = await world.revoke({ ...leaked(string), way: 'delete' });
  expect(result).toMatchObject({ done: true, confirmed: true });
  expect(world.accepts(string)).toBe(false);
  expect(world.tokens().map((token) => token.id)).toContain(copy.id);
});

test('reads the schedules for what it would do, and not for a string that is nobody’s', async () => {
  const read: string[] = [];
  world.intercept((call, effect) => {
    read.push(call.operation);
    return passThrough(call, effect);
  });
  const none = await world.revoke({ ...leaked('apiv1_nobody'), dryRun: true });
  expect(none.result).toMatchObject({ schedules: [], plan: { actions: [] } });
  expect(read).not.toContain('GetSchedule');
  const some = await world.revoke({ ...leaked(world.string(TELEGRAF)), dryRun: true });
  world.intercept();
  expect(some.result?.schedules).toHaveLength(3);
});
