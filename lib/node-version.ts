/** The oldest that the package is tested on, as `engines` of it says; AWS and its vendor support none below. */
const OLDEST = 22;

/** What somebody should know whose Node.js synthesizes and is none that the package is tested on. Undefined: it is one. */
export function nodeWarning(version: string): string | undefined {
  const major = Number(/^v?(\d+)/.exec(version)?.[1]);
  if (major >= OLDEST) return undefined;
  return `found Node.js ${version}, expected ${OLDEST} or newer: nobody tests Keyturn on it, and npx keyturn refuses it; install one from https://nodejs.org, and synthesize again before you deploy`;
}
