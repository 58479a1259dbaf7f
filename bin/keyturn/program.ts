import { Command, CommanderError, type Option } from 'commander';
import { closestOf } from '../../functions/policy/suggestion.ts';
import { adoptCommand } from './adopt.ts';
import { applyCommand } from './apply.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { CommandError } from './failure.ts';
import { historyCommand } from './history.ts';
import { initCommand } from './init.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { planCommand } from './plan.ts';
import { reportCommand } from './report.ts';
import { revokeCommand } from './revoke.ts';
import { rotateCommand } from './rotate.ts';
import { schemaCommand } from './schema.ts';
import { statusCommand } from './status.ts';
import { takeoverCommand } from './takeover.ts';
import type { Terminal } from './terminal.ts';
import { undoCommands } from './undo.ts';
import { validateCommand } from './validate.ts';
import { version } from './version.ts';
import { whoisCommand } from './whois.ts';

const HELP = `
If a token string has leaked: find out whose it is, then replace its token.
Both commands ask you to paste the string:
  keyturn whois
  keyturn revoke --leaked --reason "found in a public repository"

Exit codes:
  0  done; revoke: everything was done and seen; status: everything was looked at and is well
  1  an error: nothing was done, or not everything; doctor: something failed
  2  plan: something would change
  3  revoke: everything was done, and not all of it is proven;
     doctor: nothing failed, and something could not be looked at;
     history: something could not be read, or not to its end
  4  a part of the plan was refused, by a limit or for another cluster: read it, then approve it;
     revoke: the order is refused as it is, for instance by a hold
  5  cancelled before anything was done
  6  status, report: something is not well
  7  status, report: nothing bad was seen, and not everything could be looked at

AWS credentials and Region come from the environment or a profile, as for the AWS CLI.
Set DEBUG=1 to see the details of an error.`;

/** What people call the ways of `revoke`, and the command that is meant. */
const WAYS: Readonly<Record<string, string>> = {
  freeze: 'revoke --token NAME --freeze',
  hold: 'revoke --token NAME --freeze',
  delete: 'revoke --token NAME --delete',
  replace: 'revoke --token NAME',
};

function refuseUnknown(word: string, verbs: readonly Command[]): never {
  const known = [...Object.keys(WAYS), ...verbs.map((verb) => verb.name())];
  const meant = closestOf(word, known);
  const hint =
    meant === undefined
      ? 'keyturn --help lists the commands'
      : `did you mean: keyturn ${WAYS[meant] ?? meant}`;
  throw new CommandError(`unknown command '${word}'; ${hint}`);
}

/** An option of `revoke` that is not there, and for which the parser would suggest what it is to undo. */
const UNDOING = /^error: (unknown option '--un(?:do|freeze|delete)')[\s\S]*/;
const UNDONE_BY = '$1; keyturn unfreeze NAME undoes --freeze, keyturn lift NAME undoes --delete';

export function createProgram(terminal: Terminal): Command {
  const program = new Command('keyturn')
    .description('Plans, rotates and revokes InfluxDB tokens, as the policy file says.')
    .version(version(), '-V, --version', 'print the version')
    .addHelpText('after', HELP);
  const verbs = [
    initCommand(terminal),
    validateCommand(terminal),
    schemaCommand(terminal),
    doctorCommand(terminal),
    planCommand(terminal),
    statusCommand(terminal),
    historyCommand(terminal),
    reportCommand(terminal),
    rotateCommand(terminal),
    adoptCommand(terminal),
    takeoverCommand(terminal),
    applyCommand(terminal),
    whoisCommand(terminal),
    revokeCommand(terminal),
    ...undoCommands(terminal),
    pauseCommand(terminal),
    resumeCommand(terminal),
    completionCommand(terminal, () => program),
  ];
  for (const verb of verbs) program.addCommand(throwing(verb));
  program.on('command:*', ([word = '']: readonly string[]) => refuseUnknown(word, verbs));
  return throwing(program);
}

/** Mistakes in the words are errors like all others, which `keyturn.ts` prints. */
const throwing = (command: Command): Command =>
  onceEach(command)
    .exitOverride()
    .configureOutput({ outputError: () => {} });

/** Of two values of an option the parser keeps the last: an order would go to less than was named, and call it done. */
function onceEach(command: Command): Command {
  const given = new Set<string>();
  // One that is a list from the beginning keeps them all.
  const single = ({ required, defaultValue }: Option) => required && !Array.isArray(defaultValue);
  for (const option of command.options.filter(single)) {
    const name = option.name();
    command.on(`option:${name}`, () => {
      if (!given.has(name)) return given.add(name);
      throw new CommandError(
        `found --${name} twice, expected it once, because only the last one would count; give one command for each of its values. Nothing was done`,
      );
    });
  }
  return command;
}

/**
 * Runs what the words of the command line say.
 * @throws CommandError, also where they are not understood
 */
export async function runProgram(terminal: Terminal, argv = process.argv): Promise<void> {
  try {
    const program = createProgram(terminal);
    const [, , first, word] = argv;
    const isKnown = ({ commands }: Command) => commands.some((each) => each.name() === word);
    // For what it does not know, `help` would show all help, and not say why.
    if (
      first === 'help' &&
      word !== undefined &&
      !['help', '-h', '--help'].includes(word) &&
      !isKnown(program)
    ) {
      refuseUnknown(word, program.commands);
    }
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // it has shown the help
    if (error.code === 'commander.help') process.exitCode = error.exitCode;
    else {
      const message = error.message.replace(UNDOING, UNDONE_BY).replace(/^error: /, '');
      throw new CommandError(message, { cause: error });
    }
  }
}
