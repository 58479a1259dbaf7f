import { whenQuiet } from '../when-quiet.ts';
import type { FromWorker } from './messages.ts';
import { replaceDate, replaceTimeout } from './replace-globals.ts';
import type { OutgoingRequests } from './requests.ts';

interface Sleep {
  readonly at: number;
  readonly wake: () => void;
}

export interface VirtualTime {
  /** A message of the host: its time, its number, and what it changes here. */
  tell(now: number, turn: number): void;
  held(change: 1 | -1): void;
  /** Between invocations nobody asks whether this process sleeps. */
  invoking(running: boolean): void;
  /** Requests were made or answered. */
  changed(): void;
}

/** Turns of the event loop in which nothing may stir before this process calls itself asleep. */
const settleTurns = 3;

/**
 * Replaces `Date` and the `setTimeout` of `node:timers/promises`, and reports when nothing can
 * happen in this process but by the clock. Other timers stay real: they guard real connections.
 */
export function startVirtualTime(
  startAt: number,
  requests: () => OutgoingRequests,
  report: (message: FromWorker) => void,
): VirtualTime {
  const sleeps = new Set<Sleep>();
  let now = startAt;
  let turn = 0;
  let heldRequests = 0;
  let running = false;
  let reported = false;

  const onQuiet = () => {
    if (!running || requests().count > heldRequests || sleeps.size + heldRequests === 0) return;
    if (process.getActiveResourcesInfo().some((resource) => resource.includes('Req'))) {
      stir(); // a file or a host name is being read: nothing tells when that is done
      return;
    }
    reported = true;
    const until = Math.min(...[...sleeps].map(({ at }) => at));
    report({ kind: 'asleep', until: sleeps.size > 0 ? until : undefined, turn });
  };
  const stir = whenQuiet(settleTurns, onQuiet);

  const changed = () => {
    if (reported) report({ kind: 'awake', turn });
    reported = false;
    if (running) stir();
  };

  replaceDate(() => now);
  replaceTimeout((ms, wake) => {
    const sleep = { at: now + ms, wake };
    sleeps.add(sleep);
    changed();
    return () => {
      sleeps.delete(sleep);
      changed();
    };
  });

  return {
    tell: (at, number) => {
      now = at;
      turn = number;
      reported = false;
      const due = [...sleeps].filter((sleep) => sleep.at <= now).sort((a, b) => a.at - b.at);
      for (const sleep of due) {
        sleeps.delete(sleep);
        sleep.wake();
      }
      changed();
    },
    held: (change) => {
      // One may be let go only in a later invocation, which began without any.
      heldRequests = Math.max(0, heldRequests + change);
      changed();
    },
    invoking: (isRunning) => {
      running = isRunning;
      if (running) heldRequests = 0;
      reported = false;
      changed();
    },
    changed,
  };
}
