import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../functions/run/plan.ts';
import { disturb } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const NAME = 'legacy/telegraf';
const entry = { ...writer, secret: NAME };
const GRANT = { action: 'write', resource: 'telemetry' };
const force = { tokens: ['telegraf'], force: true };

/** A secret of a certain shape, adopted. */
async function adopt(shape: (token: string) => string, key?: string) {
  const world = await openWorldForTest(policyWith({ other: writer }));
  const made = await world.people.mint({
    description: 'made by hand',
    permissions: [GRANT],
    expiresAt: '2027-03-02T12:00:00Z',
  });
  const text = shape(made.accessToken);
  await world.people.createSecret(NAME, text);
  const keyturn = world.deploy(
    policyWith({ telegraf: { ...entry, adopt: { tokenId: made.id, ...(key && { key }) } } }),
  );
  const { result } = await keyturn.rotate();
  expect(result.outcomes).toMatchObject([{ action: { kind: 'adopt' }, result: 'done' }]);
  return { world, keyturn, text, string: made.accessToken };
}

/** The string that is now where `old` was in a text; the rest of the text is the same, or this throws. */
function stringInstead(old: string, text: string, world: World): string {
  const [before = '', after = ''] = text.split(old);
  const now = world.value(NAME);
  const found = now.slice(before.length, now.length - after.length);
  expect(now).toBe(`${before}${found}${after}`);
  expect(found).not.toBe(old);
  return found;
}

test.each([
  ['a file with its newline', (token: string) => `${token}\n`, undefined],
  ['a key with a newline in its string', (token: string) => `{"t": "${token}\\n"}`, 't'],
  [
    'siblings with many digits',
    (token: string) => `{"n": 12345678901234567890, "r": 1.0, "x":1e400, "t": "${token}"}`,
    't',
  ],
  ['a nested key', (token: string) => `{"db": {"user": "u", "token": "${token}"} }\n`, 'db.token'],
])('rotates %s, and changes nothing but the string', async (_what, shape, key) => {
  const { world, keyturn, text, string } = await adopt(shape, key);
  const { result } = await keyturn.rotate(force);
  expect(result.outcomes).toMatchObject([{ result: 'done' }]);
  expect(world.accepts(stringInstead(string, text, world))).toBe(true);
});

test.each([
  ['plain', (token: string) => `${token}\n`, undefined],
  ['JSON', (token: string) => `{"n": 12345678901234567890, "t": "${token}"}`, 't'],
])(
  'after `adopt` left the entry, a secret that is %s keeps its shape',
  async (_what, shape, key) => {
    const { world, text, string } = await adopt(shape, key);
    const without = world.deploy(policyWith({ telegraf: entry }));
    await without.rotate();
    expect(world.value(NAME)).toBe(text);
    for (let times = 0; times < 2; times += 1) {
      await world.wait(HOUR);
      expect((await without.rotate(force)).result.outcomes).toMatchObject([{ result: 'done' }]);
      expect(world.accepts(stringInstead(string, text, world))).toBe(true);
    }
  },
);

const idOfCurrent = (world: World) => world.holders(NAME).AWSCURRENT;
const current = (world: World) => world.people.deleteToken(idOfCurrent(world));
const order = (way: string) => ({ way, token: 'telegraf', reason: 'leak' });
type Keyturn = ReturnType<World['deploy']>;

/** How the token of an adopted secret is no longer listed as ours, whatever its entry says. */
const LOST: Readonly<Record<string, (world: World, keyturn: Keyturn) => Promise<unknown>>> = {
  'a person deleted its token': current,
  'a person deleted its token, which the cluster hides': (world) => {
    world.cluster.manners = { hidesRevoked: true };
    return current(world);
  },
  'an order deleted its token, and was lifted': async (_world, keyturn) => {
    await keyturn.revoke(order('delete'));
    await keyturn.revoke(order('lift'));
  },
  'a person took the marker away': (world) =>
    world.people.changeToken(idOfCurrent(world), { description: 'renamed' }),
  'a person put a token made by hand': async (world) => {
    const { accessToken } = await world.people.mint({ description: 'hand', permissions: [GRANT] });
    await world.people.saveValue(NAME, world.value(NAME).replace(/apiv1_[^"\n]+/, accessToken));
  },
  'a person put a placeholder': (world) => world.people.saveValue(NAME, 'CHANGE_ME'),
};

const SHAPES = [
  ['plain', (token: string) => `${token}\n`, undefined],
  ['JSON', (token: string) => `{"n": 12345678901234567890, "t": "${token}"}`, 't'],
] as const;

test.each(
  Object.keys(LOST).flatMap((lost) => SHAPES.map(([name, shape, key]) => [lost, name, shape, key])),
)(
  'after `adopt` left the entry and %s, a secret that is %s keeps its shape',
  async (lost, _name, shape, key) => {
    const { world, text, string } = await adopt(
      shape as (token: string) => string,
      key as string | undefined,
    );
    const without = world.deploy(policyWith({ telegraf: entry }));
    await world.wait(HOUR);
    await LOST[lost as string]?.(world, without);
    await without.rotate(force);
    const now = stringInstead(string, text, world);
    expect(world.accepts(now)).toBe(true);
    await world.wait(HOUR);
    await without.rotate(force);
    expect(stringInstead(now, world.value(NAME), world)).not.toBe(string);
  },
);

test('a plain secret that was tagged as ours by hand, without `adopt`, stays plain', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: entry }));
  const made = await world.people.mint({ description: 'by hand', permissions: [GRANT] });
  await world.people.createSecret(NAME, made.accessToken, { 'keyturn:owner': 'prod' });
  await world.wait(40 * DAY);
  for (let runs = 0; runs < 2; runs += 1) {
    await world.rotate();
    await world.wait(30 * MINUTE);
  }
  expect(world.value(NAME)).toMatch(/^apiv1_/);
  expect(world.value(NAME)).not.toBe(made.accessToken);
  expect(world.accepts(world.value(NAME))).toBe(true);
});

test('an edit between the store and the promotion survives', async () => {
  const { world, keyturn } = await adopt((token) => `{"t": "${token}", "slack": "1"}`, 't');
  await world.wait(31 * DAY);
  const edited = () => world.value(NAME).replace('"slack": "1"', '"slack": "2"');
  await disturb(world, () => keyturn.rotate(), 1, {
    meet: () => Promise.resolve({ status: 503, body: '' }),
    counts: ({ server }) => server === 'data-plane',
    later: 'alike',
  });
  expect(world.labels(NAME).AWSPENDING).toBeDefined();
  await world.people.saveValue(NAME, edited());
  for (let runs = 0; runs < 4; runs += 1) {
    await world.wait(15 * MINUTE);
    await keyturn.rotate();
  }
  const { t, slack } = JSON.parse(world.value(NAME));
  expect(slack).toBe('2');
  expect(world.accepts(t)).toBe(true);
});

test('bytes are refused in words that say what to do', async () => {
  const world = await openWorldForTest(policyWith({ other: writer }));
  const made = await world.people.mint({ description: 'x', permissions: [GRANT] });
  world.intercept((call, effect) => {
    const reply = effect();
    const isOurs = call.operation === 'GetSecretValue' && reply.body.includes(NAME);
    const bytes = JSON.stringify({ Name: NAME, SecretBinary: 'AAAA' });
    return Promise.resolve(isOurs ? { status: 200, body: bytes } : reply);
  });
  await world.people.createSecret(NAME, made.accessToken);
  const { error } = await world
    .deploy(policyWith({ telegraf: { ...entry, adopt: { tokenId: made.id } } }))
    .rotate();
  expect(error?.errorMessage).toMatch(/reads no bytes: store it as text/);
});

test('what has no place for a token is a finding that uses up no limit, and fails the run', async () => {
  const world = await openWorldForTest(policyWith({ other: writer }));
  const legacy: Record<string, object> = {};
  for (const name of ['x', 'y', 'z']) {
    const made = await world.people.mint({ description: name, permissions: [GRANT] });
    await world.people.createSecret(`legacy/${name}`, `{"key":"${made.accessToken}"}`);
    legacy[name] = {
      ...writer,
      secret: `legacy/${name}`,
      adopt: { tokenId: made.id, key: 'key' },
    };
  }
  const keyturn = world.deploy(policyWith({ telegraf: writer, grafana: writer, ...legacy }));
  await keyturn.rotate();
  for (const name of Object.keys(legacy)) await world.people.saveValue(`legacy/${name}`, '{"n":1}');
  await world.wait(2 * HOUR);
  const deleted = world.string(TELEGRAF);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);

  const { result } = await keyturn.rotate({ dryRun: true });
  expect(result.plan.actions).toMatchObject([{ token: 'telegraf', kind: 'rotate' }]);
  expect(result.plan.refusals).toEqual([]);
  expect(result.plan.findings.filter(({ kind }: Finding) => kind === 'OtherShape')).toMatchObject(
    Object.keys(legacy).map((token) => ({ token, message: expect.stringContaining('"key"') })),
  );
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('3 of 4 actions failed');
  expect(error?.errorMessage).toContain('rotate x: legacy/x has no string under');
  expect(world.string(TELEGRAF)).not.toBe(deleted);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  const named = await keyturn.rotate({ tokens: ['x'], force: true });
  expect(named.error?.errorMessage).toContain('1 of 1 action failed');
});

test.each([
  ['another key', 'other', false],
  ['another key, and a person saved the secret since', 'other', true],
  ['none', undefined, false],
])(
  'an entry whose key was changed to %s overwrites nothing of others, and fails the run',
  async (_what, key, isSaved) => {
    const { world, string } = await adopt(
      (token) => `{"influx": "${token}", "other": "hunter2"}`,
      'influx',
    );
    const tokenId = idOfCurrent(world);
    const edited = world.deploy(
      policyWith({ telegraf: { ...entry, adopt: { tokenId, ...(key && { key }) } } }),
    );
    const text = `${world.value(NAME)}${isSaved ? '\n' : ''}`;
    if (isSaved) await world.people.saveValue(NAME, text);
    await world.wait(31 * DAY);
    const minted = world.tokens().length;
    for (let runs = 0; runs < 2; runs += 1) {
      const { error } = await edited.rotate();
      expect(error?.errorMessage).toContain(`: ${NAME} has its token string`);
      await world.wait(30 * MINUTE);
    }
    const { result } = await edited.rotate({ dryRun: true });
    expect(
      result.plan.actions.filter(({ kind }: { kind: string }) => kind !== 'restart-grace'),
    ).toEqual([]);
    expect(result.plan.findings.map(({ kind }: Finding) => kind)).toContain('OtherShape');
    expect(world.value(NAME)).toBe(text);
    expect(world.tokens().length).toBe(minted);
    expect(world.accepts(string)).toBe(true);
  },
);

/** What a person makes of Keyturn's own JSON, so that it has no one place for a token. */
const UNCLEAR: Readonly<Record<string, (text: string, token: string) => string>> = {
  'one of its keys twice': (text) => text.replace('{', '{"url":"x",'),
  'its string under a second key': (text, token) => text.replace('{', `{"copy":"${token}",`),
  'its string inside another one': (text, token) => text.replace('{', `{"h":"Bearer ${token}",`),
};

test.each(Object.keys(UNCLEAR))(
  'JSON of Keyturn that has %s is a finding that names the secret, and nothing is minted',
  async (what) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const string = world.string(TELEGRAF);
    const text = UNCLEAR[what]?.(world.value(TELEGRAF), string) ?? '';
    await world.people.saveValue(TELEGRAF, text);
    await world.wait(31 * DAY);
    const minted = world.tokens().length;
    const { error } = await world.rotate();
    expect(error?.errorMessage).toContain(`: ${TELEGRAF} has `);
    const { result } = await world.rotate({ dryRun: true });
    expect(result.plan.findings).toContainEqual(
      expect.objectContaining({ kind: 'OtherShape', secret: TELEGRAF }),
    );
    expect(world.tokens().length).toBe(minted);
    expect(world.value(TELEGRAF)).toBe(text);
    expect(world.accepts(string)).toBe(true);
  },
);

test.each(['databases', 'url', 'expiresAt'] as const)(
  'where a person took our key %s away, the others do not speak of the former token',
  async (removed) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const { [removed]: _, ...rest } = JSON.parse(world.value(TELEGRAF));
    await world.people.saveValue(TELEGRAF, JSON.stringify({ ...rest, host: 'h' }, null, 2));
    await world.wait(31 * DAY);
    const ids = world.tokens(TELEGRAF).length;
    await world.rotate();
    await world.wait(30 * MINUTE);
    await world.rotate();
    const now = JSON.parse(world.value(TELEGRAF));
    expect(Object.keys(now)).toEqual([...Object.keys(rest), 'host']);
    expect(world.accepts(now.token)).toBe(true);
    expect(now.tokenId).toBe(world.holders(TELEGRAF).AWSCURRENT);
    expect(now.tokenId).not.toBe(rest.tokenId);
    if (removed !== 'expiresAt') expect(now.expiresAt > rest.expiresAt).toBe(true);
    expect(world.tokens(TELEGRAF).length).toBe(ids + 1);
  },
);

test('a value that a person put under one of our keys stays where the JSON is not whole', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  const { databases: _, ...rest } = JSON.parse(world.value(TELEGRAF));
  const mine = { ...rest, tokenId: 'see the wiki', expiresAt: 'soon', url: 'https://proxy' };
  await world.people.saveValue(TELEGRAF, JSON.stringify(mine));
  await world.rotate({ tokens: ['telegraf'], force: true });
  const now = JSON.parse(world.value(TELEGRAF));
  expect(now).toEqual({ ...mine, token: now.token });
  expect([now.token === mine.token, world.accepts(now.token)]).toEqual([false, true]);
});

test('a secret with a key that was made anew without a value says what to put there', async () => {
  const { world, keyturn } = await adopt((token) => `{"t": "${token}"}`, 't');
  await world.people.deleteSecret(NAME, 'for good');
  await world.people.createSecret(NAME, undefined, { 'keyturn:owner': 'prod' });
  await world.wait(HOUR);
  const { error } = await keyturn.rotate();
  expect(error?.errorMessage).toContain('save its JSON again, with any string under "t"');
  await world.people.saveValue(NAME, '{"t": "x"}');
  await keyturn.rotate({ ...force });
  expect(world.accepts(JSON.parse(world.value(NAME)).t)).toBe(true);
});

describe('an adopted secret whose `adopt` was removed keeps its shape', () => {
  const shape = (password: string) => JSON.stringify({ host: 'x', password, port: 1 });
  const NOT_FOUND = {
    status: 400,
    body: JSON.stringify({
      __type: 'ResourceNotFoundException',
      Message: "Secrets Manager can't find the specified secret value",
    }),
  };

  /** GetSecretValue finds nothing in the secret from its nth call on, so many times. */
  async function rotateUnseen(nth: number, times: number) {
    const { world, string } = await adopt(shape, 'password');
    const after = world.deploy(policyWith({ other: writer, telegraf: entry }));
    await world.wait(DAY);
    let calls = 0;
    world.intercept(({ operation, subject }, effect) => {
      const isValue = operation === 'GetSecretValue' && subject?.includes(NAME);
      if (isValue) calls += 1;
      const isUnseen = isValue && calls >= nth && calls < nth + times;
      return Promise.resolve(isUnseen ? NOT_FOUND : effect());
    });
    const answer = await after.rotate(force);
    world.intercept();
    return { world, string, answer };
  }

  test.each([1, 2, 3])('where read %i of its value finds nothing', async (nth) => {
    const { world, string, answer } = await rotateUnseen(nth, 1);
    expect(answer.error).toBeUndefined();
    stringInstead(string, shape(string), world);
  });

  test('where what was read once is found no more: what a version has, it keeps', async () => {
    const { world, string, answer } = await rotateUnseen(2, Number.POSITIVE_INFINITY);
    expect(answer.error).toBeUndefined();
    stringInstead(string, shape(string), world);
  });

  test('where no read finds one: the run fails', async () => {
    const { world, string, answer } = await rotateUnseen(1, Number.POSITIVE_INFINITY);
    expect(answer.error?.errorMessage).toMatch(/shows no value of version .* though a label names/);
    expect(world.value(NAME)).toBe(shape(string));
  });

  test('where a person moved AWSCURRENT to a version that has no value', async () => {
    const { world, string } = await adopt(shape, 'password');
    const after = world.deploy(policyWith({ other: writer, telegraf: entry }));
    await world.people.cancelRotation(NAME);
    await world.people.makeCurrent(NAME, world.labels(NAME).AWSPENDING);
    await world.wait(DAY);
    const { error } = await after.rotate(force);
    expect(error).toBeUndefined();
    stringInstead(string, shape(string), world);
  });
});
