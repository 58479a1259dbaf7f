import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

const EVERY_MS = 10_000;

/** Says from time to time that something is still being done, and after Ctrl-C what that means. */
export async function whileWaiting<T>(
  { note, noteStyle }: Terminal,
  place: string,
  work: () => Promise<T>,
): Promise<T> {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += EVERY_MS / 1_000;
    note(noteStyle('dim', `  ${place} is at work: ${seconds} s`));
  }, EVERY_MS);
  const onInterrupt = () => {
    note(`keyturn: not waited for; what ${place} has begun is finished by the same command again`);
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
