import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

const EVERY_MS = 10_000;

/** Prints every ten seconds that the work continues; after Ctrl-C it prints what that means. */
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
  const onInterrupt = () => {
    note(
      `keyturn: stopped waiting; ${place} may have done part of the work. Repeat the same command to finish it`,
    );
    process.exit(EXIT.cancelled);
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.removeListener('SIGINT', onInterrupt);
  }
}
