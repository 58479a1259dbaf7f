import { Command } from 'commander';
import { policyJsonSchema } from '../../lib/policy-schema.ts';
import { jsonOption } from './common-options.ts';
import type { Terminal } from './terminal.ts';

export const schemaCommand = (terminal: Terminal): Command =>
  new Command('schema')
    .summary('print the JSON Schema of the policy file')
    .description(
      'Print the JSON Schema of the policy file. Editors use it to check and complete the file.',
    )
    // It prints nothing else.
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  keyturn schema > keyturn.schema.json\n  # then start the policy file with this line:\n  # yaml-language-server: $schema=keyturn.schema.json',
    )
    .action(() => terminal.printJson(policyJsonSchema()));
