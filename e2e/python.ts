import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from './processes.ts';

const FOLDER = resolve(import.meta.dirname, '../.venv');

/** On Debian, `venv` needs the package python3-venv; `virtualenv` does not. */
async function createEnvironment(folder: string): Promise<void> {
  const failures: string[] = [];
  for (const [command = '', ...args] of [
    ['python3', '-m', 'venv', folder],
    ['virtualenv', folder],
  ]) {
    rmSync(folder, { recursive: true, force: true });
    try {
      await run(command, args);
      return;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    'cannot create a Python environment; it needs Python 3.10 or newer, with its venv module ' +
      `(Debian: apt-get install python3-venv) or virtualenv.\n${failures.join('\n')}`,
  );
}

/**
 * Installs packages from PyPI into `.venv/NAME`, unless they are there.
 * @param name of an environment that no other program uses: two may run at the same time, and neither's packages
 *   decide which versions the other one gets
 * @param packages such as `awscli==1.46.3`
 * @returns the folder with their programs
 * @throws Error that says what this machine lacks and how to install it
 */
export async function installPackages(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(FOLDER, name);
  const python = join(folder, 'bin/python');
  if (!existsSync(join(folder, 'bin/pip'))) await createEnvironment(folder);
  try {
    const quiet = ['--quiet', '--disable-pip-version-check'];
    await run(python, ['-m', 'pip', 'install', ...quiet, ...packages]);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(
      `cannot install ${packages.join(' and ')} from PyPI. Check the network; if ${folder} is broken, remove it.\n${message}`,
      { cause },
    );
  }
  return join(folder, 'bin');
}
