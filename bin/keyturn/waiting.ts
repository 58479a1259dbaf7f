import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Where the work is done with `--local`. */
export const THIS_MACHINE = 'this machine';
const EVERY_MS = 10_000;

/** Prints every ten seconds that the work continues; after Ctrl-C it prints what that means. */
export async function whileWaiting<T>(
  { note, noteStyle }: Terminal,
  place: string,
  work: () => Promise<T>,
): Promise<T> {
  const whatGoesOn =
    place === THIS_MACHINE
      ? 'What was begun here is cut off; a part of it may be done.'
      : `The run goes on in Lambda (${place}), for 15 minutes at most.`;
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += EVERY_MS / 1_000;
    note(noteStyle('dim', `  ${place} is working: ${seconds} s`));
  }, EVERY_MS);
  const onInterrupt = () => {
    note(
      `keyturn: stopped waiting. ${whatGoesOn} Repeat the same command: it goes on where that ended`,
    );
    process.exit(EXIT.failed);
  };
  process.once('SIGINT', onInterrupt);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.removeListener('SIGINT', onInterrupt);
  }
}
