import { expect, test } from 'vitest';
import type { Measurement } from '../../../functions/measurement/run-measurement.ts';
import type { Call, Reply } from '../../../sandbox/interception.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { MINUTE, policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const POLICY = policyWith({ telegraf: writer });
const busy: Reply = { status: 503, body: '' };

async function measure(world: World): Promise<Measurement> {
  const { result, error } = await world.rotate({ measure: true });
  expect(error).toBeUndefined();
  return result;
}

const live = ({ cluster }: World) => ({
  tokens: cluster.state.tokens.filter(({ revokedAt }) => revokedAt === undefined),
  databases: cluster.state.databases
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name }) => name),
});

/** Answers the nth call of an operation otherwise. */
function atCall(operation: string, nth: number, answer: (effect: () => Reply) => Reply) {
  let calls = 0;
  return (call: Call, effect: () => Reply) => {
    if (call.operation === operation) calls += 1;
    const isMet = call.operation === operation && calls === nth;
    return Promise.resolve(isMet ? answer(effect) : effect());
  };
}

const findingOf = ({ findings }: Measurement, check: string) =>
  findings.find((each) => each.check === check);

test('recommends by the slower of reads and writes', async () => {
  const world = await openWorldForTest(POLICY);
  const refusal: Reply = { status: 401, body: '' };
  const mintedAt = () =>
    world.cluster.state.tokens.find(({ permissions }) => permissions.length === 2)?.knownFrom ??
    Infinity;
  world.intercept(({ operation }, effect) => {
    const isEarly = world.clock.now() < mintedAt() + 60_000;
    return Promise.resolve(operation === 'POST /api/v2/write' && isEarly ? refusal : effect());
  });
  const measurement = await measure(world);
  expect(measurement.recommended[0]).toMatchObject({ key: 'activationTimeout', isSeenToEnd: true });
  expect(measurement.recommended[0]?.leastSeconds).toBeGreaterThanOrEqual(120);
  expect(findingOf(measurement, 'a new token')?.found).toMatch(
    /^a first router accepted it within a second, reads and writes both after \d\d to 6\d s, /,
  );
});

test('recommends nothing that would do where writes were never accepted', async () => {
  const world = await openWorldForTest(POLICY);
  world.intercept(({ operation }, effect) =>
    Promise.resolve(operation === 'POST /api/v2/write' ? { status: 401, body: '' } : effect()),
  );
  const { recommended } = await measure(world);
  expect(recommended[0]).toMatchObject({ key: 'activationTimeout', isSeenToEnd: false });
});

test('a list that is late is not called cut, nor is it said to show what is dead as live', async () => {
  const world = await openWorldForTest(POLICY);
  let cached: { readonly at: number; readonly reply: Reply } | undefined;
  world.intercept(({ operation }, effect) => {
    if (operation !== 'GET /tokens') return Promise.resolve(effect());
    const reply = effect();
    const now = world.clock.now();
    if (!cached || now - cached.at >= 60_000) cached = { at: now, reply };
    return Promise.resolve(cached.reply);
  });
  const measurement = await measure(world);
  expect(findingOf(measurement, 'the list of tokens')).toMatchObject({
    state: 'warn',
    found: expect.stringMatching(/^all that were made are among the \d.* It is late: /),
  });
  expect(measurement.facts.revoked).toEqual({ value: { listed: 'dead', byId: 'dead' } });
  expect(measurement.profile.manners).not.toHaveProperty('longestListing');
});

test('a list that is cut is said to be that, or later than it was waited for', async () => {
  const world = await openWorldForTest(POLICY);
  world.cluster.manners = { longestListing: 2 };
  const found = findingOf(await measure(world), 'the list of tokens');
  expect(found?.state).toBe('fail');
  const [, waited] =
    /leaves out 3 tokens .*, also (\d+) s after .*: it is cut, or later/.exec(found?.found ?? '') ??
    [];
  expect(Number(waited)).toBeGreaterThan(100);
});

test.each([1, 2, 3, 4, 5])('one 503 at a mint, the %ith, ends no measurement', async (nth) => {
  const world = await openWorldForTest(POLICY);
  const before = live(world);
  world.intercept(atCall('POST /tokens', nth, () => busy));
  const { left, findings } = await measure(world);
  expect(left).toEqual([]);
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(live(world)).toEqual(before);
});

test.each([
  ['before', () => busy],
  [
    'after',
    (effect: () => Reply) => {
      effect();
      return busy;
    },
  ],
] as const)(
  'one 503 at the database, %s the effect, ends no measurement',
  async (_when, answer) => {
    const world = await openWorldForTest(POLICY);
    const before = live(world);
    world.intercept(atCall('POST /databases', 1, answer));
    expect((await measure(world)).left).toEqual([]);
    expect(live(world)).toEqual(before);
  },
);

test('a mint whose answer is lost leaves nothing, and where lists fail it is told', async () => {
  for (const isListed of [true, false]) {
    const world = await openWorldForTest(POLICY);
    const before = live(world);
    let [mints, isLost] = [0, false];
    world.intercept(({ operation }, effect) => {
      if (operation === 'POST /tokens') {
        mints += 1;
        const reply = effect();
        isLost ||= mints === 4;
        return Promise.resolve(mints === 4 ? 'reset' : reply);
      }
      if (isLost && !isListed && operation === 'GET /tokens') return Promise.resolve(busy);
      return Promise.resolve(effect());
    });
    const { left, database } = await measure(world);
    if (isListed) {
      expect(left).toEqual([]);
      expect(live(world)).toEqual(before);
      continue;
    }
    const [lost, ...others] = live(world).tokens.slice(before.tokens.length);
    expect(others).toEqual([]);
    expect(left).toEqual([
      expect.stringMatching(
        /^a token may be there .* whose answer was lost.*could not be listed \(.*503/,
      ),
    ]);
    expect(left[0]).toContain(`"keyturn-measure owner=prod database=${database}"`);
    expect(left[0]).toContain(new Date(lost?.expiresAt ?? 0).toISOString().slice(0, 19));
    world.intercept();
    await world.wait(16 * MINUTE);
    await measure(world);
    expect(live(world)).toEqual(before);
  }
});

test('a replica that is late is met, although another one answered before', async () => {
  const world = await openWorldForTest(POLICY);
  const began = world.clock.now();
  let reads = 0;
  const unknown = '{"code": 404, "message": "token not found"}';
  const headers = { 'content-type': 'application/json' };
  world.intercept(({ operation }, effect) => {
    if (operation === 'GET /tokens/{id}') reads += 1;
    const isLate = reads % 5 === 0 && world.clock.now() - began < 30_000;
    const answersLate = operation === 'GET /tokens/{id}' && isLate;
    return Promise.resolve(answersLate ? { status: 404, headers, body: unknown } : effect());
  });
  const { facts } = await measure(world);
  const { from, to } = 'value' in facts.reads ? facts.reads.value : { from: 0, to: 0 };
  expect(from).toBeLessThanOrEqual(30_000);
  expect(from).toBeGreaterThan(15_000);
  expect(to).toBeGreaterThan(from);
  expect(facts.patch).toEqual({ value: 'both' });
});

test('a measurement that fails says what an earlier one had left, too', async () => {
  const world = await openWorldForTest(POLICY);
  world.cluster.manners = { forbids: ['DELETE /databases/{name}'] };
  const { database } = await measure(world);
  world.cluster.manners = { forbids: ['DELETE /databases/{name}', 'POST /databases'] };
  await world.wait(16 * MINUTE);
  const { error } = await world.rotate({ measure: true });
  expect(error?.errorMessage).toMatch(
    new RegExp(`^POST .*/databases .*; left: database ${database}: DELETE`),
  );
});
