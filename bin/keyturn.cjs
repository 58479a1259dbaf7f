#!/usr/bin/env node
/**
 * Begins the command line: the repository's TypeScript where it stands beside this file, and what was built from it in the
 * package. Node.js 12 can read this file, so that an older one than is needed says so instead of failing at a later syntax.
 */
const { existsSync } = require('fs');
const { join } = require('path');

// The repository has the source beside this file.
const isRepository = existsSync(join(__dirname, 'keyturn.ts'));
// Of the package, as lib/node-version.ts says.
const needed = isRepository ? '24' : '22.12';
const [major, minor] = process.versions.node.split('.').map(Number);
const [neededMajor, neededMinor = 0] = needed.split('.').map(Number);
if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  console.error(
    `keyturn: found Node.js ${process.version}, expected ${needed} or newer; install one from https://nodejs.org` +
      (isRepository ? ' (on Linux, "npm ci" has installed it for "npx")' : '') +
      ', and give the command again. Nothing was done',
  );
  process.exit(1);
}
import(isRepository ? './keyturn.ts' : '../dist/bin/keyturn.js');
