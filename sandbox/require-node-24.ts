/** Import this first: says what is needed, instead of failing at whatever an older Node lacks. */
const [major = ''] = process.versions.node.split('.');

if (Number(major) < 24) {
  process.stderr.write(
    `The sandbox needs Node.js 24 or newer, and this is ${process.versions.node} (${process.execPath}).\n` +
      'Install Node.js 24, or run it by "npm run", which takes the one that "npm ci" installed.\n',
  );
  process.exit(1);
}
