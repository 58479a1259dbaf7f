import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import { awsCall, awsClient, ForeignAnswerError, shortened, statusOf } from '../aws-call.ts';
import { backoffMs } from '../retry.ts';
import type { KeyturnEvent, Publish } from './events.ts';

export interface Publisher {
  /** Keeps an event until there are ten, or until `flush`. */
  readonly publish: Publish;
  /**
   * Sends the events that are kept, again and again until they are taken, and returns how many of the run's events are
   * lost. Never rejects, and gives up after so many milliseconds: an event that is lost must neither fail the run nor keep
   * its answer back.
   */
  flush(longestMs: number): Promise<number>;
  /** Cuts the connections that are open; the next call makes new ones. */
  disconnect(): void;
}

interface PublisherOptions {
  readonly client?: EventBridgeClientConfig;
  /** Of the deployment, which every event names. */
  readonly owner: string;
  /** Name or ARN; absent: the default bus. */
  readonly bus?: string | undefined;
  readonly warn: (message: string, details: object) => void;
  /** Resolves after so many milliseconds; rejects when the signal is aborted before. */
  readonly sleep: (
    milliseconds: number,
    value: undefined,
    options: { readonly signal: AbortSignal },
  ) => Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

/**
 * The most entries that one `PutEvents` takes.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
const BATCH = 10;
/** Without it, one call that is never answered would take all the time that there is. */
const TIMEOUT_MS = 3_000;
const BACKOFF = { baseMs: 200, maxMs: 5_000 };

/** What one run sends. */
interface Outbox {
  unsent: readonly KeyturnEvent[];
  /** How many were refused for good. */
  refused: number;
  sending: Promise<void>;
  /** Aborted when nothing more is tried. */
  readonly ending: AbortController;
  /** Why the last call did not take all of its events. */
  error?: unknown;
}

/**
 * What an answer of 200 says of one entry, and would say again.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html (ErrorCode)
 */
const FOR_GOOD =
  /^(?:AccessDenied|InvalidAccountId|InvalidArgument|MalformedDetail|NotAuthorized|RedactionFailure)/;

/** A right or a bus that is missing, or a wrong request: the same call fails again. */
function isForGood(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  const isThrottled = error instanceof Error && /Throttl|TooManyRequests/.test(error.name);
  return status >= 400 && status < 500 && status !== 429 && !isThrottled;
}

const emptyOutbox = (): Outbox => ({
  unsent: [],
  refused: 0,
  sending: Promise.resolve(),
  ending: new AbortController(),
});

export function createPublisher(options: PublisherOptions): Publisher {
  const { client: config = {}, owner, bus, warn, sleep, random } = options;
  const client = awsClient(EventBridgeClient, config);
  let kept: readonly KeyturnEvent[] = [];
  let outbox = emptyOutbox();

  /** Returns the events to send again: an answer of 200 may refuse some entries (`ErrorCode`). */
  async function put(
    events: readonly KeyturnEvent[],
    box: Outbox,
  ): Promise<readonly KeyturnEvent[]> {
    try {
      const command = new PutEventsCommand({
        Entries: events.map(({ type, detail }) => ({
          Source: 'keyturn',
          DetailType: type,
          Detail: JSON.stringify({ owner, ...detail }),
          EventBusName: bus,
        })),
      });
      const { Entries } = await awsCall('PutEvents', TIMEOUT_MS, ({ abortSignal }) =>
        client.send(command, { abortSignal: AbortSignal.any([abortSignal, box.ending.signal]) }),
      );
      if (Entries?.length !== events.length) {
        throw new ForeignAnswerError('PutEvents', 200, 'without what became of each event');
      }
      return events.filter(({ type }, index) => {
        const { ErrorCode, ErrorMessage } = Entries[index] ?? {};
        if (ErrorCode === undefined) return false;
        if (!FOR_GOOD.test(ErrorCode)) {
          box.error = shortened(ErrorCode);
          return true;
        }
        box.refused += 1;
        warn('events lost', { count: 1, type, error: shortened(`${ErrorCode}: ${ErrorMessage}`) });
        return false;
      });
    } catch (error) {
      box.error = error;
      if (isForGood(error)) box.ending.abort(error);
      return events;
    }
  }

  /** What is not taken waits behind the others, so that one entry that is never taken holds nothing up. */
  async function sendAll(box: Outbox): Promise<void> {
    const { signal } = box.ending;
    for (let failed = 0; box.unsent.length > 0 && !signal.aborted; ) {
      const batch = box.unsent.slice(0, BATCH);
      const refused = await put(batch, box);
      box.unsent = [...box.unsent.slice(batch.length), ...refused];
      failed = refused.length > 0 ? failed + 1 : 0;
      if (failed === 0) continue;
      const waitMs = backoffMs(failed, { ...BACKOFF, random });
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  const sendKept = () => {
    const box = outbox;
    box.unsent = [...box.unsent, ...kept];
    kept = [];
    box.sending = box.sending.then(() => sendAll(box));
  };

  return {
    publish(event) {
      kept = [...kept, event];
      if (kept.length >= BATCH) sendKept();
    },
    async flush(longestMs) {
      sendKept();
      const { sending, ending } = outbox;
      const patienceMs = Math.max(0, longestMs);
      const { signal } = ending;
      await Promise.race([sending, sleep(patienceMs, undefined, { signal }).catch(() => {})]);
      ending.abort(new Error('the events were not sent in time'));
      const { unsent, refused, error } = outbox;
      // The next run starts with nothing in its way.
      outbox = emptyOutbox();
      if (unsent.length > 0) warn('events lost', { count: unsent.length, error });
      return unsent.length + refused;
    },
    disconnect: () => client.destroy(),
  };
}
