import { Command } from 'commander';
import { PolicyFileError, readPolicyFile } from '../../lib/policy-file.ts';
import { jsonOption } from './common-options.ts';
import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

export const validateCommand = (terminal: Terminal): Command =>
  new Command('validate')
    .summary('check the policy file')
    .description(
      'Check a policy file. For every mistake it prints the line, what was found and what was expected. A warning is no mistake: the exit code stays 0.',
    )
    .argument('[policy]', 'the policy file', process.env.KEYTURN_POLICY || 'keyturn.yaml')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  keyturn validate\n  keyturn validate plants/north.yaml --json',
    )
    .action((file: string, { json }: { readonly json?: true }) => {
      const { mistakes, warnings } = check(file);
      const valid = mistakes.length === 0;
      if (!valid) process.exitCode = EXIT.failed;
      if (json) terminal.printJson({ valid, mistakes, warnings });
      else {
        const verdict = valid ? [`${file}: no mistakes`] : mistakes;
        terminal.print([...verdict, ...warnings.map((each) => `warning: ${each}`)].join('\n'));
      }
    });

interface Checked {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

function check(file: string): Checked {
  try {
    const { warnings } = readPolicyFile(file);
    return { mistakes: [], warnings: warnings.map(({ sentence }) => sentence) };
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    return { mistakes: error.message.split('\n'), warnings: [] };
  }
}
