import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { releasedChangelog, versionMistake } from './changelog.ts';

/**
 * `npm run release -- 1.2.3` makes a release of the tree as it is committed: the version and the day in package.json, its lock
 * file and the changelog; in release/ the package, its software bill of materials and the checksums of both. It publishes
 * nothing, and says what is left to do.
 */

const REPOSITORY = resolve(import.meta.dirname, '..');
const RELEASE = join(REPOSITORY, 'release');
const CHANGELOG = join(REPOSITORY, 'CHANGELOG.md');

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, {
    cwd: REPOSITORY,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

function refuse(message: string): never {
  console.error(`release: ${message}; nothing was changed`);
  process.exit(1);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function changelogOf(version: string): string {
  try {
    const today = new Date().toISOString().slice(0, 10);
    return releasedChangelog(readFileSync(CHANGELOG, 'utf8'), version, today);
  } catch (error) {
    return refuse(messageOf(error));
  }
}

const [version = ''] = process.argv.slice(2);
const mistake = versionMistake(version || undefined, manifest.version);
if (mistake) refuse(mistake);
if (run('git', 'status', '--porcelain') !== '') {
  refuse('found changes that are not committed, expected none, so that the tag is what was packed');
}
const changelog = changelogOf(version);

/** The tree was as committed, so what failed half-way leaves it so. */
function restoreTree(): void {
  run('git', 'checkout', '--', 'CHANGELOG.md', 'package.json', 'package-lock.json');
  rmSync(RELEASE, { recursive: true, force: true });
  console.error('release: it failed; the tree is as it was committed, and release/ is gone');
}
let isDone = false;
process.on('exit', () => {
  if (!isDone) restoreTree();
});

writeFileSync(CHANGELOG, changelog);
run('npm', 'version', '--no-git-tag-version', '--workspaces=false', version);
rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE);
run('npm', 'pack', '--silent', '--pack-destination', RELEASE);
writeFileSync(
  join(RELEASE, `keyturn-cdk-${version}.sbom.json`),
  run('npm', 'run', '--silent', 'sbom'),
);
const sums = readdirSync(RELEASE)
  .sort()
  .map((name) => {
    const hash = createHash('sha256').update(readFileSync(join(RELEASE, name)));
    return `${hash.digest('hex')}  ${name}\n`;
  });
writeFileSync(join(RELEASE, 'SHA256SUMS'), sums.join(''));
isDone = true;
console.log(`${sums.join('')}
In release/. What is left:
  .ci/run                                  # on this tree
  git commit -am "chore: release ${version}" && git tag -s v${version} -m v${version} && git push --follow-tags
  npm publish release/keyturn-cdk-${version}.tgz --access public --provenance
Only a workflow with an OpenID Connect token can give provenance (npm 11.5.1 or later, a public repository that package.json names in
"repository"); without it, leave --provenance out. The first version of a package must be published by hand.`);
