import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../bin/cli.ts';

const PACKAGE = resolve(import.meta.dirname, '../../package');

/** Stands for npm: packs for as long as the test needs it. */
const npm = (packing: string) => `#!/bin/sh
case "$*" in
  version*) echo '{ "version": "0.2.0" }' > package.json ;;
  pack*) ${packing} ;;
esac
`;
const PACKS_LONG = 'touch "$PACKING"; exec sleep 5';
/** As a program that has its own mind of signals. */
const PACKS_ANYWAY = 'trap \'\' INT TERM HUP; touch "$PACKING"; sleep 1';

const MANIFEST = {
  name: '@keyturn/cdk',
  version: '0.1.0',
  type: 'module',
  files: ['lib'],
  scripts: { sbom: "echo '{ }'" },
};

/** Other packages have their versions, one of which may be like ours. */
const transcriptOf = (version: string) =>
  `commands with version ${version} on npm\ninstall ../keyturn-cdk-${version}.tgz\n├── @keyturn/cdk@${version}\n└── other@0.1.0\nwith version 0.1.01\n`;

/** A clone of which a release can be made, as committed. */
function openClone(more: object = {}) {
  const folder = temporaryFolder();
  const clone = join(folder, 'clone');
  for (const file of ['package/release.ts', 'package/changelog.ts', 'e2e/sbom.ts']) {
    cpSync(join(PACKAGE, '..', file), join(clone, file));
  }
  const { name, version } = MANIFEST;
  const locked = { name, version, lockfileVersion: 3, packages: { '': { name, version } } };
  const asJson = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  writeFileSync(join(clone, 'package.json'), asJson({ ...MANIFEST, ...more }));
  writeFileSync(join(clone, 'package-lock.json'), asJson(locked));
  mkdirSync(join(clone, 'lib'));
  writeFileSync(join(clone, 'lib/index.js'), 'export {};\n');
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n\n- One.\n');
  mkdirSync(join(clone, 'docs'));
  writeFileSync(join(clone, 'docs/package-transcript.md'), transcriptOf('0.1.0'));
  writeFileSync(join(clone, '.gitignore'), 'release/\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      cwd: clone,
      encoding: 'utf8',
    });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'x');
  return { folder, clone, git };
}

function openPacking(packing: string) {
  const { folder, clone, git } = openClone();
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'npm'), npm(packing), { mode: 0o755 });
  const marker = join(folder, 'packing');
  const started = spawn(process.execPath, ['package/release.ts', '0.2.0'], {
    cwd: clone,
    // Of a process group of its own, as what a terminal runs.
    detached: true,
    env: { PATH: [programs, process.env.PATH].join(delimiter), PACKING: marker },
  });
  return { clone, git, marker, started };
}

/** By the npm of this machine, without a registry. */
function release(clone: string, ...words: string[]) {
  return spawnSync(process.execPath, ['package/release.ts', ...words], {
    cwd: clone,
    env: {
      PATH: process.env.PATH,
      HOME: clone,
      NPM_CONFIG_OFFLINE: 'true',
      NPM_CONFIG_CACHE: join(clone, '../cache'),
    },
    encoding: 'utf8',
  });
}

test('a release is the package with its bill of materials and the checksums of both, and a tree that is to be committed', () => {
  const { clone, git } = openClone();
  const read = (name: string) => readFileSync(join(clone, name), 'utf8');
  const head = git('rev-parse', 'HEAD');
  mkdirSync(join(clone, 'release'));
  writeFileSync(join(clone, 'release/keyturn-cdk-0.1.0.tgz'), 'of before');
  const today = () => new Date().toISOString().slice(0, 10);
  const days = [today()];
  const { status, stdout, stderr } = release(clone, '0.2.0');
  days.push(today());
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

  const files = ['keyturn-cdk-0.2.0.sbom.json', 'keyturn-cdk-0.2.0.tgz'];
  expect(readdirSync(join(clone, 'release')).sort()).toEqual(['SHA256SUMS', ...files]);
  const sumOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(clone, 'release', name)))
      .digest('hex');
  const sums = files.map((name) => `${sumOf(name)}  ${name}\n`).join('');
  expect(read('release/SHA256SUMS')).toBe(sums);
  expect(stdout).toContain(sums);
  expect(JSON.parse(read('release/keyturn-cdk-0.2.0.sbom.json'))).toEqual({});
  const packed = execFileSync(
    'tar',
    ['-xzOf', 'release/keyturn-cdk-0.2.0.tgz', 'package/package.json'],
    {
      cwd: clone,
      encoding: 'utf8',
    },
  );
  expect(JSON.parse(packed)).toEqual({ ...MANIFEST, version: '0.2.0' });

  expect(JSON.parse(read('package.json'))).toEqual({ ...MANIFEST, version: '0.2.0' });
  expect(JSON.parse(read('package-lock.json'))).toMatchObject({
    version: '0.2.0',
    packages: { '': { version: '0.2.0' } },
  });
  expect(
    days.map((day) => `# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - ${day}\n\n- One.\n`),
  ).toContain(read('CHANGELOG.md'));
  expect(read('docs/package-transcript.md')).toBe(transcriptOf('0.2.0'));
  const changed = [
    'CHANGELOG.md',
    'docs/package-transcript.md',
    'package-lock.json',
    'package.json',
  ];
  expect(git('status', '--porcelain')).toBe(changed.map((name) => ` M ${name}\n`).join(''));
  expect([git('rev-parse', 'HEAD'), git('tag')]).toEqual([head, '']);
  expect(stdout).toContain('git commit -am "chore: release 0.2.0" && git tag -s v0.2.0');
  expect(stdout).toContain('npm publish release/keyturn-cdk-0.2.0.tgz --access public');
});

test('a release is refused of a tree that is not committed, and of a version that was before, and nothing is changed', () => {
  const { clone, git } = openClone();
  expect(release(clone, '0.1.0')).toMatchObject({
    status: 1,
    stderr: 'release: found 0.1.0, expected a version after 0.1.0; nothing was changed\n',
  });
  writeFileSync(join(clone, 'lib/index.js'), 'export const edited = 1;\n');
  const { status, stderr } = release(clone, '0.2.0');
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^release: found changes that are not committed, .*; nothing was changed\n$/,
  );
  expect(git('status', '--porcelain')).toBe(' M lib/index.js\n');
  expect(existsSync(join(clone, 'release'))).toBe(false);
});

test('a word behind the version is refused by name, and nothing is changed', () => {
  const { clone, git } = openClone();
  expect(release(clone, '0.2.0', '--dry-run', '0.3.0')).toMatchObject({
    status: 1,
    stderr:
      'release: found --dry-run 0.3.0 behind 0.2.0, expected a version alone; nothing was changed\n',
  });
  expect(git('status', '--porcelain')).toBe('');
});

const OF_NODE = 'node e2e/sbom.ts';

test.each([
  [
    'the bill of materials',
    { scripts: { sbom: OF_NODE }, dependencies: { absent: '1.0.0' } },
    /npm error code ESBOMPROBLEMS\n.*missing: absent@1\.0\.0/s,
  ],
  ['the package', { scripts: { prepack: 'exit 7', sbom: OF_NODE } }, /npm error command .*exit 7/],
])("npm's own words are shown where it does not make %s", (_what, more, words) => {
  const { clone, git } = openClone(more);
  const { status, stderr } = release(clone, '0.2.0');
  expect([status, stderr]).toEqual([1, expect.stringMatching(words)]);
  expect(git('status', '--porcelain')).toBe('');
});

async function until(file: string): Promise<void> {
  while (!existsSync(file)) await sleep(20);
}

test.each([
  ['Ctrl-C, which npm hears as well', PACKS_LONG, 'SIGINT', 130, -1],
  ['a signal to it alone', PACKS_LONG, 'SIGTERM', 143, 1],
  ['a terminal that is closed', PACKS_LONG, 'SIGHUP', 129, -1],
  ['a signal of which npm takes no notice', PACKS_ANYWAY, 'SIGTERM', 143, -1],
] as const)(
  'a release that is stopped half-way leaves the tree as it was committed: %s',
  async (_how, packing, signal, code, whom) => {
    const { clone, git, marker, started } = openPacking(packing);
    const closed = once(started, 'close');
    await until(marker);
    expect(readFileSync(join(clone, 'package.json'), 'utf8')).toContain('0.2.0');
    process.kill(whom * (started.pid ?? 0), signal);
    const ended = await closed;
    expect({ ended, changed: git('status', '--porcelain') }).toEqual({
      ended: [code, null],
      changed: '',
    });
    expect(existsSync(join(clone, 'release'))).toBe(false);
  },
);
