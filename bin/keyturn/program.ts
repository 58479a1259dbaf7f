import { Command } from 'commander';
import { applyCommand } from './apply.ts';
import { planCommand } from './plan.ts';
import { revokeCommand } from './revoke.ts';
import { rotateCommand } from './rotate.ts';
import { schemaCommand } from './schema.ts';
import { statusCommand } from './status.ts';
import type { Terminal } from './terminal.ts';
import { undoCommands } from './undo.ts';
import { validateCommand } from './validate.ts';
import { whoisCommand } from './whois.ts';

const HELP = `
A string has leaked? Find out whose it is, then replace its token; paste it when asked:
  keyturn whois
  keyturn revoke --leaked --reason "found in a public repository"

Exit codes:
  0  done; of revoke: everything ordered was done and proven
  1  an error: nothing, or not everything, was done
  2  plan: something would change
  3  revoke: done, but not proven for every token
  4  refused by a limit: approve the plan
  5  cancelled at the terminal

AWS credentials and Region come from the environment or a profile, as for the AWS CLI. Details of
an error: DEBUG=1.`;

export function createProgram(terminal: Terminal): Command {
  const program = new Command('keyturn')
    .description('Rotates, plans and revokes InfluxDB tokens as the policy file says.')
    .addHelpText('after', HELP);
  const verbs = [
    validateCommand(terminal),
    schemaCommand(terminal),
    planCommand(terminal),
    statusCommand(terminal),
    rotateCommand(terminal),
    applyCommand(terminal),
    whoisCommand(terminal),
    revokeCommand(terminal),
    ...undoCommands(terminal),
  ];
  for (const verb of verbs) program.addCommand(verb);
  return program;
}
