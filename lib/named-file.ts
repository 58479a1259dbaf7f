import { closeSync, openSync, readSync } from 'node:fs';

/** Far more than any policy, certificate or token has. */
const MOST_MB = 10;
const MOST_BYTES = MOST_MB * 2 ** 20;

/** The first bytes of a file, one more than it may have. */
function readBeginning(file: string): Buffer {
  const bytes = Buffer.alloc(MOST_BYTES + 1);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (let count = -1; count !== 0; length += count) {
      count = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a text file that a person names, of at most 10 MB: it may be a pipe (`<(pass show token)`), and a pipe or a device such as
 * /dev/zero may never end.
 * @param refuse makes the error; `problem` goes before the name of the file: `cannot read`, `found a folder in place of`, `found more than 10 MB in`
 */
export function readNamedFile(
  file: string,
  refuse: (problem: string, cause?: unknown) => Error,
): string {
  let bytes: Buffer;
  try {
    bytes = readBeginning(file);
  } catch (cause) {
    const { code } = Object(cause) as NodeJS.ErrnoException;
    throw refuse(code === 'EISDIR' ? 'found a folder in place of' : 'cannot read', cause);
  }
  if (bytes.length > MOST_BYTES) throw refuse(`found more than ${MOST_MB} MB in`);
  return bytes.toString();
}
