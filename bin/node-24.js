/**
 * Loaded before every script: an older Node.js fails at the first TypeScript file with an unclear
 * error.
 */
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `found Node.js ${process.version}, expected 24 or newer for Keyturn's scripts; on Linux "npm ci" installs it for ` +
      '"npm run" and "npx" (npx cdk), unless optional dependencies are left out; elsewhere, install Node.js 24 yourself',
  );
  process.exit(1);
}
