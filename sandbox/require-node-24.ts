/** Import this first: an older Node.js would fail later, with an unclear error. */
const [major = ''] = process.versions.node.split('.');

if (Number(major) < 24) {
  process.stderr.write(
    `found Node.js ${process.versions.node} (${process.execPath}), expected 24 or newer for the sandbox.\n` +
      'Install Node.js 24, or on Linux use "npm run", which takes the Node.js that "npm ci" installed.\n',
  );
  process.exit(1);
}
