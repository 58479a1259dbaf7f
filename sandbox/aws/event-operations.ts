import { z } from 'zod';
import { AwsError, notFound } from './aws-error.ts';
import { parseJson } from './json.ts';
import { type Operation, operation } from './request.ts';
import type { Store } from './store.ts';

/**
 * 1 MB since January 2026 (AWS Compute Blog); at most 10 entries (PutEvents, EventBridge API
 * Reference).
 */
const MAX_BYTES = 1_048_576;

const entry = z.object({
  Time: z.number().optional(),
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).default([]),
  EventBusName: z.string().default('default'),
});

type Entry = z.infer<typeof entry>;

/** Each entry fails for itself, in the response; the call succeeds. */
const putEvents = operation(
  z.object({ Entries: z.array(entry).min(1).max(10) }),
  (store, { Entries }) => {
    if (Entries.reduce((sum, one) => sum + size(one), 0) > MAX_BYTES)
      throw new AwsError(
        'ValidationException',
        'Total size of the entries in the request is over the limit.',
      );
    const results = Entries.map((one) => refusal(one) ?? publish(store, one));
    return {
      FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length,
      Entries: results,
    };
  },
);

function refusal({ Source, DetailType, Detail }: Entry) {
  if (!Source) return invalidArgument('Source');
  if (!DetailType) return invalidArgument('DetailType');
  if (!Detail) return invalidArgument('Detail');
  if (Source.startsWith('aws.'))
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    };
  return isObject(Detail)
    ? undefined
    : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

const invalidArgument = (parameter: string) => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${parameter} is not valid. Reason: ${parameter} is a required argument.`,
});

function isObject(detail: string): boolean {
  const parsed = parseJson(detail);
  return typeof parsed === 'object' && !Array.isArray(parsed);
}

function publish(store: Store, one: Entry) {
  const EventId = store.publish({
    bus: one.EventBusName.replace(/^arn:.*:event-bus\//, ''),
    source: one.Source ?? '',
    detailType: one.DetailType ?? '',
    detail: JSON.parse(one.Detail ?? ''),
    resources: one.Resources,
    time: one.Time === undefined ? store.now() : one.Time * 1000,
  });
  return { EventId };
}

/**
 * 14 bytes for a time, and the UTF-8 of the texts:
 * docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
 */
const size = (one: Entry) =>
  [one.Source, one.DetailType, one.Detail, ...one.Resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    one.Time === undefined ? 0 : 14,
  );

const named = z.object({ Name: z.string().min(1).max(256) });

const createEventBus = operation(named, (store, { Name }) => {
  const { eventBuses } = store.state;
  if (eventBuses.includes(Name))
    throw new AwsError('ResourceAlreadyExistsException', `Event bus ${Name} already exists.`);
  store.update({ eventBuses: [...eventBuses, Name] });
  return { EventBusArn: busArn(store, Name) };
});

const describeEventBus = operation(named.partial(), (store, { Name = 'default' }) => {
  const name = Name.replace(/^arn:.*:event-bus\//, '');
  if (!store.state.eventBuses.includes(name)) throw notFound(`Event bus ${name} does not exist.`);
  return { Name: name, Arn: busArn(store, name) };
});

const listEventBuses = operation(
  z.object({ NamePrefix: z.string().default('') }),
  (store, { NamePrefix }) => ({
    EventBuses: store.state.eventBuses
      .filter((name) => name.startsWith(NamePrefix))
      .map((name) => ({ Name: name, Arn: busArn(store, name) })),
  }),
);

const busArn = (store: Store, name: string) =>
  `arn:aws:events:${store.region}:${store.accountId}:event-bus/${name}`;

export const eventOperations: Readonly<Record<string, Operation>> = {
  PutEvents: putEvents,
  CreateEventBus: createEventBus,
  DescribeEventBus: describeEventBus,
  ListEventBuses: listEventBuses,
};
