import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OLDEST } from '../lib/node-version.ts';

/**
 * `npm pack` puts package.json into the tarball as it is on the disk. There it names the versions of Node.js on which the package runs.
 * In a clone it also names the one that `npm ci` and `npx` may start on, where scripts run on the Node.js of the lock file: npm would warn.
 */
const IN_A_CLONE = '"node": ">=20"';
const IN_THE_PACKAGE = `"node": ">=${OLDEST}"`;

const FILE = join(import.meta.dirname, '..', 'package.json');
const [from, to] =
  process.argv[2] === 'package' ? [IN_A_CLONE, IN_THE_PACKAGE] : [IN_THE_PACKAGE, IN_A_CLONE];
const text = readFileSync(FILE, 'utf8');
// A pack that was stopped half-way has left it changed.
if (!text.includes(from) && !text.includes(to)) {
  throw new Error(`package.json: found no ${from}, expected it under "engines"`);
}
writeFileSync(FILE, text.replace(from, to));
