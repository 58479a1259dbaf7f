import { Command } from 'commander';
import { PolicyFileError, readPolicyFile } from '../../lib/policy-file.ts';
import { jsonOption } from './common-options.ts';
import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

export const validateCommand = (terminal: Terminal): Command =>
  new Command('validate')
    .summary('check the policy file')
    .description(
      'Check a policy file. For every mistake it prints the line, what was found and what was expected.',
    )
    .argument('[policy]', 'the policy file', process.env.KEYTURN_POLICY || 'keyturn.yaml')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  keyturn validate\n  keyturn validate plants/north.yaml --json',
    )
    .action((file: string, { json }: { readonly json?: true }) => {
      const mistakes = mistakesOf(file);
      if (mistakes.length > 0) process.exitCode = EXIT.failed;
      if (json) terminal.printJson({ valid: mistakes.length === 0, mistakes });
      else terminal.print(mistakes.join('\n') || `${file}: no mistakes`);
    });

function mistakesOf(file: string): readonly string[] {
  try {
    readPolicyFile(file);
    return [];
  } catch (error) {
    if (error instanceof PolicyFileError) return error.message.split('\n');
    throw error;
  }
}
