import { setTimeout as realSleep } from 'node:timers/promises';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect, onTestFinished, test } from 'vitest';
import type { KeyturnEvent } from '../../../functions/events/events.ts';
import { createPublisher } from '../../../functions/events/publisher.ts';
import { type Aws, startAws } from '../../../sandbox/aws/server.ts';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';

const LONGEST_FLUSH_MS = 10_000;

const event = (n: number): KeyturnEvent => ({
  type: 'Secret Deleted',
  detail: { secret: String(n), reason: 'Removed' },
});

const clientOf = ({ url, region }: Aws) => ({
  endpoint: url,
  region,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});

/** Nobody waits for long: each flush is patient until there were so many waits between attempts. */
function hastySleep(patience: number) {
  const naps: number[] = [];
  let left = patience;
  let resolveFlush = () => {};
  const sleep = (ms: number, _value: undefined, { signal }: { readonly signal: AbortSignal }) => {
    if (ms === LONGEST_FLUSH_MS) {
      left = patience;
      return new Promise<void>((resolve) => {
        resolveFlush = resolve;
      });
    }
    naps.push(ms);
    left -= 1;
    if (left === 0) resolveFlush();
    return realSleep(1, undefined, { signal });
  };
  return { naps, sleep, giveUp: () => resolveFlush() };
}

async function connect({ bus, patience = 5 }: { bus?: string; patience?: number } = {}) {
  const aws = await startAws({ clock: { now: () => Date.UTC(2026, 2, 2) } });
  onTestFinished(() => aws.close());
  const { naps, sleep, giveUp } = hastySleep(patience);
  const warnings: { readonly message: string; readonly details: object }[] = [];
  const publisher = createPublisher({
    client: clientOf(aws),
    owner: 'prod',
    bus,
    warn: (message, details) => warnings.push({ message, details }),
    sleep,
    random: () => 0.5,
  });
  const received = () =>
    aws.state.events.map(({ detail }) => Number((detail as { readonly secret: string }).secret));
  const publish = (count: number, from = 0) => {
    for (let n = 0; n < count; n += 1) publisher.publish(event(from + n));
  };
  return { aws, publisher, publish, naps, giveUp, warnings, received };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** EventBridge takes the call, and refuses the entry at `index` of so many. */
const refusing = (count: number, index: number, ErrorCode = 'ThrottlingException') => ({
  status: 200,
  body: JSON.stringify({
    FailedEntryCount: 1,
    Entries: numbers(count).map((n) =>
      n === index ? { ErrorCode, ErrorMessage: 'no' } : { EventId: String(n) },
    ),
  }),
});

/** The first calls are answered so; all others as usual. */
const first = (answers: readonly Awaited<ReturnType<Interceptor>>[]): Interceptor => {
  const left = [...answers];
  return async (_call, effect) => left.shift() ?? effect();
};

test('keeps events until there are ten, and sends the rest with a flush', async () => {
  const { aws, publisher, publish, received } = await connect();
  publish(25);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual(numbers(25));
  expect(aws.state.calls.PutEvents).toBe(3);
  expect(aws.state.events[0]).toMatchObject({
    bus: 'default',
    source: 'keyturn',
    detailType: 'Secret Deleted',
  });
});

test('sends nothing where there is nothing, and nothing twice', async () => {
  const { aws, publisher, publish, received } = await connect();
  await publisher.flush(LONGEST_FLUSH_MS);
  expect(aws.state.calls.PutEvents).toBeUndefined();
  publish(1);
  await publisher.flush(LONGEST_FLUSH_MS);
  await publisher.flush(LONGEST_FLUSH_MS);
  expect(received()).toEqual([0]);
});

test('sends again only the entries that were refused, after a while', async () => {
  const { aws, publisher, publish, naps, warnings, received } = await connect();
  aws.intercept = first([refusing(3, 1)]);
  publish(3);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([1]);
  expect(naps).toEqual([100]);
  expect(warnings).toEqual([]);
});

test.each(['InternalFailure', 'InternalException', 'ThrottlingException'])(
  'an entry that is refused for the moment is sent again: %s',
  async (code) => {
    const { aws, publisher, publish, warnings, received } = await connect();
    aws.intercept = first([refusing(3, 1, code)]);
    publish(3);
    expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
    expect(received()).toEqual([1]);
    expect(warnings).toEqual([]);
  },
);

test('a call that is one too many is repeated, whatever the error is called', async () => {
  const { aws, publisher, publish, received } = await connect();
  aws.intercept = first([{ status: 429, body: '{}' }]);
  publish(2);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([0, 1]);
});

test('so is one that EventBridge throttles as a whole, which it answers with 400', async () => {
  const { aws, publisher, publish, warnings, received } = await connect();
  aws.intercept = first([
    { status: 400, body: '{"__type":"ThrottlingException","message":"slow down"}' },
    { status: 400, body: '{"__type":"TooManyRequestsException"}' },
  ]);
  publish(2);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([0, 1]);
  expect(warnings).toEqual([]);
});

test('a call that AWS refuses is not repeated: neither a right nor a bus comes while a run waits', async () => {
  const { aws, publisher, publish } = await connect({ patience: 99 });
  aws.intercept = () => Promise.resolve({ status: 403, body: '{"__type":"AccessDenied"}' });
  publish(2);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(2);
  expect(aws.state.calls).toMatchObject({ PutEvents: 1 });
});

test('a call that fails is repeated, with longer and longer waits, until it succeeds', async () => {
  const { aws, publisher, publish, naps, warnings, received } = await connect({ patience: 99 });
  aws.intercept = first(
    [...Array(8)].map((_, n) => (n % 2 ? { status: 500, body: '{}' } : 'reset')),
  );
  publish(12);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received().sort((a, b) => a - b)).toEqual(numbers(12));
  expect(naps).toEqual([100, 200, 400, 800, 1_600, 2_500, 2_500, 2_500]);
  expect(warnings).toEqual([]);
});

test('an empty success is no success', async () => {
  const { aws, publisher, publish, received } = await connect();
  aws.intercept = first([{ status: 200, body: '{}' }]);
  publish(2);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([0, 1]);
});

test('an entry that is refused again and again does not keep the others back', async () => {
  const { aws, publisher, publish, received } = await connect();
  aws.intercept = (_call, effect) => {
    const { PutEvents = 0 } = aws.state.calls;
    if (PutEvents === 1) return Promise.resolve(refusing(10, 3));
    return Promise.resolve(PutEvents === 2 ? effect() : refusing(1, 0));
  };
  publish(20);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(1);
  expect(received()).toEqual(numbers(20).slice(10));
});

test.each(['MalformedDetail', 'NotAuthorizedForSourceException', 'AccessDeniedException'])(
  'an entry that is refused for good is lost at once: %s',
  async (code) => {
    const { aws, publisher, publish, naps, warnings } = await connect();
    aws.intercept = async () => refusing(3, 1, code);
    publish(3);
    expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(1);
    expect(aws.state.calls.PutEvents).toBe(1);
    expect(naps).toEqual([]);
    const details = { count: 1, type: 'Secret Deleted', error: `${code}: no` };
    expect(warnings).toEqual([{ message: 'events lost', details }]);
  },
);

test('of what is said of an entry, the log gets as much as of any error', async () => {
  const { aws, publisher, publish, warnings } = await connect();
  aws.intercept = async () => refusing(3, 1, `AccessDenied${'x'.repeat(100_000)}`);
  publish(3);
  await publisher.flush(LONGEST_FLUSH_MS);
  const [{ details = {} } = {}] = warnings;
  expect(JSON.stringify(details).length).toBeLessThan(1_100);
});

test('gives up at the end of its time, and says how many are lost and why', async () => {
  const { aws, publisher, publish, naps, warnings } = await connect({ patience: 3 });
  aws.intercept = async () => refusing(1, 0);
  publish(1);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(1);
  expect(naps).toHaveLength(3);
  expect(warnings).toEqual([
    { message: 'events lost', details: { count: 1, error: 'ThrottlingException' } },
  ]);
});

test('never rejects, and begins anew with the next run, when nobody listens', async () => {
  const { aws, publisher, publish, warnings, received } = await connect();
  aws.intercept = async () => 'reset';
  publish(13);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(13);
  expect(warnings).toMatchObject([{ message: 'events lost', details: { count: 13 } }]);
  aws.intercept = passThrough;
  publish(1, 20);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([20]);
});

test('gives up a bus that never answers, and is ready for the next run', async () => {
  const { aws, publisher, publish, giveUp, warnings, received } = await connect();
  aws.intercept = () => {
    giveUp();
    return new Promise(() => {});
  };
  publish(15);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(15);
  expect(warnings).toMatchObject([{ message: 'events lost', details: { count: 15 } }]);
  aws.intercept = passThrough;
  publish(1, 20);
  expect(await publisher.flush(LONGEST_FLUSH_MS)).toBe(0);
  expect(received()).toEqual([20]);
});

test('a run that has less time left gives up sooner', async () => {
  const { aws, publisher, publish, naps } = await connect();
  aws.intercept = () => new Promise(() => {});
  publish(1);
  expect(await publisher.flush(1_234)).toBe(1);
  expect(naps).toEqual([1_234]);
});

test('puts events on the bus that it was given', async () => {
  const { aws, publisher, publish } = await connect({ bus: 'keyturn' });
  const client = new EventBridgeClient(clientOf(aws));
  await client.send(new CreateEventBusCommand({ Name: 'keyturn' }));
  client.destroy();
  publish(1);
  await publisher.flush(LONGEST_FLUSH_MS);
  expect(aws.state.events).toMatchObject([
    { bus: 'keyturn', detail: { owner: 'prod', secret: '0' } },
  ]);
});
