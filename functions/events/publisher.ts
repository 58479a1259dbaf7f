import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import type { KeyturnEvent, Publish } from './events.ts';

export interface Publisher {
  /** Keeps an event until there are ten, or until `flush`. */
  readonly publish: Publish;
  /**
   * Sends the events that are kept. Never rejects, and gives up after ten seconds, or sooner if told to: an
   * event that is lost must neither fail the run nor keep its answer back.
   */
  flush(longestMs?: number): Promise<void>;
}

interface PublisherOptions {
  readonly client?: EventBridgeClientConfig;
  /** Name or ARN; absent: the default bus. */
  readonly bus?: string | undefined;
  readonly warn: (message: string, details: object) => void;
  /** Resolves after so many milliseconds; rejects when the signal is aborted before. */
  readonly sleep: (
    milliseconds: number,
    value: undefined,
    options: { readonly signal: AbortSignal },
  ) => Promise<void>;
}

/**
 * The most entries that one `PutEvents` takes.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
const BATCH = 10;
const ATTEMPTS = 3;
const LONGEST_FLUSH_MS = 10_000;
/** For the warnings of what is given up. */
const WARNINGS_MS = 500;

export function createPublisher({ client: config, bus, warn, sleep }: PublisherOptions): Publisher {
  const client = new EventBridgeClient({ maxAttempts: ATTEMPTS, ...config });
  let kept: KeyturnEvent[] = [];
  let sent: Promise<void> = Promise.resolve();
  /** Aborted when a flush gives up; what is in flight and what waits after it is lost then. */
  let sending = new AbortController();

  const put = async (
    events: readonly KeyturnEvent[],
    abortSignal: AbortSignal,
  ): Promise<KeyturnEvent[]> => {
    const { Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: events.map(({ type, detail }) => ({
          Source: 'keyturn',
          DetailType: type,
          Detail: JSON.stringify(detail),
          EventBusName: bus,
        })),
      }),
      { abortSignal },
    );
    // An answer of 200 may still refuse some entries (`ErrorCode`).
    return events.filter((_, index) => Entries[index]?.ErrorCode !== undefined);
  };

  const send = async (events: readonly KeyturnEvent[], signal: AbortSignal): Promise<void> => {
    try {
      let unsent = events;
      for (let tried = 0; unsent.length > 0 && tried < ATTEMPTS; tried += 1) {
        signal.throwIfAborted();
        unsent = await put(unsent, signal);
      }
      if (unsent.length > 0) warn('events refused', { count: unsent.length });
    } catch (error) {
      warn('events not published', { count: events.length, error });
    }
  };

  const sendKept = () => {
    const batch = kept;
    kept = [];
    const { signal } = sending;
    if (batch.length > 0) sent = sent.then(() => send(batch, signal));
  };

  return {
    publish(event) {
      kept.push(event);
      if (kept.length >= BATCH) sendKept();
    },
    async flush(longestMs = LONGEST_FLUSH_MS) {
      sendKept();
      const ended = new AbortController();
      /** Rejected when everything was sent before. */
      const wait = (ms: number) => sleep(ms, undefined, { signal: ended.signal });
      const ending = async () => {
        await wait(Math.max(0, Math.min(longestMs, LONGEST_FLUSH_MS)));
        sending.abort(new Error('the events were not sent in time'));
        await wait(WARNINGS_MS);
      };
      await Promise.race([sent, ending().catch(() => {})]);
      ended.abort();
      if (!sending.signal.aborted) return;
      // The next run starts with nothing in its way.
      sent = Promise.resolve();
      sending = new AbortController();
    },
  };
}
