import { resolve } from 'node:path';
import { Command } from 'commander';
import {
  ownerMistakes,
  PolicyFileError,
  type PolicyWarning,
  readPolicyFile,
  repeatedFiles,
} from '../../lib/policy-file.ts';
import { namedPolicyFiles, POLICY_VARIABLE } from '../../lib/policy-files.ts';
import { jsonOption } from './common-options.ts';
import { EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

export const warningLine = ({ sentence }: Pick<PolicyWarning, 'sentence'>) =>
  `warning: ${sentence}`;

export const validateCommand = (terminal: Terminal): Command =>
  new Command('validate')
    .summary('check policy files')
    .description(
      'Check policy files, and that each has an owner of its own. For every mistake it prints the line, what was found and what was expected. ' +
        'A warning is no mistake: the exit code stays 0.',
    )
    .argument('[file...]', `the policy files (default: ${POLICY_VARIABLE}, or keyturn.yaml)`)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  keyturn validate\n  keyturn validate plants/*.yaml --json',
    )
    .action((given: readonly string[], { json }: { readonly json?: true }) => {
      const named = given.length > 0 ? given.join(',') : process.env[POLICY_VARIABLE];
      const all = namedPolicyFiles(named);
      const repeated = repeatedFiles(all);
      const byPath = new Map(all.map((file) => [resolve(file), file]));
      const files = [...byPath.values()];
      const checked = files.map((file) => ({ file, ...check(file) }));
      const owners = checked.flatMap(({ file, owner }) =>
        owner === undefined ? [] : [[file, owner] as const],
      );
      const shared = [...repeated, ...ownerMistakes(new Map(owners))];
      const mistakes = [...checked.flatMap((each) => each.mistakes), ...shared];
      const warnings = checked.flatMap((each) => each.warnings);
      const valid = mistakes.length === 0;
      if (!valid) process.exitCode = EXIT.failed;
      if (json) terminal.printJson({ valid, mistakes, warnings });
      else {
        const verdicts = checked.flatMap((each) =>
          each.mistakes.length === 0 ? [`${each.file}: no mistakes`] : each.mistakes,
        );
        const warned = warnings.map((sentence) => warningLine({ sentence }));
        terminal.print([...verdicts, ...shared, ...warned].join('\n'));
      }
    });

interface Checked {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** Absent: the file has mistakes. */
  readonly owner?: string;
}

function check(file: string): Checked {
  try {
    const { warnings, policy } = readPolicyFile(file);
    const { owner } = policy;
    return { mistakes: [], warnings: warnings.map(({ sentence }) => sentence), owner };
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    return { mistakes: error.message.split('\n'), warnings: [] };
  }
}
