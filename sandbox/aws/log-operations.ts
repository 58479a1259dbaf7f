import { z } from 'zod';
import { AwsError, notFound } from './aws-error.ts';
import { parseJson } from './json.ts';
import type { LogGroup } from './logs.ts';
import { type Operation, operation } from './request.ts';
import { own, type Store } from './store.ts';

/** The most of a page, in bytes of its messages: API_FilterLogEvents.html. */
const MAX_BYTES = 1_048_576;
/** Newest first is refused for requests that begin before it: ibid., startFromHead. */
const DESCENDING_FROM = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

const invalid = (message: string) => new AwsError('InvalidParameterException', message);

const input = z.object({
  logGroupName: z.string().min(1).max(512).optional(),
  logGroupIdentifier: z.string().min(1).max(2048).optional(),
  logStreamNames: z.array(z.string()).min(1).max(100).optional(),
  logStreamNamePrefix: z.string().min(1).max(512).optional(),
  startTime: z.number().int().min(0).optional(),
  endTime: z.number().int().min(0).optional(),
  filterPattern: z.string().max(1024).optional(),
  nextToken: z.string().min(1).optional(),
  limit: z.number().int().min(1).max(10_000).optional(),
  startFromHead: z.boolean().optional(),
});

type Input = z.infer<typeof input>;

/** Where a search goes on: behind so many events, in this direction. */
const place = z.object({ skip: z.number(), isAscending: z.boolean(), isFull: z.boolean() });
type Place = z.infer<typeof place>;

const tokenOf = (at: Place) => Buffer.from(JSON.stringify(at)).toString('base64url');

function placeOf({ nextToken, startFromHead = true, startTime = 0 }: Input): Place {
  if (nextToken === undefined) {
    if (!startFromHead && startTime < DESCENDING_FROM)
      throw invalid('startFromHead can be false only if startTime is on or after 2024-01-01.');
    return { skip: 0, isAscending: startFromHead, isFull: false };
  }
  const found = place.safeParse(parseJson(Buffer.from(nextToken, 'base64url').toString()));
  if (!found.success) throw invalid('The specified nextToken is invalid.');
  return found.data;
}

function groupOf({ logs }: Store, { logGroupName, logGroupIdentifier }: Input) {
  if ((logGroupName === undefined) === (logGroupIdentifier === undefined))
    throw invalid('Exactly one of logGroupName and logGroupIdentifier is required.');
  const name = (logGroupName ?? logGroupIdentifier ?? '').replace(/^arn:.*:log-group:/, '');
  const group = own(logs.groups, name);
  if (!group) throw notFound('The specified log group does not exist.');
  return { name, group };
}

/** Those in the time, and in the streams, that are asked for and that retention has left, oldest first. */
function found(
  { retentionDays = Number.POSITIVE_INFINITY, events }: LogGroup,
  now: number,
  asked: Input,
) {
  const { startTime = 0, endTime = Number.POSITIVE_INFINITY } = asked;
  const { logStreamNames, logStreamNamePrefix = '' } = asked;
  const oldest = now - retentionDays * DAY_MS;
  return events()
    .map((event, number) => ({ ...event, number }))
    .filter(({ at, stream }) => {
      const isIn = at >= Math.max(startTime, oldest) && at <= endTime;
      const isAsked = logStreamNames?.includes(stream) ?? stream.startsWith(logStreamNamePrefix);
      return isIn && isAsked;
    })
    .sort((a, b) => a.at - b.at || a.number - b.number);
}

const filterLogEvents = operation(input, (store, asked) => {
  const { name, group } = groupOf(store, asked);
  if (asked.filterPattern) throw invalid('The sandbox knows no filter patterns.');
  if (asked.logStreamNames && asked.logStreamNamePrefix !== undefined)
    throw invalid('logStreamNames and logStreamNamePrefix exclude each other.');
  const { pageSize, isSparse } = store.logs;
  const at = placeOf(asked);
  if (isSparse && !at.isFull)
    return { events: [], searchedLogStreams: [], nextToken: tokenOf({ ...at, isFull: true }) };
  const ascending = found(group, store.now(), asked);
  const all = (at.isAscending ? ascending : ascending.reverse()).slice(at.skip);
  let bytes = 0;
  const fitting = all.slice(0, Math.min(pageSize, asked.limit ?? pageSize)).filter(({ text }) => {
    bytes += Buffer.byteLength(text);
    return bytes <= MAX_BYTES;
  });
  const skip = at.skip + fitting.length;
  return {
    events: fitting.map(({ stream, at: timestamp, text: message, number }) => ({
      logStreamName: stream,
      timestamp,
      message,
      ingestionTime: timestamp,
      eventId: `${name}/${number}`,
    })),
    searchedLogStreams: [],
    ...(fitting.length < all.length && { nextToken: tokenOf({ ...at, skip, isFull: false }) }),
  };
});

export const logOperations: Readonly<Record<string, Operation>> = {
  FilterLogEvents: filterLogEvents,
};
