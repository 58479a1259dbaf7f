import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSecrets } from '../../../functions/secrets-manager/client.ts';
import { type Secrets, UnreadableSecretError } from '../../../functions/secrets-manager/secrets.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { realClock } from '../../../sandbox/clock.ts';
import type { Interceptor } from '../../../sandbox/interception.ts';
import { startOddServer } from '../management-api/odd-server.ts';
import { connect, START, version } from './connect.ts';

const owned = (owner: string) => ({ description: 'a token', tags: { 'keyturn:owner': owner } });
const value = new TokenValue('apiv1_theStringItself');

test('lists every secret of an owner, to the last page', async () => {
  const { aws, secrets } = await connect();
  for (let n = 0; n < 253; n += 1) await secrets.create(`keyturn/prod/t${n}`, owned('prod'));
  const listed = await secrets.list('prod');
  expect(new Set(listed.map(({ name }) => name)).size).toBe(253);
  expect(aws.state.calls.ListSecrets).toBe(3);
});

test('lists no secret of an owner whose name begins alike, or who is named by another tag', async () => {
  const { secrets } = await connect();
  await secrets.create('ours', owned('prod'));
  await secrets.create('theirs', owned('prod2'));
  await secrets.create('other', {
    description: '',
    tags: { 'keyturn:owner': 'staging', stage: 'prod' },
  });
  await secrets.create('longer', {
    description: '',
    tags: { 'keyturn:owner-of-old': 'prod' },
  });
  expect((await secrets.list('prod')).map(({ name }) => name)).toEqual(['ours']);
});

test('lists secrets that are scheduled for deletion, and says when', async () => {
  const { aws, secrets } = await connect();
  await secrets.create('doomed', owned('prod'));
  await secrets.delete('doomed');
  expect(await secrets.list('prod')).toEqual([await secrets.describe('doomed')]);
  expect(await secrets.describe('doomed')).toMatchObject({ deletedAt: expect.any(Number) });
  const { deletedAt, deletionAt } = aws.state.secrets.doomed ?? {};
  expect(Number(deletionAt) - Number(deletedAt)).toBe(30 * 86_400_000);
});

test('tells in the listing and in the description alike which version bears which label', async () => {
  const { secrets } = await connect();
  await secrets.create('s', owned('prod'));
  await secrets.put('s', version(1), value, 'AWSPENDING');
  await secrets.put('s', version(2), new TokenValue('x'), 'AWSPENDING');
  await secrets.moveLabel('s', 'AWSCURRENT', { to: version(2), from: version(1) });
  const labels = { AWSCURRENT: version(2), AWSPENDING: version(2), AWSPREVIOUS: version(1) };
  const described = await secrets.describe('s');
  expect(described).toEqual({
    name: 's',
    arn: expect.stringMatching(/:secret:s-\w{6}$/),
    labels,
    tags: { 'keyturn:owner': 'prod' },
    changedAt: START,
    replica: false,
  });
  expect(await secrets.list('prod')).toEqual([described]);
  expect((await secrets.value('s'))?.reveal()).toBe('x');
  expect((await secrets.value('s', version(1)))?.reveal()).toBe('apiv1_theStringItself');
});

test('tells when every version was made, with those that no label names', async () => {
  let now = START;
  const { secrets } = await connect({}, { clock: { now: () => now } });
  await secrets.create('s', owned('prod'));
  for (let n = 0; n < 3; n += 1) {
    await secrets.put('s', version(n), value, 'AWSPENDING');
    now += 1_000;
  }
  const times = await secrets.versionTimes('s');
  expect(times).toEqual(new Map([0, 1, 2].map((n) => [version(n), START + n * 1_000])));
  expect(await secrets.versionTimes('nothing')).toEqual(new Map());
});

test('says undefined of what is not there', async () => {
  const { secrets } = await connect();
  expect(await secrets.describe('nothing')).toBeUndefined();
  expect(await secrets.value('nothing')).toBeUndefined();
  await secrets.create('empty', owned('prod'));
  expect(await secrets.value('empty')).toBeUndefined();
  expect(await secrets.value('empty', version(1))).toBeUndefined();
  expect(await secrets.list('nobody')).toEqual([]);
});

test('puts a version once, however often the same one is put', async () => {
  const { aws, secrets } = await connect();
  await secrets.create('s', owned('prod'));
  for (let n = 0; n < 2; n += 1) await secrets.put('s', version(1), value, 'AWSPENDING');
  expect(Object.keys(aws.state.secrets.s?.versions ?? {})).toEqual([version(1)]);
});

test('moves a label only from where it is said to be', async () => {
  const { secrets } = await connect();
  await secrets.create('s', owned('prod'));
  await secrets.put('s', version(1), value, 'AWSCURRENT');
  await secrets.put('s', version(2), value, 'AWSPENDING');
  await secrets.put('s', version(3), value, 'OTHER');
  await expect(
    secrets.moveLabel('s', 'AWSCURRENT', { to: version(3), from: version(2) }),
  ).rejects.toThrow();
  await secrets.moveLabel('s', 'AWSCURRENT', { to: version(2), from: version(1) });
  await secrets.moveLabel('s', 'AWSPREVIOUS', { from: version(1) });
  expect((await secrets.describe('s'))?.labels).toEqual({
    AWSCURRENT: version(2),
    AWSPENDING: version(2),
    OTHER: version(3),
  });
});

test('creates a secret with replicas, adds some, and tells what became of them', async () => {
  const { aws, secrets } = await connect();
  const frankfurt = { region: 'eu-central-1' };
  await secrets.create('s', { ...owned('prod'), replicaRegions: [frankfurt] });
  const there = [{ region: 'eu-central-1', status: 'InSync' }];
  expect((await secrets.describe('s'))?.replicas).toEqual(there);
  const north = { region: 'eu-north-1', encryptionKey: 'alias/tokens' };
  const both = [...there, { region: 'eu-north-1', status: 'InSync', key: 'alias/tokens' }];
  expect(await secrets.replicate('s', [north])).toEqual(both);
  expect((await secrets.describe('s'))?.replicas).toEqual(both);
  expect(aws.state.secrets.s?.replicas['eu-north-1']?.kmsKeyId).toBe('alias/tokens');
  expect((await secrets.list('prod'))[0]).not.toHaveProperty('replicas');

  await secrets.create('alone', { ...owned('prod'), replicaRegions: [] });
  expect(await secrets.describe('alone')).not.toHaveProperty('replicas');
});

test('tags and untags', async () => {
  const { secrets } = await connect();
  await secrets.create('s', owned('prod'));
  await secrets.tag('s', { 'keyturn:hold': 'frozen' });
  expect((await secrets.describe('s'))?.tags).toMatchObject({ 'keyturn:hold': 'frozen' });
  await secrets.untag('s', ['keyturn:hold']);
  expect((await secrets.describe('s'))?.tags).toEqual({ 'keyturn:owner': 'prod' });
});

/** Fails the first `times` calls of any operation. */
const failing = (times: number, status: number, type: string): Interceptor => {
  let left = times;
  return (_call, effect) => {
    left -= 1;
    const body = JSON.stringify({ __type: type, Message: 'later' });
    return Promise.resolve(left >= 0 ? { status, body } : effect());
  };
};

test.each([
  [400, 'ThrottlingException'],
  [400, 'RequestLimitExceeded'],
  [500, 'InternalServiceError'],
  [503, 'ServiceUnavailable'],
])('tries again after %i %s, with growing pauses', async (status, type) => {
  const { aws, secrets, timing } = await connect();
  await secrets.create('s', owned('prod'));
  aws.intercept = failing(3, status, type);
  expect(await secrets.describe('s')).toBeDefined();
  expect(timing.naps).toEqual([100, 200, 400]);
});

test.each<[string, (secrets: Secrets, index: number) => Promise<unknown>]>([
  ['tags', (secrets) => secrets.tag('s', { a: 'b' })],
  ['removals of tags', (secrets) => secrets.untag('s', ['a'])],
  ['new secrets', (secrets, index) => secrets.create(`s${index}`, owned('prod'))],
])('writes %s no faster than the quota of the whole account allows', async (_what, write) => {
  const { secrets, timing } = await connect({ writesPerSecond: 10 });
  await secrets.create('s', owned('prod'));
  const from = timing.now();
  for (let index = 0; index < 11; index += 1) await write(secrets, index);
  expect(timing.now() - from).toBeGreaterThanOrEqual(1_000);
});

test.each<[string, number, (secrets: Secrets) => Promise<unknown>]>([
  ['lists of versions', 25, (secrets) => secrets.versionTimes('s')],
  ['lists of secrets', 25, (secrets) => secrets.list('prod')],
  ['descriptions', 1_000, (secrets) => secrets.describe('s')],
  ['values', 1_000, (secrets) => secrets.value('s', version(1))],
])('reads %s no faster than the quota of the whole account allows', async (_what, most, read) => {
  const { secrets, timing } = await connect();
  await secrets.create('s', owned('prod'));
  const from = timing.now();
  const rounds = Math.ceil(most / 10);
  for (let index = 0; index <= rounds; index += 1) await read(secrets);
  expect(timing.now() - from).toBeGreaterThanOrEqual((1_000 * rounds) / most);
});

test('gives up after five tries', async () => {
  const { aws, secrets } = await connect();
  aws.intercept = failing(99, 400, 'ThrottlingException');
  await expect(secrets.list('prod')).rejects.toThrow('later');
  expect(aws.state.calls.ListSecrets).toBe(5);
});

test('tries nothing again behind the deadline', async () => {
  const { aws, secrets } = await connect({ deadline: () => START + 100 });
  aws.intercept = failing(99, 500, 'InternalServiceError');
  await expect(secrets.describe('s')).rejects.toThrow();
  expect(aws.state.calls.DescribeSecret).toBe(1);
});

test('asks once where the answer cannot change: refusals, and a move of a label', async () => {
  const { aws, secrets } = await connect();
  await secrets.create('s', owned('prod'));
  aws.intercept = failing(1, 400, 'AccessDeniedException');
  await expect(secrets.describe('s')).rejects.toThrow('later');
  expect(aws.state.calls.DescribeSecret).toBe(1);
  aws.intercept = failing(1, 500, 'InternalServiceError');
  await expect(secrets.moveLabel('s', 'X', { to: version(1) })).rejects.toThrow();
  expect(aws.state.calls.UpdateSecretVersionStage).toBe(1);
});

test('moves a label again that was throttled, which had no effect', async () => {
  const { aws, secrets } = await connect();
  await secrets.create('s', owned('prod'));
  await secrets.put('s', version(1), value, 'AWSCURRENT');
  aws.intercept = failing(3, 400, 'ThrottlingException');
  await secrets.moveLabel('s', 'X', { to: version(1) });
  expect((await secrets.describe('s'))?.labels).toMatchObject({ X: version(1) });
});

test('does not ask five times for a string where there are bytes', async () => {
  const { aws, secrets } = await connect();
  aws.intercept = (_call, effect) => {
    effect();
    return Promise.resolve({ status: 200, body: '{"Name":"s","SecretBinary":"AAAA"}' });
  };
  await expect(secrets.value('s')).rejects.toThrow('s has a binary value');
  expect(aws.state.calls.GetSecretValue).toBe(1);
});

test('shows no token string in what it throws', async () => {
  const { aws, secrets } = await connect();
  await secrets.create('s', owned('prod'));
  aws.intercept = failing(99, 400, 'AccessDeniedException');
  const error = await secrets.put('s', version(1), value, 'AWSPENDING').catch((each) => each);
  expect(error).toBeInstanceOf(Error);
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  expect(shown).not.toContain('theStringItself');
});

/** What a server of another kind answers in AWS's place. */
async function connectToOdd(
  answering: Parameters<typeof startOddServer>[0],
  left = 60_000,
  timeoutMs = 10_000,
) {
  const server = await startOddServer(answering);
  const deadline = realClock.now() + left;
  const secrets = createSecrets({
    client: {
      endpoint: server.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    writesPerSecond: 20,
    timeoutMs,
    now: realClock.now,
    random: () => 0,
    sleep,
    deadline: () => deadline,
  });
  return { server, secrets };
}

/** Time that passes only while the server is asked: none is lost before, on however busy a machine. */
function passing<Given>(ms: number, answer: Given): () => Given {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return () => {
    vi.advanceTimersByTime(ms);
    return answer;
  };
}

test.each(['silence', 'trickle'] as const)(
  'a server whose answer is %s is asked once more, and then given up',
  async (answer) => {
    const { server, secrets } = await connectToOdd(passing(10_000, answer));
    await expect(secrets.describe('keyturn/prod/telegraf')).rejects.toThrow(
      'DescribeSecret of keyturn/prod/telegraf: no complete answer within 10 s',
    );
    expect(server.asked).toHaveLength(2);
  },
);

test('an answer without end is given up before it fills the memory', async () => {
  const { server, secrets } = await connectToOdd(() => ({
    body: `"${'x'.repeat(9 * 1024 * 1024)}"`,
  }));
  await expect(secrets.describe('s')).rejects.toThrow(
    'DescribeSecret of s: the answer is longer than 8 MB',
  );
  expect(server.asked).toHaveLength(1);
});

test('a long message is cut, and no string with it: the report of a run has many', async () => {
  const message = `${'x'.repeat(990)} apiv1_${'aB3'.repeat(30)} ${'y'.repeat(50_000)}`;
  const { secrets } = await connectToOdd(() => ({
    status: 400,
    headers: { 'x-amzn-errortype': 'AccessDeniedException' },
    body: { message },
  }));
  const { message: said } = await secrets.describe('s').catch((error) => error);
  expect(said).toBe(`DescribeSecret of s: ${'x'.repeat(990)} [token] …`);
});

test.each([970, 975, 980, 985])(
  'of a message that is cut no part of a word is left (%i)',
  async (length) => {
    const { secrets } = await connectToOdd(() => ({
      status: 400,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: { message: `${'n '.repeat(length / 2)}{"password":"correct-horse-battery"}` },
    }));
    const { message: said } = await secrets.describe('s').catch((error) => error);
    expect(said).not.toContain('corr');
  },
);

test('of an error no more is read than an error needs, and a page of 502 is asked again', async () => {
  const { server, secrets } = await connectToOdd(() => ({
    status: 502,
    body: { message: 'x'.repeat(100_000) },
  }));
  await expect(secrets.describe('s')).rejects.toThrow(
    'DescribeSecret of s answered 502, but it is not JSON',
  );
  expect(server.asked).toHaveLength(5);
});

test('a listing whose pages have no end is given up when the run ends', async () => {
  const { secrets } = await connectToOdd(
    (_request, index) => ({ body: { SecretList: [], NextToken: String(index) } }),
    300,
  );
  await expect(secrets.list('prod')).rejects.toThrow(/^ListSecrets of owner prod/);
});

test.each<[string, number, object, (secrets: Secrets) => Promise<unknown>]>([
  ['ListSecrets of owner prod', 1_200, { SecretList: [] }, (secrets) => secrets.list('prod')],
  ['ListSecretVersionIds of s', 100, { Versions: [] }, (secrets) => secrets.versionTimes('s')],
])('no list is read without end: %s', async (place, most, page, read) => {
  const { aws, secrets } = await connect();
  let pages = 0;
  aws.intercept = () =>
    Promise.resolve({ status: 200, body: JSON.stringify({ ...page, NextToken: `${++pages}` }) });
  await expect(read(secrets)).rejects.toThrow(
    `${place} answered 200, but there is more of it after page ${most}, the last that is read`,
  );
  expect(pages).toBe(most);
});

test.each<[string, object, (secrets: Secrets) => Promise<unknown>]>([
  ['ListSecrets of owner prod', { SecretList: [] }, (secrets) => secrets.list('prod')],
  ['ListSecretVersionIds of s', { Versions: [] }, (secrets) => secrets.versionTimes('s')],
])('no page of %s is asked for again and again', async (place, page, read) => {
  const { server, secrets } = await connectToOdd((_request, index) => ({
    body: { ...page, NextToken: String(index % 2) },
  }));
  await expect(read(secrets)).rejects.toThrow(
    `${place} answered 200, but with a NextToken that it gave before`,
  );
  expect(server.asked).toHaveLength(3);
});

test('no request outlasts the run, and none begins behind its end', async () => {
  const { server, secrets } = await connectToOdd(passing(2_000, 'silence'), 2_000);
  await expect(secrets.tag('s', { a: 'b' })).rejects.toThrow('no complete answer within 2 s');
  await expect(secrets.tag('s', { a: 'b' })).rejects.toThrow(
    'TagResource of s was not sent: the time of the run is over',
  );
  expect(server.asked).toHaveLength(1);
});

test("a proxy's page with 502 is no answer, and is asked again", async () => {
  const { server, secrets } = await connectToOdd(() => ({ status: 502, body: '<html>' }));
  await expect(secrets.describe('s')).rejects.toThrow(
    'DescribeSecret of s answered 502, but it is not JSON',
  );
  expect(server.asked).toHaveLength(5);
});

test.each<[string, (secrets: Secrets) => Promise<unknown>]>([
  ['ListSecrets of owner prod', (secrets) => secrets.list('prod')],
  ['DescribeSecret of s', (secrets) => secrets.describe('s')],
  ['ListSecretVersionIds of s', (secrets) => secrets.versionTimes('s')],
  ['GetSecretValue of s', (secrets) => secrets.value('s')],
  ['CreateSecret of s', (secrets) => secrets.create('s', owned('prod'))],
  ['PutSecretValue of s', (secrets) => secrets.put('s', version(1), value, 'AWSPENDING')],
  ['UpdateSecretVersionStage of s', (secrets) => secrets.moveLabel('s', 'X', { to: version(1) })],
  ['DeleteSecret of s', (secrets) => secrets.delete('s')],
])('an empty success is not the success of %s', async (place, call) => {
  const { secrets } = await connectToOdd(() => ({ body: {} }));
  await expect(call(secrets)).rejects.toThrow(`${place} answered 200, but without `);
});

test('tells a refusal that is about one secret from a failure that is about all', async () => {
  const timesAfter = async (type: string) => {
    const { aws, secrets } = await connect();
    aws.intercept = failing(99, 400, type);
    return secrets.versionTimes('s');
  };
  await expect(timesAfter('AccessDeniedException')).rejects.toThrow(UnreadableSecretError);
  await expect(timesAfter('ExpiredTokenException')).rejects.not.toThrow(UnreadableSecretError);
  await expect(timesAfter('ThrottlingException')).rejects.not.toThrow(UnreadableSecretError);
});
