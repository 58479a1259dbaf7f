import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** A clone of which a release can be made, as committed. */
function openClone(packing: string) {
  const folder = temporaryFolder();
  const clone = join(folder, 'clone');
  mkdirSync(join(clone, 'package'), { recursive: true });
  for (const name of ['release.ts', 'changelog.ts']) {
    cpSync(join(PACKAGE, name), join(clone, 'package', name));
  }
  writeFileSync(join(clone, 'package.json'), '{ "version": "0.1.0", "type": "module" }\n');
  writeFileSync(join(clone, 'package-lock.json'), '{}\n');
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n\n- One.\n');
  writeFileSync(join(clone, '.gitignore'), 'release/\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      cwd: clone,
      encoding: 'utf8',
    });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'x');
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
    const { clone, git, marker, started } = openClone(packing);
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
