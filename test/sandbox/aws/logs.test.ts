import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { expect, onTestFinished, test } from 'vitest';
import { PERSON } from '../../../sandbox/aws/account.ts';
import type { AwsOptions } from '../../../sandbox/aws/server.ts';
import { DAY_MS, refusal, start } from './start.ts';

const GROUP = '/aws/lambda/keyturn-prod-rotate';

/** Ten lines, one each day until now, in two streams. */
async function open(options: Partial<AwsOptions> = {}) {
  const { aws, clock } = await start(options);
  const from = clock.now() - 9 * DAY_MS;
  const events = Array.from({ length: 10 }, (_, n) => ({
    stream: `rotate-${n % 2}`,
    at: from + n * DAY_MS,
    text: `line ${n}`,
  }));
  // They come in any order.
  aws.logs.groups[GROUP] = { retentionDays: 7, events: () => events.toReversed() };
  const client = new CloudWatchLogsClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: PERSON,
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  const ask = (more: Partial<FilterLogEventsCommandInput> = {}) =>
    client.send(new FilterLogEventsCommand({ logGroupName: GROUP, ...more }));
  async function all(more: Partial<FilterLogEventsCommandInput> = {}) {
    const pages: string[][] = [];
    for (let nextToken: string | undefined, isFirst = true; isFirst || nextToken; isFirst = false) {
      const page = await ask({ ...more, ...(nextToken && { nextToken }) });
      pages.push((page.events ?? []).map(({ message = '' }) => message));
      nextToken = page.nextToken;
    }
    return pages;
  }
  return { aws, clock, ask, all };
}

test('lists what retention has left, oldest first, in pages of which some are empty', async () => {
  const { aws, clock, all } = await open();
  const kept = ['line 2', 'line 3', 'line 4', 'line 5', 'line 6', 'line 7', 'line 8', 'line 9'];
  expect(await all()).toEqual([kept]);
  aws.logs.pageSize = 3;
  expect(await all()).toEqual([kept.slice(0, 3), kept.slice(3, 6), kept.slice(6)]);
  aws.logs.isSparse = true;
  expect(await all()).toEqual([[], kept.slice(0, 3), [], kept.slice(3, 6), [], kept.slice(6)]);
  clock.advance(8 * DAY_MS);
  expect((await all()).flat()).toEqual([]);
});

test('newest first, within a time and in one stream, as asked', async () => {
  const { aws, clock, ask, all } = await open();
  aws.logs.pageSize = 2;
  const startTime = clock.now() - 3 * DAY_MS;
  const newest = { startFromHead: false, startTime };
  expect(await all(newest)).toEqual([
    ['line 9', 'line 8'],
    ['line 7', 'line 6'],
  ]);
  const endTime = clock.now() - DAY_MS;
  expect((await all({ startTime, endTime })).flat()).toEqual(['line 6', 'line 7', 'line 8']);
  expect((await all({ startTime, logStreamNamePrefix: 'rotate-1' })).flat()).toEqual([
    'line 7',
    'line 9',
  ]);
  const { events = [] } = await ask({ startTime, limit: 1 });
  expect(events).toEqual([
    {
      logStreamName: 'rotate-0',
      timestamp: startTime,
      ingestionTime: startTime,
      message: 'line 6',
      eventId: expect.any(String),
    },
  ]);
});

test('refuses what CloudWatch Logs refuses', async () => {
  const { ask } = await open();
  expect(await refusal(ask({ logGroupName: '/aws/lambda/other' }))).toBe(
    'ResourceNotFoundException: The specified log group does not exist.',
  );
  expect(await refusal(ask({ startFromHead: false }))).toMatch(/^InvalidParameterException: /);
  expect(await refusal(ask({ nextToken: 'mine' }))).toMatch(/^InvalidParameterException: /);
});

test('more than five requests a second are throttled, if that was asked for', async () => {
  const { clock, ask } = await open({ isThrottling: true });
  for (let n = 0; n < 5; n += 1) await ask();
  expect(await refusal(ask())).toBe('ThrottlingException: Rate exceeded');
  clock.advance(1_000);
  expect(await refusal(ask())).toBe('no error');
});
