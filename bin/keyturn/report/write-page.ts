import {
  chmodSync,
  closeSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../../../functions/run/message-of.ts';
import { CommandError } from '../failure.ts';
import { BEGINNING } from './html.ts';

const NOTHING_DONE = 'nothing was done';

function beginsAsPage(file: string): boolean {
  const bytes = Buffer.alloc(BEGINNING.length);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString() === BEGINNING;
}

/** Where a link leads, since a page that is put in its place would cut it. */
function placeOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) {
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    return isLink ? placeOf(resolve(dirname(file), readlinkSync(file))) : file;
  }
  const isOurs = found.isFile() && (found.size === 0 || beginsAsPage(file));
  if (isOurs) return realpathSync(file);
  const what = found.isDirectory() ? 'a folder' : 'something else than a page of keyturn report';
  throw new CommandError(
    `--html: found ${what} under ${file}, expected a new file, or such a page, which is replaced; ${NOTHING_DONE}`,
  );
}

/** Beside the page, so that it can be put in its place at once. */
const draftOf = (place: string) => `${place}.${process.pid}.new`;

/**
 * Finds out by writing whether a page can be written there: nothing else tells.
 * @returns puts a page in that place, as a whole or not at all
 * @throws CommandError before anything is done
 */
export function openPlace(file: string): (page: string) => void {
  try {
    if (file === '') throw new Error('no name');
    const place = placeOf(file);
    const draft = draftOf(place);
    writeFileSync(draft, '', { flag: 'wx' });
    rmSync(draft);
    return (page) => {
      try {
        const mode = statSync(place, { throwIfNoEntry: false })?.mode;
        writeFileSync(draft, '', { flag: 'wx', mode: mode ?? 0o666 });
        if (mode !== undefined) chmodSync(draft, mode);
        writeFileSync(draft, page);
        renameSync(draft, place);
      } catch (error) {
        rmSync(draft, { force: true });
        throw new CommandError(`--html: ${messageOf(error)}; the page was not written`, {
          cause: error,
        });
      }
    };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `--html: found ${messageOf(error)}, expected the name of a file that can be written; ${NOTHING_DONE}`,
      { cause: error },
    );
  }
}
