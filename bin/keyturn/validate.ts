import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Policy } from '../../functions/policy/policy.ts';
import {
  ownerMistakes,
  PolicyFileError,
  type PolicyWarning,
  readPolicyFile,
  repeatedFiles,
} from '../../lib/policy-file.ts';
import { namedPolicyFiles, POLICY_VARIABLE } from '../../lib/policy-files.ts';
import { secretMistakes } from '../../lib/shared-secrets.ts';
import { jsonOption } from './common-options.ts';
import { CommandError, EXIT } from './failure.ts';
import type { Terminal } from './terminal.ts';

export const warningLine = ({ sentence }: Pick<PolicyWarning, 'sentence'>) =>
  `warning: ${sentence}`;

interface ValidateOptions {
  readonly json?: true;
  readonly policy?: string;
}

/** @throws CommandError if files are named in both ways */
function namedIn(given: readonly string[], option: string | undefined): string | undefined {
  if (given.length === 0) return option ?? process.env[POLICY_VARIABLE];
  if (option === undefined) return given.join(',');
  throw new CommandError(
    `found both ${given.join(', ')} and --policy ${option}, expected one of them; say which files in one of the two ways`,
  );
}

export const validateCommand = (terminal: Terminal): Command =>
  new Command('validate')
    .summary('check policy files')
    .description(
      'Check policy files, and that each has an owner of its own. For every mistake it prints the line, what was found and what was expected. ' +
        'A warning is no mistake: the exit code stays 0.',
    )
    .argument('[file...]', `the policy files (default: ${POLICY_VARIABLE}, or keyturn.yaml)`)
    .option('--policy <file>', 'the same as FILE; several with commas')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  keyturn validate\n  keyturn validate plants/*.yaml --json',
    )
    .action((given: readonly string[], { json, policy }: ValidateOptions) => {
      const all = namedPolicyFiles(namedIn(given, policy));
      const repeated = repeatedFiles(all);
      const byPath = new Map(all.map((file) => [resolve(file), file]));
      const files = [...byPath.values()];
      const checked = files.map((file) => ({ file, ...check(file) }));
      // By the path that was given: files of several folders may have one name.
      const policies = checked.flatMap(({ file, policy: each }) => (each ? { ...each, file } : []));
      const owners = policies.map(({ file, owner }) => [file, owner] as const);
      const shared = [...repeated, ...ownerMistakes(new Map(owners)), ...secretMistakes(policies)];
      const mistakes = [...checked.flatMap((each) => each.mistakes), ...shared];
      const warnings = checked.flatMap((each) => each.warnings);
      const valid = mistakes.length === 0;
      if (!valid) process.exitCode = EXIT.failed;
      if (json) terminal.printJson({ valid, mistakes, warnings });
      else {
        const isWell = (file: string) => !mistakes.some((each) => each.startsWith(`${file}:`));
        const verdicts = checked.flatMap((each) =>
          isWell(each.file) ? [`${each.file}: no mistakes`] : each.mistakes,
        );
        const warned = warnings.map((sentence) => warningLine({ sentence }));
        terminal.print([...verdicts, ...shared, ...warned].join('\n'));
      }
    });

interface Checked {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
  /** Absent: the file has mistakes. */
  readonly policy?: Policy;
}

function check(file: string): Checked {
  try {
    const { warnings, policy } = readPolicyFile(file);
    return { mistakes: [], warnings: warnings.map(({ sentence }) => sentence), policy };
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    return { mistakes: error.message.split('\n'), warnings: [] };
  }
}
