import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { OLDEST } from '../../lib/node-version.ts';
import { temporaryFolder } from '../bin/cli.ts';

const COMMAND = resolve(import.meta.dirname, '../../bin/keyturn.cjs');

/** The command as the package has it, on a Node.js that says to be of this version. */
function commandOn(version: string) {
  const folder = temporaryFolder();
  for (const each of ['bin', 'dist/bin']) mkdirSync(join(folder, each), { recursive: true });
  cpSync(COMMAND, join(folder, 'bin/keyturn.cjs'));
  writeFileSync(join(folder, 'dist/bin/keyturn.js'), "console.log('it ran');");
  const [text, versions] = [`v${version}`, { ...process.versions, node: version }];
  const said = Object.entries({ version: text, versions }).map(
    ([name, value]) =>
      `Object.defineProperty(process, '${name}', { value: ${JSON.stringify(value)} });`,
  );
  writeFileSync(join(folder, 'version.cjs'), said.join('\n'));
  const words = ['--require', join(folder, 'version.cjs'), join(folder, 'bin/keyturn.cjs')];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test.each(['10.18.1', '20.19.0', '22.0.0', '22.9.0', '22.11.0'])(
  'keyturn refuses to run on Node.js %s, whose require does not load the package',
  (version) => {
    expect(commandOn(version)).toEqual({
      status: 1,
      stdout: '',
      stderr: `keyturn: found Node.js v${version}, expected ${OLDEST} or newer; install one from https://nodejs.org, and give the command again. Nothing was done\n`,
    });
  },
);

test.each(['22.12.0', '22.100.1', '23.0.0', '24.0.0'])('keyturn runs on Node.js %s', (version) => {
  expect(commandOn(version)).toEqual({ status: 0, stdout: 'it ran\n', stderr: '' });
});
