const UNRELEASED = '## [Unreleased]';
const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;

const numbersOf = (version: string) => VERSION.exec(version)?.slice(1).map(Number);

/** Why a version cannot come after another one. Undefined: it can. */
export function versionMistake(next: string | undefined, current: string): string | undefined {
  const [wanted, has] = [numbersOf(next ?? ''), numbersOf(current)];
  if (!wanted || !has) return `found ${next ?? 'no version'}, expected one such as 1.2.3`;
  const at = wanted.findIndex((number, index) => number !== has[index]);
  const isLater = at >= 0 && (wanted[at] ?? 0) > (has[at] ?? 0);
  return isLater ? undefined : `found ${next}, expected a version after ${current}`;
}

/**
 * The changelog with what is unreleased under a version of that day, and room for what comes next.
 * @param day YYYY-MM-DD, in UTC
 * @throws Error if nothing is unreleased, or the version is there already
 */
export function releasedChangelog(text: string, version: string, day: string): string {
  const heading = `## [${version}]`;
  if (text.includes(`${heading} `)) {
    throw new Error(`CHANGELOG.md: found "${heading}" already, expected it nowhere`);
  }
  const [before, after, ...more] = text.split(`${UNRELEASED}\n`);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`CHANGELOG.md: expected one heading "${UNRELEASED}"`);
  }
  const [unreleased = ''] = after.split(/^## /m);
  if (!/^- /m.test(unreleased)) {
    throw new Error(`CHANGELOG.md: found nothing under "${UNRELEASED}", expected what is new`);
  }
  return `${before}${UNRELEASED}\n\n${heading} - ${day}\n${after}`;
}
