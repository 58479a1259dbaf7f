import type { VirtualClock } from '../virtual-clock.ts';
import type { Host } from './host.ts';
import { refuseLongEvent } from './limits.ts';
import type { Answer, FunctionError } from './messages.ts';

const MINUTE_MS = 60_000;

/** What an on-failure destination gets: docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
export interface FailureRecord {
  readonly version: '1.0';
  readonly timestamp: string;
  readonly requestContext: {
    readonly requestId: string;
    readonly functionArn: string;
    readonly condition: 'RetriesExhausted' | 'EventAgeExceeded';
    readonly approximateInvokeCount: number;
  };
  readonly requestPayload: unknown;
  readonly responseContext: {
    readonly statusCode: 200;
    readonly executedVersion: '$LATEST';
    readonly functionError: 'Unhandled';
  };
  readonly responsePayload: FunctionError;
}

export interface EventQueueOptions {
  readonly host: Pick<Host, 'invoke'>;
  readonly clock: VirtualClock;
  /** Of EventInvokeConfig; two by default, one and then two minutes after the failure. */
  readonly retryAttempts?: number;
  /** An older event is not tried again; six hours by default. */
  readonly maximumAgeMs?: number;
  readonly functionArn?: string;
  /** Whether an event arrives twice, though nothing failed: Lambda promises once at least. */
  readonly isDuplicated?: (requestId: string) => boolean;
  /** The on-failure destination; without one, what failed is gone. */
  readonly onFailure?: (record: FailureRecord) => void;
}

/** Asynchronous invocations of a function, as by a schedule, a rule or `InvocationType: Event`. */
export interface EventQueue {
  /** Takes an event, which is carried out later. Returns its request's id. Throws if it is too long. */
  send(event: unknown): string;
  /** Resolves when every event was carried out or given up. */
  settled(): Promise<void>;
}

export function createEventQueue(name: string, options: EventQueueOptions): EventQueue {
  const { host, clock, retryAttempts = 2, maximumAgeMs = 360 * MINUTE_MS } = options;
  const underWay = new Set<Promise<void>>();
  let count = 0;

  const giveUp = (
    condition: FailureRecord['requestContext']['condition'],
    tried: { readonly requestId: string; readonly event: unknown; readonly times: number },
    responsePayload: FunctionError,
  ) =>
    options.onFailure?.({
      version: '1.0',
      timestamp: new Date(clock.now()).toISOString(),
      requestContext: {
        requestId: tried.requestId,
        functionArn: `${options.functionArn ?? name}:$LATEST`,
        condition,
        approximateInvokeCount: tried.times,
      },
      requestPayload: tried.event,
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        functionError: 'Unhandled',
      },
      responsePayload,
    });

  const deliver = async (requestId: string, event: unknown): Promise<void> => {
    const sentAt = clock.now();
    for (let times = 1; ; times += 1) {
      const answer: Answer = await clock.waitFor(host.invoke(name, event, { requestId }));
      if (!('error' in answer)) return;
      const tried = { requestId, event, times };
      if (times > retryAttempts) return giveUp('RetriesExhausted', tried, answer.error);
      await clock.sleep(times * MINUTE_MS);
      if (clock.now() - sentAt > maximumAgeMs)
        return giveUp('EventAgeExceeded', tried, answer.error);
    }
  };

  return {
    send(event) {
      refuseLongEvent(event, true);
      count += 1;
      const requestId = `00000000-0000-4000-9000-${String(count).padStart(12, '0')}`;
      for (let copy = options.isDuplicated?.(requestId) ? 2 : 1; copy > 0; copy -= 1) {
        const delivery = clock
          .spawn(`${name} event`, () => deliver(requestId, event))
          .finally(() => underWay.delete(delivery));
        underWay.add(delivery);
      }
      return requestId;
    },
    async settled() {
      while (underWay.size > 0) await clock.waitFor(Promise.all(underWay));
    },
  };
}
