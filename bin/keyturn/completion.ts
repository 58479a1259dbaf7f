import { Argument, Command, type Option } from 'commander';
import type { Terminal } from './terminal.ts';

/** What a shell offers where a value is to be given. */
type Value =
  | { readonly kind: 'file' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** A name, a reason, a hash: nothing is offered. */
  | { readonly kind: 'own' };

interface Flag {
  /** `--job` */
  readonly name: string;
  readonly description: string;
  /** Absent: it takes none. */
  readonly value?: Value;
  /** The value may be left out. */
  readonly isOptional: boolean;
}

interface Verb {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What is given beside flags; absent: nothing. */
  readonly value?: Value;
}

/** All that the program takes, as its help says it. */
interface Words {
  readonly flags: readonly Flag[];
  readonly verbs: readonly Verb[];
}

const valueNamed = (name: string, choices: readonly string[] | undefined): Value => {
  if (choices) return { kind: 'choice', choices };
  return { kind: name === 'file' ? 'file' : 'own' };
};

function flagOf(option: Option): Flag {
  const { long, flags, description, argChoices, required, optional } = option;
  const [, valueName = ''] = /[<[](\w+)/.exec(flags) ?? [];
  return {
    name: long ?? flags,
    description,
    isOptional: optional,
    ...((required || optional) && { value: valueNamed(valueName, argChoices) }),
  };
}

function wordsOf(program: Command): Words {
  const help = program.createHelp();
  const flagsOf = (command: Command) => help.visibleOptions(command).map(flagOf);
  const commands = help.visibleCommands(program);
  const names = commands.map((each) => each.name());
  return {
    flags: flagsOf(program),
    verbs: commands.map((command) => {
      const [argument] = command.registeredArguments;
      const isHelp = command.name() === 'help';
      const choices = isHelp ? names.filter((each) => each !== 'help') : argument?.argChoices;
      return {
        name: command.name(),
        description: command.summary() || command.description(),
        flags: flagsOf(command),
        ...(argument && { value: valueNamed(argument.name(), choices) }),
      };
    }),
  };
}

const namesOf = (flags: readonly Flag[]) => flags.map(({ name }) => name);
const choicesOf = (value: Value | undefined) => (value?.kind === 'choice' ? value.choices : []);
/** In single quotes, as bash and zsh read them. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** What follows a flag that wants a value. With an optional one, the next word may be another flag. */
function bashValue(verb: string, { name, value, isOptional }: Flag): readonly string[] {
  if (!value || isOptional) return [];
  const of = `    ${quoted(`${verb} ${name}`)})`;
  if (value.kind === 'file') return [`${of} return ;;`];
  if (value.kind === 'own') return [`${of} compopt +o default 2>/dev/null; return ;;`];
  return [
    `${of} COMPREPLY=($(compgen -W ${quoted(value.choices.join(' '))} -- "$cur")); return ;;`,
  ];
}

const bashScript = ({ flags, verbs }: Words): string => `# source <(keyturn completion bash)
_keyturn() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb='' words=''
  # Readline takes --job=rotate for three words.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD > 1)); then verb=\${COMP_WORDS[1]}; fi
  COMPREPLY=()
  # Without an answer, names of files are offered.
  case "$verb $prev" in
${verbs.flatMap((verb) => verb.flags.flatMap((flag) => bashValue(verb.name, flag))).join('\n')}
  esac
  case $verb in
    '') words=${quoted([...verbs.map(({ name }) => name), ...namesOf(flags)].join(' '))} ;;
${verbs
  .map(
    ({ name, flags: its, value }) =>
      `    ${name}) words=${quoted([...choicesOf(value), ...namesOf(its)].join(' '))} ;;`,
  )
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _keyturn keyturn`;

const zshAction = (value: Value | undefined): string => {
  if (value?.kind === 'file') return '_files';
  return value?.kind === 'choice' ? `(${value.choices.join(' ')})` : ' ';
};

/** Colons and brackets have a meaning in its specifications. */
const zshText = (text: string) => text.replaceAll(/[\\:[\]]/g, '\\$&');

function zshFlag({ name, description, value, isOptional }: Flag): string {
  const of = `[${zshText(description)}]`;
  // With "=" the value may stand in the same word: --job=rotate.
  return quoted(
    value ? `${name}=${of}${isOptional ? '::' : ':'}value:${zshAction(value)}` : `${name}${of}`,
  );
}

const zshScript = ({ flags, verbs }: Words): string => `#compdef keyturn
# source <(keyturn completion zsh), or put it as _keyturn into a folder of $fpath
_keyturn() {
  local -a verbs
  verbs=(
${verbs.map(({ name, description }) => `    ${quoted(`${name}:${zshText(description)}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command verbs
    _arguments ${flags.map(zshFlag).join(' ')}
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
${verbs
  .map(({ name, flags: its, value }) => {
    const given = value ? [quoted(`*:value:${zshAction(value)}`)] : [];
    return `    ${name})\n      _arguments ${[...its.map(zshFlag), ...given].join(' \\\n        ')} ;;`;
  })
  .join('\n')}
  esac
}
if [[ $funcstack[1] == _keyturn ]]; then _keyturn "$@"; else compdef _keyturn keyturn; fi`;

/** In single quotes, as fish reads them. */
const fishText = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;

/** `-x` takes a value and offers no files, `-r -F` one that is a file. */
function fishValue({ value, isOptional }: Pick<Flag, 'value' | 'isOptional'>): string {
  if (!value || isOptional) return '';
  if (value.kind === 'file') return ' -r -F';
  return value.kind === 'own' ? ' -x' : ` -x -a ${fishText(value.choices.join(' '))}`;
}

const fishFlag = (condition: string, flag: Flag) =>
  `complete -c keyturn -n ${fishText(condition)} -l ${flag.name.replace(/^--/, '')}${fishValue(flag)} -d ${fishText(flag.description)}`;

const fishScript = ({ flags, verbs }: Words): string =>
  [
    '# keyturn completion fish | source',
    'complete -c keyturn -f',
    ...flags.map((flag) => fishFlag('__fish_use_subcommand', flag)),
    ...verbs.flatMap(({ name, description, flags: its, value }) => {
      const seen = `__fish_seen_subcommand_from ${name}`;
      const choices = choicesOf(value);
      return [
        `complete -c keyturn -n __fish_use_subcommand -a ${name} -d ${fishText(description)}`,
        ...its.map((flag) => fishFlag(seen, flag)),
        ...(choices.length > 0
          ? [`complete -c keyturn -n ${fishText(seen)} -a ${fishText(choices.join(' '))}`]
          : []),
        ...(value?.kind === 'file' ? [`complete -c keyturn -n ${fishText(seen)} -F`] : []),
      ];
    }),
  ].join('\n');

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** @param program all commands, when they are there: the script is made of them, so that it says what this version takes */
export const completionCommand = (terminal: Terminal, program: () => Command): Command =>
  new Command('completion')
    .summary('print a script by which a shell completes commands and options')
    .description('Print a script by which a shell completes the commands and options of keyturn.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
The shell must find a command called keyturn; npx has no completion.

Examples:
  source <(keyturn completion bash)        # in ~/.bashrc
  source <(keyturn completion zsh)         # in ~/.zshrc, after compinit
  keyturn completion fish | source         # in ~/.config/fish/config.fish`,
    )
    .action((shell: keyof typeof SCRIPTS) => terminal.print(SCRIPTS[shell](wordsOf(program()))));
