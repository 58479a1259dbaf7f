import { expect, test } from 'vitest';
import { disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const WRITE = [{ action: 'write', resource: 'telemetry' }] as const;

/** One day of schedules: two runs of `rotate`, and `reap`. */
async function passDay(world: World, { rotate, reap }: Deployment) {
  await world.wait(DAY - 30 * MINUTE);
  await rotate();
  await world.wait(30 * MINUTE);
  const { result } = await rotate();
  await reap();
  return result.entries[0];
}

const UNUSABLE = 'Owner=prod UnusableTokens';
const tokenUnusable = ({ metrics }: Pick<Deployment, 'metrics'>) =>
  Number(metrics().findLast((each) => UNUSABLE in each)?.[UNUSABLE]) > 0;

test.each<[string, (now: string, former: string) => object]>([
  ['behind it', (token, old) => ({ token, old })],
  ['before it', (token, old) => ({ old, token })],
])(
  'the string that consumers read stays, where a person keeps the former one %s',
  async (_where, text) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer }));
    await world.rotate();
    const former = world.string(TELEGRAF);
    await world.wait(DAY);
    await world.rotate({ tokens: ['telegraf'], force: true });
    const now = world.string(TELEGRAF);
    await world.wait(2 * HOUR);
    await world.people.saveValue(TELEGRAF, JSON.stringify(text(now, former)));
    for (let day = 0; day < 6; day += 1) await passDay(world, world);
    const { token, old } = JSON.parse(world.value(TELEGRAF));
    expect([token, old]).toEqual([now, former]);
    expect([world.accepts(token), world.accepts(old)]).toEqual([true, false]);
  },
);

test('and in JSON that was adopted, the key under which it was before', async () => {
  const world = await openWorldForTest(policyWith({ grafana: writer }));
  const mine = await world.people.mint({ description: 'telegraf', permissions: WRITE });
  const inherited = JSON.stringify({
    host: 'x',
    token: 'of something else',
    writer: mine.accessToken,
  });
  await world.people.createSecret(TELEGRAF, inherited);
  const adopt = { tokenId: mine.id, key: 'writer' };
  await world.deploy(policyWith({ telegraf: { ...writer, adopt } })).rotate();
  const later = world.deploy(policyWith({ telegraf: writer }));
  await world.wait(2 * DAY);
  await later.rotate({ tokens: ['telegraf'], force: true });
  const { writer: now, ...others } = JSON.parse(world.value(TELEGRAF));
  await world.wait(2 * HOUR);
  const beside = { before: mine.accessToken, ...others, writer: now };
  await world.people.saveValue(TELEGRAF, JSON.stringify(beside));
  for (let day = 0; day < 6; day += 1) await passDay(world, later);
  expect(JSON.parse(world.value(TELEGRAF))).toEqual(beside);
  expect(world.accepts(now)).toBe(true);

  await later.rotate({ tokens: ['telegraf'], force: true });
  const rotated = JSON.parse(world.value(TELEGRAF));
  expect(rotated).toEqual({ ...beside, writer: rotated.writer });
  expect(rotated.writer).not.toBe(now);
});

test.each([
  ['a string made by hand', 'HAND'],
  ['a placeholder', 'CHANGE_ME'],
])('%s under our key is not taken for the string of ours beside it', async (_what, under) => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.wait(DAY);
  const hand = await world.people.mint({ description: 'by hand', permissions: WRITE });
  const ours = world.string(TELEGRAF);
  const token = under.replace('HAND', hand.accessToken);
  await world.people.saveValue(TELEGRAF, JSON.stringify({ token, old: ours }));
  await world.wait(20 * MINUTE);
  const { result } = await world.rotate();
  expect(result.entries[0].condition).toBe('unknown');
  expect(tokenUnusable(world)).toBe(true);

  await world.wait(30 * DAY);
  for (let day = 0; day < 2; day += 1) await passDay(world, world);
  const { token: read, old } = JSON.parse(world.value(TELEGRAF));
  expect(old).toBe(ours);
  expect([read === token, world.accepts(read)]).toEqual([false, true]);
});

test.each<[string, (string: string) => string]>([
  ['a header', (string) => `Bearer ${string}`],
  ['a file of variables', (string) => `INFLUX_TOKEN=${string}\n`],
  ['YAML', (string) => `token: ${string}\nurl: https://x\n`],
  ['a list', (string) => JSON.stringify([string])],
  [
    'a header in JSON',
    (string) => JSON.stringify({ headers: { Authorization: `Bearer ${string}` } }),
  ],
])(
  'a string that a person saved in %s is unknown, not refused, and stays',
  async (_form, textOf) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
    await world.rotate();
    await world.wait(DAY);
    const hand = await world.people.mint({ description: 'by hand', permissions: WRITE });
    const text = textOf(hand.accessToken);
    await world.people.saveValue(TELEGRAF, text);
    for (const time of [20 * MINUTE, 61 * MINUTE, 61 * MINUTE]) {
      await world.wait(time);
      const { result } = await world.rotate();
      expect(result.entries[0].condition).toBe('unknown');
      expect(tokenUnusable(world)).toBe(true);
    }
    expect(world.value(TELEGRAF)).toBe(text);
  },
);

/** What a consumer sends. */
const sentFrom = (text: string): string =>
  text.startsWith('{') ? JSON.parse(text).token : text.replace('\n', '');

test.each(
  ['\ufeff#', '\u00a0#', '#\u2028'].flatMap((string) =>
    ['#\n', '{"token":"#"}'].map((text) => text.replace('#', string)),
  ),
)(
  'a character that consumers send with their token makes it unknown, until it is replaced: %j',
  async (template) => {
    const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
    await world.rotate();
    await world.people.saveValue(TELEGRAF, template.replace('#', world.string(TELEGRAF)));
    await world.wait(20 * MINUTE);
    const { result } = await world.rotate();
    expect(result.entries[0].condition).toBe('unknown');
    expect(tokenUnusable(world)).toBe(true);
    await world.wait(HOUR);
    await world.rotate();
    expect(world.accepts(sentFrom(world.value(TELEGRAF)))).toBe(true);
    await world.rotate();
    expect(tokenUnusable(world)).toBe(false);
  },
);

test('a run that dies before it armed a token is carried on, where another team has a string beside it', async () => {
  const world = await openWorldForTest(policyWith({ grafana: writer }));
  const mine = await world.people.mint({ description: 'telegraf', permissions: WRITE });
  const other = await world.people.mint({ description: 'of another team', permissions: WRITE });
  const inherited = { host: 'x', reader: other.accessToken, writer: mine.accessToken };
  await world.people.createSecret(TELEGRAF, JSON.stringify(inherited));
  const adopt = { tokenId: mine.id, key: 'writer' };
  await world.deploy(policyWith({ telegraf: { ...writer, adopt } })).rotate();
  const later = world.deploy(policyWith({ telegraf: writer }));
  await world.wait(2 * DAY);
  await later.rotate({ tokens: ['telegraf'], force: true });
  await world.wait(31 * DAY);
  await disturb(world, () => later.rotate(), 1, {
    meet: faults['killed after the effect'],
    counts: ({ operation }) => operation === 'PutSecretValue',
  });
  const pending = world.labels(TELEGRAF).AWSPENDING;
  await world.wait(11 * MINUTE);
  const { error } = await later.rotate();
  expect(error).toBeUndefined();
  await world.wait(11 * MINUTE);
  await later.rotate();
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(pending);
  const { writer: now, ...others } = JSON.parse(world.value(TELEGRAF));
  expect(others).toEqual({ host: 'x', reader: other.accessToken });
  expect([now === mine.accessToken, world.accepts(now)]).toEqual([false, true]);
});
