import { whenQuiet } from '../when-quiet.ts';
import type { FromWorker } from './messages.ts';
import { replaceDate, replaceTimeout } from './replace-globals.ts';
import type { OutgoingRequests } from './requests.ts';

interface Sleep {
  readonly at: number;
  readonly wake: () => void;
}

export interface VirtualTime {
  readonly now: number;
  /** Sets the time and the number of the host's last message, and wakes what is due. */
  set(now: number, turn: number): void;
  held(change: 1 | -1): void;
  /** Between invocations the process does not report whether it sleeps. */
  invoking(running: boolean): void;
  /** A request was sent or answered. */
  changed(): void;
}

/** Turns of the event loop without activity after which this process reports that it sleeps. */
const settleTurns = 3;

/**
 * Time that moves when the host says so, and, unless the factor is 0, with the CPU that this process uses.
 * Replaces `Date` and the `setTimeout` of `node:timers/promises`, and reports when only the clock can
 * make something happen in this process. Other timers stay real: they belong to real connections.
 */
export function startVirtualTime(
  startAt: number,
  cpuFactor: number,
  requests: () => OutgoingRequests,
  report: (message: FromWorker) => void,
): VirtualTime {
  const sleeps = new Set<Sleep>();
  let synchronised = startAt;
  let usedBefore = process.cpuUsage();
  const now = () => {
    if (cpuFactor === 0) return synchronised;
    const { user, system } = process.cpuUsage(usedBefore);
    return synchronised + Math.floor(((user + system) / 1_000) * cpuFactor);
  };
  let turn = 0;
  let heldRequests = 0;
  let running = false;
  let reported = false;

  const onQuiet = () => {
    if (!running || requests().count > heldRequests || sleeps.size + heldRequests === 0) return;
    if (process.getActiveResourcesInfo().some((resource) => resource.includes('Req'))) {
      noteActivity(); // a file or a host name is being read, and there is no event for its end
      return;
    }
    reported = true;
    const until = Math.min(...[...sleeps].map(({ at }) => at));
    report({
      kind: 'asleep',
      until: sleeps.size > 0 ? until : undefined,
      turn,
      workedUntil: now(),
    });
  };
  const noteActivity = whenQuiet(settleTurns, onQuiet);

  const changed = () => {
    if (reported) report({ kind: 'awake', turn });
    reported = false;
    if (running) noteActivity();
  };

  replaceDate(now);
  replaceTimeout((ms, wake) => {
    const sleep = { at: now() + ms, wake };
    sleeps.add(sleep);
    changed();
    return () => {
      sleeps.delete(sleep);
      changed();
    };
  });

  return {
    get now() {
      return now();
    },
    set: (at, number) => {
      // Never back while it runs; a frozen process has no time.
      synchronised = Math.max(at, running ? now() : at);
      usedBefore = process.cpuUsage();
      turn = number;
      reported = false;
      const due = [...sleeps]
        .filter((sleep) => sleep.at <= synchronised)
        .sort((a, b) => a.at - b.at);
      for (const sleep of due) {
        sleeps.delete(sleep);
        sleep.wake();
      }
      changed();
    },
    held: (change) => {
      // A request may be released in a later invocation, which started with none.
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
