import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Where the work is done with `--local`. */
export const THIS_MACHINE = 'this machine';
export const SCHEDULER = 'EventBridge Scheduler';
const EVERY_MS = 10_000;
/** After that, somebody at a terminal wonders whether anything happens. */
const FIRST_MS = 1_000;
/** Ctrl-C, the end of a job, and a terminal or a connection that is closed: what is written to a file is still told. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A person no longer waits. What was begun is not undone by that. */
export class InterruptedError extends CommandError {}

interface Wait {
  /** Who works, and has not answered yet. */
  readonly place: string;
  /** Nothing is changed there. */
  readonly isLook: boolean;
}

const waits = new Set<Wait>();
/** Whether anything was begun that may have changed something. */
let begun = false;
export const hasBegun = (): boolean => begun;

const { promise: signalled, resolve: signal } = Promise.withResolvers<void>();

/** Nothing is waited for, or only an answer that changes nothing. */
const cancelled = () =>
  begun
    ? new InterruptedError('stopped; of what was not reported, nothing was done')
    : new InterruptedError('cancelled; nothing was done', { exitCode: EXIT.cancelled });

function whatGoesOn(place: string): string {
  if (place === THIS_MACHINE) return 'What was begun here is cut off; a part of it may be done.';
  if (place === SCHEDULER)
    return 'The change was sent, or is about to be: it is not known whether it was made.';
  return `The run goes on in Lambda (${place}), for 15 minutes at most.`;
}

const interruptedAt = ({ place, isLook }: Wait) =>
  isLook
    ? cancelled()
    : new InterruptedError(
        `stopped waiting. ${whatGoesOn(place)} Repeat the same command: it goes on where that ended`,
      );

/** By place, when it was said last that it is waited for: one wait after the other is not told each time. */
const saidAt = new Map<string, number>();

/**
 * Waits for what others do, and says so after a second, if a person may see it, and every ten seconds.
 * @throws InterruptedError after Ctrl-C and the like, so that what was done before it is still told; the process then has to end
 *   itself, because the work goes on
 */
export async function whileWaiting<T>(
  { note, noteStyle, isWatched }: Terminal,
  wait: Wait,
  work: () => Promise<T>,
): Promise<T> {
  const mine = { ...wait };
  const { place, isLook } = mine;
  begun ||= !isLook;
  waits.add(mine);
  const say = (seconds: number) => {
    // Of several that wait for the same, one says it.
    if ([...waits].find((each) => each.place === place) !== mine) return;
    saidAt.set(place, performance.now());
    const what = place === THIS_MACHINE ? 'AWS and the cluster' : place;
    note(noteStyle('dim', `  waiting for ${what}: ${seconds} s`));
  };
  const first = setTimeout(() => {
    const since = performance.now() - (saidAt.get(place) ?? Number.NEGATIVE_INFINITY);
    if (isWatched && since >= EVERY_MS) say(FIRST_MS / 1_000);
  }, FIRST_MS);
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += EVERY_MS / 1_000;
    say(seconds);
  }, EVERY_MS);
  const interrupted = signalled.then((): never => {
    throw interruptedAt(mine);
  });
  try {
    return await Promise.race([work(), interrupted]);
  } finally {
    clearTimeout(first);
    clearInterval(timer);
    waits.delete(mine);
  }
}

/**
 * Looks again and again until Ctrl-C, which is how that ends: no error.
 * @param look resolves to whether anybody is there to see the next one
 * @throws InterruptedError if the first look was not over
 */
export async function untilStopped(look: () => Promise<boolean>, everyMs: number): Promise<void> {
  const watching: Wait = { place: '', isLook: true };
  const stopped = signalled.then(() => true);
  let hasLooked = false;
  waits.add(watching);
  try {
    for (let isOver = false; !isOver; ) {
      const isSeen = await look();
      hasLooked = true;
      isOver = !isSeen || (await Promise.race([stopped, sleep(everyMs, false)]));
    }
  } catch (error) {
    if (!(error instanceof InterruptedError && hasLooked)) throw error;
  } finally {
    waits.delete(watching);
  }
  // A look that nobody waits for any more, and the pause, would keep the process.
  isStopped = true;
}

let isStopped = false;
/** Whether Ctrl-C, or nobody who reads on, ended what goes on until then: the process is to end, too. */
export const wasStopped = (): boolean => isStopped;

/** npm passes on what the terminal sent to both: of two at once, the second is not a person's. */
const TWICE_MS = 1_000;

function onSignal(): void {
  signal();
  setTimeout(() => {
    for (const each of SIGNALS) process.removeListener(each, onSignal);
  }, TWICE_MS).unref();
}

/**
 * Runs a command to its end, or to Ctrl-C; a second one ends the process.
 * @throws InterruptedError if nothing is waited for that says itself what goes on
 */
export async function untilInterrupted<T>(command: () => Promise<T>): Promise<T> {
  for (const each of SIGNALS) process.on(each, onSignal);
  const interrupted = signalled.then(async (): Promise<never> => {
    if (waits.size > 0) await new Promise(() => {});
    throw cancelled();
  });
  return await Promise.race([command(), interrupted]);
}
