import { setTimeout as realSleep } from 'node:timers/promises';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect, onTestFinished, test } from 'vitest';
import type { KeyturnEvent } from '../../../functions/events/events.ts';
import { createPublisher } from '../../../functions/events/publisher.ts';
import { type Aws, startAws } from '../../../sandbox/aws/server.ts';

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

async function connect(bus?: string, sleep = realSleep) {
  const aws = await startAws({ clock: { now: () => Date.UTC(2026, 2, 2) } });
  onTestFinished(() => aws.close());
  const warnings: { readonly message: string; readonly details: object }[] = [];
  const publisher = createPublisher({
    client: clientOf(aws),
    bus,
    warn: (message, details) => warnings.push({ message, details }),
    sleep,
  });
  const received = () =>
    aws.state.events.map(({ detail }) => ({
      n: Number((detail as { readonly secret: string }).secret),
    }));
  return { aws, publisher, warnings, received };
}

test('keeps events until there are ten, and sends the rest with a flush', async () => {
  const { aws, publisher, received } = await connect();
  for (let n = 0; n < 25; n += 1) publisher.publish(event(n));
  await publisher.flush();
  expect(received()).toEqual(Array.from({ length: 25 }, (_, n) => ({ n })));
  expect(aws.state.calls.PutEvents).toBe(3);
  expect(aws.state.events[0]).toMatchObject({
    bus: 'default',
    source: 'keyturn',
    detailType: 'Secret Deleted',
  });
});

test('sends nothing where there is nothing, and nothing twice', async () => {
  const { aws, publisher, received } = await connect();
  await publisher.flush();
  expect(aws.state.calls.PutEvents).toBeUndefined();
  publisher.publish(event(1));
  await publisher.flush();
  await publisher.flush();
  expect(received()).toEqual([{ n: 1 }]);
});

test('sends again only the entries that were refused', async () => {
  const { aws, publisher, warnings, received } = await connect();
  let first = true;
  aws.intercept = (_call, effect) => {
    if (!first) return Promise.resolve(effect());
    first = false;
    const Entries = [0, 1, 2].map((n) =>
      n === 1 ? { ErrorCode: 'ThrottlingException' } : { EventId: String(n) },
    );
    return Promise.resolve({
      status: 200,
      body: JSON.stringify({ FailedEntryCount: 1, Entries }),
    });
  };
  for (let n = 0; n < 3; n += 1) publisher.publish(event(n));
  await publisher.flush();
  expect(received()).toEqual([{ n: 1 }]);
  expect(warnings).toEqual([]);
});

test('gives up on an entry that is refused again and again, and warns', async () => {
  const { aws, publisher, warnings } = await connect();
  aws.intercept = () =>
    Promise.resolve({
      status: 200,
      body: JSON.stringify({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] }),
    });
  publisher.publish(event(1));
  await publisher.flush();
  expect(aws.state.calls.PutEvents).toBe(3);
  expect(warnings).toEqual([{ message: 'events refused', details: { count: 1 } }]);
});

test('never rejects, and goes on with the next batch, when nobody listens', async () => {
  const { aws, publisher, warnings, received } = await connect();
  aws.intercept = () => Promise.resolve('reset');
  for (let n = 0; n < 10; n += 1) publisher.publish(event(n));
  await publisher.flush();
  expect(warnings).toMatchObject([{ message: 'events not published', details: { count: 10 } }]);
  aws.intercept = (_call, effect) => Promise.resolve(effect());
  publisher.publish(event(10));
  await publisher.flush();
  expect(received()).toEqual([{ n: 10 }]);
});

test('puts events on the bus that it was given', async () => {
  const { aws, publisher } = await connect('keyturn');
  const client = new EventBridgeClient(clientOf(aws));
  await client.send(new CreateEventBusCommand({ Name: 'keyturn' }));
  client.destroy();
  publisher.publish(event(1));
  await publisher.flush();
  expect(aws.state.events).toMatchObject([{ bus: 'keyturn', detail: { secret: '1' } }]);
});

test('gives up a bus that never answers, says how much is lost, and is ready for the next run', async () => {
  const naps: number[] = [];
  const soon = (ms: number) => {
    naps.push(ms);
    return realSleep(50);
  };
  const { aws, publisher, warnings, received } = await connect(undefined, soon as typeof realSleep);
  aws.intercept = () => new Promise(() => {});
  for (let n = 0; n < 15; n += 1) publisher.publish(event(n));
  await publisher.flush();
  expect(naps).toEqual([10_000, 500]);
  expect(warnings.map(({ message }) => message)).toEqual([
    'events not published',
    'events not published',
  ]);
  aws.intercept = async (_call, effect) => effect();
  publisher.publish(event(15));
  await publisher.flush();
  expect(received()).toEqual([{ n: 15 }]);
});
