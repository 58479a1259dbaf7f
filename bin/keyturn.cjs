#!/usr/bin/env node
/**
 * Begins the command line: the repository's TypeScript where it stands beside this file, and what was built from it in the
 * package. Node.js 12 can read this file, so that an older one than is needed says so instead of failing at a later syntax.
 */
const { existsSync } = require('fs');
const { join } = require('path');

// The repository has the source beside this file.
const isRepository = existsSync(join(__dirname, 'keyturn.ts'));
const needed = isRepository ? 24 : 22;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(
    `keyturn: found Node.js ${process.version}, expected ${needed} or newer; install one from https://nodejs.org` +
      (isRepository ? ' (on Linux, "npm ci" has installed it for "npx")' : '') +
      ', and give the command again. Nothing was done',
  );
  process.exit(1);
}
import(isRepository ? './keyturn.ts' : '../dist/bin/keyturn.js');
