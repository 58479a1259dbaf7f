import { expect, it } from 'vitest';
import {
  createEventQueue,
  type EventQueueOptions,
  type FailureRecord,
} from '../../../sandbox/lambda/event-queue.ts';
import { functionOf, startAt, startHost } from './fixtures.ts';

const MINUTE_MS = 60_000;

/** A function that fails its first invocations, and says when it ran by which request. */
function startQueue(failures: number, options: Partial<EventQueueOptions> = {}) {
  const source = `let left = ${failures};
    export const handler = async (event, { awsRequestId }) => {
      console.log(JSON.stringify([(Date.now() - ${startAt}) / ${MINUTE_MS}, awsRequestId.slice(-1), event.n]));
      if (left-- > 0) throw new RangeError('not yet');
    };`;
  const { host, clock } = startHost([functionOf('try', source)]);
  const records: FailureRecord[] = [];
  const queue = createEventQueue('try', {
    ...{ host, clock, functionArn: 'arn:try' },
    onFailure: (record) => records.push(record),
    ...options,
  });
  const runs = () => host.logs.map(({ text }) => JSON.parse(text));
  return { queue, records, runs };
}

it('tries a failed event again after one minute and after two more, as the same request', async () => {
  const { queue, records, runs } = startQueue(2);
  queue.send({ n: 7 });
  await queue.settled();
  expect(runs()).toEqual([
    [0, '1', 7],
    [1, '1', 7],
    [3, '1', 7],
  ]);
  expect(records).toEqual([]);
});

it('tells the destination of an event that failed each time, with the event and the error', async () => {
  const { queue, records, runs } = startQueue(9, { retryAttempts: 1 });
  const requestId = queue.send({ n: 7 });
  await queue.settled();
  expect(runs()).toHaveLength(2);
  expect(records).toEqual([
    {
      version: '1.0',
      timestamp: '2025-01-01T00:01:00.000Z',
      requestContext: {
        ...{ requestId, functionArn: 'arn:try:$LATEST' },
        ...{ condition: 'RetriesExhausted', approximateInvokeCount: 2 },
      },
      requestPayload: { n: 7 },
      responseContext: {
        ...{ statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      },
      responsePayload: {
        ...{ errorType: 'RangeError', errorMessage: 'not yet', trace: expect.any(Array) },
      },
    },
  ]);
});

it('gives up an event that has become too old', async () => {
  const { queue, records, runs } = startQueue(9, { maximumAgeMs: 2 * MINUTE_MS });
  queue.send({ n: 7 });
  await queue.settled();
  expect(runs().map(([minute]) => minute)).toEqual([0, 1]);
  expect(records).toMatchObject([{ requestContext: { condition: 'EventAgeExceeded' } }]);
});

it('delivers an event twice where told to, though nothing failed', async () => {
  const { queue, runs } = startQueue(0, { isDuplicated: (id) => id.endsWith('2') });
  queue.send({ n: 7 });
  await queue.settled();
  queue.send({ n: 8 });
  await queue.settled();
  expect(runs()).toEqual([
    [0, '1', 7],
    [0, '2', 8],
    [0, '2', 8],
  ]);
});

it('takes no event of more than a megabyte', () => {
  const { queue } = startQueue(0);
  expect(() => queue.send({ n: 'n'.repeat(1_048_576) })).toThrow('is too large');
});
