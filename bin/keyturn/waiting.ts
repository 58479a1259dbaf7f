import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Where the work is done with `--local`. */
export const THIS_MACHINE = 'this machine';
const EVERY_MS = 10_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A person no longer waits. What was begun is not undone by that. */
export class InterruptedError extends CommandError {}

const interruptedAt = (place: string) => {
  const whatGoesOn =
    place === THIS_MACHINE
      ? 'What was begun here is cut off; a part of it may be done.'
      : `The run goes on in Lambda (${place}), for 15 minutes at most.`;
  return new InterruptedError(
    `stopped waiting. ${whatGoesOn} Repeat the same command: it goes on where that ended`,
  );
};

/**
 * Prints every ten seconds that the work continues.
 * @throws InterruptedError after Ctrl-C, so that what was done before it is still told; the process then has to end
 *   itself, because the work goes on
 */
export async function whileWaiting<T>(
  { note, noteStyle }: Terminal,
  place: string,
  work: () => Promise<T>,
): Promise<T> {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += EVERY_MS / 1_000;
    note(noteStyle('dim', `  ${place} is working: ${seconds} s`));
  }, EVERY_MS);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const onSignal = () => reject(interruptedAt(place));
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    return await Promise.race([work(), interrupted]);
  } finally {
    clearInterval(timer);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  }
}
