import { EventBridge, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { expect, onTestFinished, test } from 'vitest';
import { refusal, start } from './start.ts';

async function startEvents() {
  const { aws, clock } = await start();
  const events = new EventBridge({
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  onTestFinished(() => events.destroy());
  return { aws, clock, events };
}

const entry: PutEventsRequestEntry = {
  Source: 'keyturn',
  DetailType: 'Token Rotated',
  Detail: '{"secret":"fleet/telegraf","note":null}',
};

test('keeps what was published, with its time', async () => {
  const { aws, clock, events } = await startEvents();
  const answer = await events.putEvents({ Entries: [{ ...entry, Resources: ['arn:one'] }] });
  expect(answer.FailedEntryCount).toBe(0);
  expect(aws.state.events).toEqual([
    {
      id: answer.Entries?.[0]?.EventId,
      bus: 'default',
      source: 'keyturn',
      detailType: 'Token Rotated',
      detail: { secret: 'fleet/telegraf', note: null },
      resources: ['arn:one'],
      time: clock.now(),
    },
  ]);
});

test("an entry's own time is kept", async () => {
  const { aws, events } = await startEvents();
  const Time = new Date('2020-01-01T00:00:00Z');
  await events.putEvents({ Entries: [{ ...entry, Time }] });
  expect(aws.state.events[0]?.time).toBe(Time.getTime());
});

test('bad entries fail one by one, and the good ones are published', async () => {
  const { aws, events } = await startEvents();
  const { DetailType: _, ...untyped } = entry;
  const answer = await events.putEvents({
    Entries: [
      { ...entry, Detail: 'not json' },
      entry,
      { ...entry, Detail: '[]' },
      untyped,
      { ...entry, Source: 'aws.ec2' },
    ],
  });
  expect(answer.FailedEntryCount).toBe(4);
  expect(answer.Entries?.map((result) => result.ErrorCode)).toEqual([
    'MalformedDetail',
    undefined,
    'MalformedDetail',
    'InvalidArgument',
    'NotAuthorizedForSourceException',
  ]);
  expect(aws.state.events).toHaveLength(1);
});

test('ten entries are the most', async () => {
  const { aws, events } = await startEvents();
  const put = (count: number) =>
    events.putEvents({ Entries: Array.from({ length: count }, () => entry) });
  expect(await refusal(put(11))).toMatch(/^ValidationException: .*less than or equal to 10/);
  expect(aws.state.events).toEqual([]);
  expect(await refusal(put(10))).toBe('no error');
});

test('a megabyte over all entries is the most', async () => {
  const { events } = await startEvents();
  const overhead = Buffer.byteLength('keyturnToken Rotated{"x":""}');
  const put = (bytes: number) =>
    events.putEvents({
      Entries: [{ ...entry, Detail: JSON.stringify({ x: 'x'.repeat(bytes - overhead) }) }],
    });
  expect(await refusal(put(1_048_577))).toMatch(/^ValidationException: Total size/);
  expect(await refusal(put(1_048_576))).toBe('no error');
});

test('an event for a bus that does not exist is lost without a word', async () => {
  const { aws, events } = await startEvents();
  const put = () => events.putEvents({ Entries: [{ ...entry, EventBusName: 'audit' }] });
  expect(await put()).toMatchObject({ FailedEntryCount: 0 });
  expect(aws.state.events).toEqual([]);
  const { EventBusArn } = await events.createEventBus({ Name: 'audit' });
  await put();
  await events.putEvents({ Entries: [{ ...entry, EventBusName: EventBusArn }] });
  expect(aws.state.events.map((event) => event.bus)).toEqual(['audit', 'audit']);
});

test('buses are described and listed', async () => {
  const { events } = await startEvents();
  await events.createEventBus({ Name: 'audit' });
  expect((await events.listEventBuses({})).EventBuses?.map((bus) => bus.Name)).toEqual([
    'default',
    'audit',
  ]);
  expect((await events.describeEventBus({ Name: 'audit' })).Arn).toBe(
    'arn:aws:events:eu-west-1:123456789012:event-bus/audit',
  );
  expect(await refusal(events.describeEventBus({ Name: 'none' }))).toMatch(
    /^ResourceNotFoundException/,
  );
});

test('the interceptor knows them as events', async () => {
  const { aws, events } = await startEvents();
  let seen = '';
  aws.intercept = (call, effect) => {
    seen = `${call.server} ${call.operation}`;
    return Promise.resolve(effect());
  };
  await events.putEvents({ Entries: [entry] });
  expect(seen).toBe('events PutEvents');
});
