import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import manifest from '../package.json' with { type: 'json' };
import { releasedChangelog, versionMistake } from './changelog.ts';

/**
 * `npm run release -- 1.2.3` makes a release of the tree as it is committed: the version and the day in package.json, its lock
 * file, the changelog and the page that shows its tarball; in release/ the package, its software bill of materials and the checksums of both. It publishes
 * nothing, and says what is left to do.
 */

const REPOSITORY = resolve(import.meta.dirname, '..');
const RELEASE = join(REPOSITORY, 'release');
const CHANGELOG = join(REPOSITORY, 'CHANGELOG.md');
/** It names the tarball, which `npm run test:package` compares, and is a part of it. */
const TRANSCRIPT = join(REPOSITORY, 'docs/package-transcript.md');

const STOPS: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGTERM'];

let running: ChildProcess | undefined;
let stoppedBy: NodeJS.Signals | undefined;
for (const signal of STOPS) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    // It goes on writing until it has ended, so the tree is restored only then.
    if (running) running.kill(signal);
    else exitStopped();
  });
}

function exitStopped(): void {
  if (stoppedBy) process.exit(128 + constants.signals[stoppedBy]);
}

/** Runs a program beside the event loop, so that a signal is heard meanwhile. */
async function run(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  const [stdout, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  running = undefined;
  // A terminal signals both at once, and which end is heard of first is chance.
  if (signal !== null && STOPS.includes(signal)) stoppedBy ??= signal;
  await setImmediate();
  exitStopped();
  if (code === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')} ended with ${signal ?? code}`);
}

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

const [version = '', ...beside] = process.argv.slice(2);
if (beside.length > 0) {
  refuse(`found ${beside.join(' ')} behind ${version}, expected a version alone`);
}
const mistake = versionMistake(version || undefined, manifest.version);
if (mistake) refuse(mistake);
if ((await run('git', 'status', '--porcelain')) !== '') {
  refuse('found changes that are not committed, expected none, so that the tag is what was packed');
}
const changelog = changelogOf(version);

/** The tree was as committed, so what failed, or was stopped, half-way leaves it so. */
function restoreTree(): void {
  const changed = [CHANGELOG, TRANSCRIPT, 'package.json', 'package-lock.json'];
  execFileSync('git', ['checkout', '--', ...changed], { cwd: REPOSITORY });
  rmSync(RELEASE, { recursive: true, force: true });
  console.error(
    'release: it failed or was stopped; the tree is as it was committed, and release/ is gone',
  );
}
let isDone = false;
process.on('exit', () => {
  if (!isDone) restoreTree();
});

writeFileSync(CHANGELOG, changelog);
const tarball = (of: string) => `keyturn-cdk-${of}.tgz`;
/** How that page names the version: of the package alone, and not of others that have the same. */
const NAMINGS = [
  tarball,
  (of: string) => `commands with version ${of} on `,
  (of: string) => `${manifest.name}@${of}\n`,
];
const transcript = readFileSync(TRANSCRIPT, 'utf8');
writeFileSync(
  TRANSCRIPT,
  NAMINGS.reduce(
    (page, naming) => page.replaceAll(naming(manifest.version), naming(version)),
    transcript,
  ),
);
await run('npm', 'version', '--no-git-tag-version', '--workspaces=false', version);
rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE);
await run('npm', 'pack', '--loglevel=error', '--pack-destination', RELEASE);
writeFileSync(
  join(RELEASE, `keyturn-cdk-${version}.sbom.json`),
  await run('npm', 'run', '--silent', 'sbom'),
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
  npm publish release/${tarball(version)} --access public --provenance
Only a workflow with an OpenID Connect token can give provenance (npm 11.5.1 or later, a public repository that package.json names in
"repository"); without it, leave --provenance out. The first version of a package must be published by hand.`);
