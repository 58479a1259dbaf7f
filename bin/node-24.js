/** Loaded ahead of every script: an older Node.js stops at the first TypeScript file with a riddle. */
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `Keyturn's scripts need Node.js 24, and this is ${process.version}. npm installs it beside the ` +
      'dependencies and npm scripts then use it: run "npm ci", or "npm rebuild node" if install scripts were off.',
  );
  process.exit(1);
}
