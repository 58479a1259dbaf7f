import { expect, test } from 'vitest';
import { disturb } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, writer } from '../../world/policy.ts';
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
