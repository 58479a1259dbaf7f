import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import type { KeyturnEvent } from './events.ts';

export type Publish = (event: KeyturnEvent) => void;

export interface Publisher {
  /** Keeps an event until there are ten, or until `flush`. */
  readonly publish: Publish;
  /** Sends the events that are kept. Never rejects: an event that is lost must not fail the run. */
  flush(): Promise<void>;
}

interface PublisherOptions {
  readonly client?: EventBridgeClientConfig;
  /** Name or ARN; absent: the default bus. */
  readonly bus?: string | undefined;
  readonly warn: (message: string, details: object) => void;
}

/**
 * The most entries that one `PutEvents` takes.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
const BATCH = 10;
const ATTEMPTS = 3;

export function createPublisher({ client: config, bus, warn }: PublisherOptions): Publisher {
  const client = new EventBridgeClient({ maxAttempts: ATTEMPTS, ...config });
  let kept: KeyturnEvent[] = [];
  let sent: Promise<void> = Promise.resolve();

  const put = async (events: readonly KeyturnEvent[]): Promise<KeyturnEvent[]> => {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: events.map(({ type, detail }) => ({
          Source: 'keyturn',
          DetailType: type,
          Detail: JSON.stringify(detail),
          EventBusName: bus,
        })),
      }),
    );
    // An answer of 200 may still refuse some entries (`ErrorCode`).
    return events.filter((_, index) => Entries[index]?.ErrorCode !== undefined);
  };

  const send = async (events: readonly KeyturnEvent[]): Promise<void> => {
    try {
      let unsent = events;
      for (let tried = 0; unsent.length > 0 && tried < ATTEMPTS; tried += 1)
        unsent = await put(unsent);
      if (unsent.length > 0) warn('events refused', { count: unsent.length });
    } catch (error) {
      warn('events not published', { count: events.length, error });
    }
  };

  const sendKept = () => {
    const batch = kept;
    kept = [];
    if (batch.length > 0) sent = sent.then(() => send(batch));
  };

  return {
    publish(event) {
      kept.push(event);
      if (kept.length >= BATCH) sendKept();
    },
    flush() {
      sendKept();
      return sent;
    },
  };
}
