import { Command } from 'commander';
import { policyJsonSchema } from '../../functions/policy/document.ts';
import type { Terminal } from './terminal.ts';

export const schemaCommand = (terminal: Terminal): Command =>
  new Command('schema')
    .summary('print the JSON Schema of the policy file')
    .description('Print the JSON Schema of the policy file, for editors.')
    .addHelpText(
      'after',
      '\nExample:\n  keyturn schema > keyturn.schema.json\n  # first line of the policy: # yaml-language-server: $schema=keyturn.schema.json',
    )
    .action(() => terminal.printJson(policyJsonSchema()));
