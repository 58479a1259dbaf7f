import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { keyturn, temporaryFolder, writeTemporary } from './cli.ts';

const scriptFor = async (shell: string): Promise<string> => {
  const { code, stdout, stderr } = await keyturn(['completion', shell]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

const isThere = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** What bash offers when the last of these words is being typed. */
function offered(script: string, words: readonly string[]): readonly string[] {
  const asked = `
    source "$1"; shift
    complete -p keyturn | grep -q -- '-F _keyturn' || exit 9
    COMP_WORDS=(keyturn "$@"); COMP_CWORD=$#
    _keyturn keyturn "\${@: -1}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const file = writeTemporary('completion', script);
  const { status, stdout, stderr } = spawnSync('bash', ['-c', asked, 'bash', file, ...words], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

/** The long options and the commands that a help names. */
const namesIn = (help: string, heading: string): readonly string[] => {
  const [, section = ''] = help.split(`${heading}:\n`);
  return (section.split('\n\n')[0] ?? '').split('\n').flatMap((line) => {
    const [, long, word] = /^ {2}(?:-\w, )?(?:(--[\w-]+)|([a-z]+))/.exec(line) ?? [];
    return long ?? word ?? [];
  });
};

test('bash offers exactly the commands and options that the help names', async () => {
  const script = await scriptFor('bash');
  const { stdout: help } = await keyturn(['help']);
  const verbs = namesIn(help, 'Commands');
  expect(verbs.length).toBeGreaterThan(14);
  expect(offered(script, [''])).toEqual([...verbs, '--version', '--help']);
  expect(offered(script, ['help', ''])).toEqual([
    ...verbs.filter((each) => each !== 'help'),
    ...offered(script, ['help', '--']),
  ]);
  for (const verb of ['plan', 'status', 'revoke', 'resume']) {
    const { stdout } = await keyturn(['help', verb]);
    expect(offered(script, [verb, '--'])).toEqual(namesIn(stdout, 'Options'));
  }
});

test.each([
  [['sta'], ['status']],
  [
    ['plan', '--job', ''],
    ['rotate', 'reap', 'enforce'],
  ],
  [['plan', '--job', 're'], ['reap']],
  [['plan', '--job', '=', 're'], ['reap']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish', '--help'],
  ],
  [['status', '--no'], ['--no-probe']],
  [['status', '--watch', '--lo'], ['--local']],
  // Files, which bash offers by itself, and what only a person knows.
  [['plan', '--policy', ''], []],
  [['revoke', '--reason', ''], []],
  [['nothing', ''], []],
])('bash completes %j to %j', async (words, expected) => {
  expect(offered(await scriptFor('bash'), words)).toEqual(expected);
});

test.each(['zsh', 'fish'])(
  '%s gets every command and option, and can read the script',
  async (shell) => {
    const script = await scriptFor(shell);
    const words = offered(await scriptFor('bash'), ['']).filter((each) => !each.startsWith('--'));
    for (const verb of words) {
      expect(script).toMatch(shell === 'zsh' ? `    ${verb})\n` : ` -a ${verb} -d `);
    }
    const values =
      shell === 'zsh'
        ? [
            "'--job=[plan only this job]:value:(rotate reap enforce)'",
            "'--policy=[the policy file]:value:_files'",
          ]
        : ["-l job -x -a 'rotate reap enforce'", '-l policy -r -F'];
    for (const value of values) expect(script).toContain(value);
    // No quote of a text ends the script's own.
    for (const line of script.split('\n')) {
      const own = line.replaceAll(shell === 'zsh' ? `'\\''` : `\\'`, '');
      if (!line.startsWith('#'))
        expect(own.match(/'/g)?.length ?? 0, line).toSatisfy((n) => n % 2 === 0);
    }
    if (!isThere(shell)) return;
    const file = writeTemporary(`completion.${shell}`, script);
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    if (shell !== 'fish') return;
    const line = 'keyturn plan --job re';
    const asked = spawnSync('fish', ['-c', `source ${file}; complete -C '${line}'`], {
      encoding: 'utf8',
    });
    expect(asked.stdout).toMatch(/^reap\b/);
  },
);

test('another shell is told which there are', async () => {
  const { code, stderr } = await keyturn(['completion', 'tcsh']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('bash, zsh, fish')]);
});

test.each(['--version', '-V'])(
  '%s says the version of the package, wherever one is',
  async (option) => {
    const { code, stdout, stderr } = await keyturn([option], {
      env: { KEYTURN_POLICY: join(temporaryFolder(), 'none.yaml') },
    });
    expect([code, stdout, stderr]).toEqual([0, `${manifest.version}\n`, '']);
  },
);
