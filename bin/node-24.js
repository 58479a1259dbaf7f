/**
 * Loaded before every script: an older Node.js fails at the first TypeScript file with an unclear
 * error.
 */
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `found Node.js ${process.version}, expected 24 or newer for Keyturn's scripts; run "npm ci", which installs it ` +
      'for the npm scripts, or "npm rebuild node" if install scripts were off',
  );
  process.exit(1);
}
