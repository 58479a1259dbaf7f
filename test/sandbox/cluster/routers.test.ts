import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { bearer, START, start } from './fixture.ts';

const WRITE = { action: 'write', resource: 'db' };
const SPREAD = 240_000;
const routers = { count: 12, spreadMs: SPREAD };

/** The same ids in every run: by them it is drawn when each router learns of a token. */
const drawn = () => {
  let count = 0;
  return () => `${count++}`;
};

/** By how many routers a string is accepted, every ten seconds. */
function counts(
  { cluster, time }: Awaited<ReturnType<typeof start>>,
  string: string,
  from: number,
): number[] {
  const seen: number[] = [];
  for (time.now = from; time.now <= from + SPREAD; time.now += 10_000) {
    seen.push(cluster.acceptedBy(string, 'write', 'db').length);
  }
  return seen;
}

const isMonotonic = (numbers: readonly number[]) =>
  numbers.every((each, index) => index === 0 || each >= (numbers[index - 1] ?? 0));

test('every router learns of a new token, of new permissions and of the end at a time of its own', async () => {
  const world = await start({
    routers,
    random: drawn(),
    activationDelayMs: 60_000,
    revocationDelayMs: 60_000,
  });
  const { id, accessToken } = await world.mint([WRITE]);
  const rising = counts(world, accessToken, START + 60_000);
  expect(isMonotonic(rising)).toBe(true);
  expect(new Set(rising).size).toBeGreaterThan(5);
  expect(rising.at(-1)).toBe(12);

  const strippedAt = world.time.now;
  await world.manage('PATCH', `/tokens/${id}`, { permissions: [] });
  const falling = counts(world, accessToken, strippedAt + 60_000);
  expect(isMonotonic(falling.toReversed())).toBe(true);
  expect(falling.at(-1)).toBe(0);

  await world.manage('PATCH', `/tokens/${id}`, { permissions: [WRITE] });
  world.time.now += 60_000 + SPREAD;
  expect(world.cluster.accepts(accessToken, 'write', 'db')).toBe(true);
  const deletedAt = world.time.now;
  await world.manage('DELETE', `/tokens/${id}`);
  const dying = counts(world, accessToken, deletedAt + 60_000);
  expect(dying[0]).toBeGreaterThan(0);
  expect(dying.at(-1)).toBe(0);
});

test('is accepted by the cluster only when every router accepts it', async () => {
  const { cluster, mint, time } = await start({ routers, random: drawn() });
  const { accessToken } = await mint([WRITE]);
  time.now = START + SPREAD / 2;
  expect(cluster.acceptedBy(accessToken, 'write', 'db').length).toBeGreaterThan(0);
  expect(cluster.accepts(accessToken, 'write', 'db')).toBe(false);
});

/** The status of one empty write, on a connection of its own or of an agent. */
const write = (url: string, token: string, agent: Agent | false) =>
  new Promise<number>((resolve, reject) => {
    const sent = request(
      `${url}/write?db=db`,
      { method: 'POST', headers: bearer(token), agent },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.once('error', reject).end();
  });

test('a new connection meets any router, a kept one stays with its own', async () => {
  const { cluster, mint, time } = await start({ routers, random: drawn() });
  const { accessToken } = await mint([WRITE]);
  time.now = START + SPREAD / 2;
  const fresh: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    fresh.push(await write(cluster.url, accessToken, false));
  }
  expect(new Set(fresh)).toEqual(new Set([204, 401]));
  // With one socket at most: another one is not opened because this is not free yet.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const kept = await Promise.all(
    Array.from({ length: 10 }, () => write(cluster.url, accessToken, agent)),
  );
  agent.destroy();
  expect(new Set(kept).size).toBe(1);
});

test('token strings are of either base64 alphabet, and both are accepted', async () => {
  const { cluster, mint } = await start();
  const minted = await Promise.all(Array.from({ length: 40 }, () => mint([WRITE])));
  const strings = minted.map(({ accessToken }) => accessToken);
  expect(strings.some((string) => /[+/]/.test(string))).toBe(true);
  expect(strings.some((string) => /[-_]/.test(string.slice('apiv1_'.length)))).toBe(true);
  expect(strings.every((string) => cluster.accepts(string, 'write', 'db'))).toBe(true);
});
