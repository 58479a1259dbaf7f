import { expect, test } from 'vitest';
import type { BurstResult } from '../../../functions/data-plane/data-plane.ts';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { askConsumersStrings } from '../../../functions/rotation/ask-consumers-strings.ts';
import type { Tools } from '../../../functions/run/tools.ts';
import { MINUTE_MS } from '../../../functions/time.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import type { Observation } from '../../../functions/tokens/observation.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const GRAFANA = 'keyturn/prod/grafana';
const two = policyWith({
  telegraf: writer,
  grafana: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
});
const PROBE = { dryRun: true, probe: true };

/** What is said of the strings of both entries. */
async function asked(world: World, event: object = PROBE): Promise<readonly unknown[]> {
  const { result, error } = await world.rotate(event);
  expect(error).toBeUndefined();
  return result.entries.map(({ acceptance }: { readonly acceptance?: object }) => acceptance);
}

const accepted = { answer: 'accepted' };
const because = (answer: string, why: string) => ({ answer, why: expect.stringContaining(why) });

test.each([
  ['without dryRun', { probe: true }],
  [
    'of a schedule',
    {
      ...PROBE,
      scheduled: { at: '2026-03-02T12:00:00Z', nextInSeconds: 1800, thirdInSeconds: 5400 },
    },
  ],
  ['with a takeover', { ...PROBE, tokens: ['telegraf'], takeOver: { by: 'alice' } }],
])('a probe is refused %s, and nothing is asked', async (_how, event) => {
  const world = await openWorldForTest(two);
  await world.rotate();
  let probes = 0;
  world.watch((call, effect) => {
    if (call.server === 'data-plane') probes += 1;
    return effect();
  });
  const { error } = await world.rotate(event);
  expect(error).toMatchObject({
    errorType: 'RequestError',
    errorMessage: expect.stringContaining('probe requires dryRun, without scheduled and takeOver'),
  });
  expect(probes).toBe(0);
});

test('a dry run that probes says that consumers are accepted, for every grant, and writes nothing', async () => {
  const world = await openWorldForTest(two);
  await world.rotate();
  await world.wait(HOUR);
  const calls = new Map<string, Set<string>>();
  world.watch((call, effect) => {
    const of = calls.get(call.server) ?? new Set();
    calls.set(call.server, of.add(call.operation));
    return effect();
  });
  expect(await asked(world)).toEqual([accepted, accepted]);
  expect([...(calls.get('data-plane') ?? [])].sort()).toEqual(['GET /query', 'POST /api/v2/write']);
  expect(
    [...(calls.get('management-api') ?? [])].filter((each) => !each.startsWith('GET')),
  ).toEqual([]);
  expect(
    [...(calls.get('secrets-manager') ?? [])].filter((each) => !/^(Get|List|Describe)/.test(each)),
  ).toEqual([]);
  expect(await asked(world, { dryRun: true })).toEqual([undefined, undefined]);
  expect(await asked(world, { ...PROBE, tokens: ['grafana'] })).toEqual([undefined, accepted]);
});

test('says what each string meets, and never calls accepted what nobody asked or answered', async () => {
  const world = await openWorldForTest(two);
  expect(await asked(world)).toEqual([
    because('not asked', 'no string'),
    because('not asked', 'no string'),
  ]);
  await world.rotate();
  await world.wait(HOUR);

  await world.people.changeToken(world.holders(GRAFANA).AWSCURRENT, {
    permissions: [{ action: 'read', resource: 'telemetry' }],
  });
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  await world.wait(HOUR);
  expect(await asked(world)).toEqual([
    because('refused', '/api/v2/write'),
    { ...because('unclear', '5 of 10 probes were refused'), mixed: true },
  ]);

  await world.people.saveValue(TELEGRAF, 'change me');
  await world.people.deleteSecret(GRAFANA);
  expect(await asked(world)).toEqual([
    because('refused', 'none that can be sent'),
    because('not asked', 'deletion is scheduled'),
  ]);

  await world.people.tag(TELEGRAF, { 'keyturn:cluster': 'https://elsewhere.example.com' });
  expect((await asked(world))[0]).toEqual(because('not asked', 'another cluster'));
});

test.each([
  ['is out of order', { status: 503, body: 'down' }],
  ['is behind a login page', { status: 401, body: '<html>log in</html>' }],
])('where the data plane %s nothing is clear', async (_what, answer) => {
  const world = await openWorldForTest(two);
  await world.rotate();
  world.intercept((call, effect) =>
    Promise.resolve(call.server === 'data-plane' ? answer : effect()),
  );
  const unclear = because('unclear', String(answer.status));
  expect(await asked(world)).toEqual([unclear, unclear]);
});

test.each([
  ['after the refusals of the same burst', 10, '9 of 10 probes were refused'],
  ['after a whole burst that was refused', 11, '401'],
])('a probe that says nothing, %s, does not hide them', async (_when, nth, why) => {
  const databases = Array.from({ length: 12 }, (_, index) => ({ name: `db${index}` }));
  const read = databases.map(({ name }) => name);
  const world = await openWorldForTest(
    policyWith({ telegraf: { permissions: { read } } }, { databases }),
    { databases: read },
  );
  await world.rotate();
  await world.wait(HOUR);
  let count = 0;
  world.intercept((call, effect) => {
    if (call.server !== 'data-plane') return Promise.resolve(effect());
    count += 1;
    return Promise.resolve({ status: count >= nth ? 429 : 401, body: '' });
  });
  expect(await asked(world)).toEqual([{ ...because('unclear', why), mixed: true }]);
});

/** Tools whose data plane takes so long for each answer. */
function slowTools(names: readonly string[], answerMs: number, result: BurstResult) {
  const policy = parsePolicy({
    owner: 'prod',
    cluster: { url: 'https://cluster.example.com', managementToken: 'm' },
    databases: [{ name: 'telemetry' }],
    tokens: Object.fromEntries(names.map((name) => [name, writer])),
  });
  let at = 0;
  const sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  /** Time moves on as soon as nobody does anything else. */
  const sleep = (ms: number) =>
    new Promise<void>((wake) => {
      sleepers.push({ until: at + ms, wake });
      setImmediate(() => {
        sleepers.sort((a, b) => a.until - b.until);
        const next = sleepers.shift();
        if (next) at = Math.max(at, next.until);
        next?.wake();
      });
    });
  const tools = {
    policy,
    now: () => at,
    deadline: 15 * MINUTE_MS,
    random: () => 0.5,
    log: { info() {}, warn() {}, error() {} },
    secrets: { value: () => Promise.resolve(new TokenValue('apiv1_x')) },
    dataPlane: {
      async burst() {
        await sleep(answerMs);
        return result;
      },
    },
  } as unknown as Tools;
  return { tools, elapsed: () => at };
}

test('a thousand strings that are answered slowly are asked as far as two minutes go, and the rest is not called well', async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `token${index}`);
  const { tools, elapsed } = slowTools(names, 10_000, { answer: 'accepted' });
  const observation = { secrets: new Map() } as unknown as Observation;
  const answers = [...(await askConsumersStrings(observation, {}, tools)).values()];
  const count = (wanted: string) => answers.filter(({ answer }) => answer === wanted).length;
  expect(answers).toHaveLength(1_000);
  // Ten at a time, twelve after each other.
  expect([count('accepted'), count('not asked')]).toEqual([120, 880]);
  expect(elapsed()).toBe(2 * MINUTE_MS);
});

test('an answer that did not come before the time was over is none', async () => {
  const { tools } = slowTools(['one'], 2 * MINUTE_MS, { answer: 'indeterminate', detail: 'late' });
  const observation = { secrets: new Map() } as unknown as Observation;
  expect([...(await askConsumersStrings(observation, {}, tools)).values()]).toEqual([
    because('not asked', 'no time left'),
  ]);
});
