/**
 * The oldest that the package is tested on, as `engines` of it says, and as bin/keyturn.cjs demands: before, `require` loads no ES module,
 * and so not the package. AWS and its vendor support none below 22.
 */
export const OLDEST = '22.12';

function isBefore(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number);
  return major === oldestMajor ? minor < oldestMinor : major < oldestMajor;
}

/** What somebody should know whose Node.js synthesizes and is none that the package is tested on. Undefined: it is one. */
export function nodeWarning(version: string): string | undefined {
  if (!isBefore(version, OLDEST)) return undefined;
  return `found Node.js ${version}, expected ${OLDEST} or newer: nobody tests Keyturn on it, and npx keyturn refuses it; install one from https://nodejs.org, and synthesize again before you deploy`;
}
