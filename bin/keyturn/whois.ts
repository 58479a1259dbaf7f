import { Command } from 'commander';
import { advised } from './advice.ts';
import type { KnownToken } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import type { Engine } from './engine.ts';
import { CommandError } from './failure.ts';
import { formatUnknown, type Identified, identifyById, identifyString } from './identify.ts';
import { type Leaked, MANAGEMENT_TOKEN, nameOfString, readLeaked } from './leaked.ts';
import { formatPermissions, formatRoughly } from './revocation-text.ts';
import { labelled } from './table.ts';
import type { Style, Terminal } from './terminal.ts';

const when = (instant: string) => {
  const elapsed = Date.now() - Date.parse(instant);
  return `${instant} (${elapsed < 0 ? `in ${formatRoughly(elapsed)}` : `${formatRoughly(elapsed)} ago`})`;
};

function namelessBecause({ owned, secret }: KnownToken): string {
  if (owned) return 'not in the policy';
  return secret === undefined
    ? 'none (a foreign token)'
    : 'none (its secret is of another owner, or not visible here: is this the wrong account or Region?)';
}

export function formatKnown(token: KnownToken, style: Style): string {
  const fields = {
    id: token.tokenId,
    name: token.token ?? namelessBecause(token),
    secret: token.secret ?? 'none in its description',
    permissions: formatPermissions(token),
    created: when(token.createdAt),
    expires: token.expiresAt === undefined ? 'never' : when(token.expiresAt),
    state: token.state,
    ...(token.owner !== undefined && { owner: token.owner }),
    ...(token.description !== '' && { description: token.description }),
  };
  return Object.entries(fields)
    .map(([key, value]) => labelled(`${key.padEnd(11)}  `, value, style))
    .join('\n');
}

interface Answered extends Identified {
  readonly line: number;
}

const jsonOf = ({ line, token, unknown, candidates }: Answered) => ({
  line,
  ...(token ? { token } : { unknown, ...(candidates && { candidates }) }),
});

/** Management tokens are answered like the other strings: they are not identified, and not for Keyturn to revoke. */
async function answerAll(engine: Engine, { strings, management }: Leaked): Promise<Answered[]> {
  const answers: Answered[] = management.map((line) => ({ line, unknown: MANAGEMENT_TOKEN }));
  for (const each of strings) {
    answers.push({ line: each.line, ...(await identifyString(engine, each)) });
  }
  return answers.sort((a, b) => a.line - b.line);
}

type Opened = Pick<ReturnType<typeof openEngine>, 'engine' | 'json' | 'isLocal'>;

function print(answer: Answered, isLocal: boolean, terminal: Terminal): void {
  const { print: write, note, style } = terminal;
  for (const each of answer.notes ?? []) note(each);
  write(
    answer.token
      ? formatKnown(answer.token, style)
      : formatUnknown(answer, style, advised('keyturn revoke', isLocal)),
  );
}

/** One answer as it is; several each with the place of its string. */
function show(
  answers: readonly Answered[],
  { json, isLocal }: Omit<Opened, 'engine'>,
  terminal: Terminal,
): void {
  const [first, another] = answers;
  if (json && another) terminal.printJson(answers.map(jsonOf));
  else if (json) terminal.printJson(first?.token ?? (first && jsonOf(first)));
  else if (!another && first) print(first, isLocal, terminal);
  else {
    for (const [index, answer] of answers.entries()) {
      const heading = terminal.style('bold', nameOfString(index, answer));
      terminal.print(`${index > 0 ? '\n' : ''}${heading}`);
      print(answer, isLocal, terminal);
    }
  }
}

async function whoseStrings(opened: Opened, terminal: Terminal): Promise<void> {
  const { engine, json } = opened;
  const leaked = await readLeaked(terminal);
  const answers = await answerAll(engine, leaked);
  const [only, another] = answers;
  if (!json && !another && only?.unknown !== undefined && !only.candidates) {
    throw new CommandError(only.unknown);
  }
  show(answers, opened, terminal);
  const unknown = answers.filter(({ token }) => !token);
  if (unknown.length === 0) return;
  const strings = answers.length === 1 ? '1 string' : `${answers.length} strings`;
  throw new CommandError(`found no token for ${unknown.length} of ${strings}; nothing was done`);
}

export const whoisCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('whois'))
    .summary('show which token a leaked string belongs to')
    .description(
      'Show which token a leaked string belongs to. The string is read from standard input and not shown; ' +
        'only its fingerprint is sent.',
    )
    .option('--token-id <uuid>', 'find the token by id, or its first 8 characters, instead')
    .addHelpText(
      'after',
      `
A text may contain several strings; each is answered. If nobody knows whose a string is, the answer names the live tokens
whose strings Keyturn never saw, and the exit code is 1.

If AWS is down, use --local: this machine then asks the cluster itself. It needs the policy file and
the management token, from KEYTURN_MANAGEMENT_TOKEN or a file.

Examples:
  keyturn whois                          # asks for the string
  keyturn whois < found.txt
  keyturn whois --local --management-token-file ~/.keyturn/token < found.txt`,
    )
    .action(async (options: CommonOptions & { readonly tokenId?: string }) => {
      const opened = openEngine(options, terminal);
      const { engine } = opened;
      if (engine.askCluster) {
        terminal.note('AWS is not asked, so the answer does not say which token is current');
      }
      const { tokenId } = options;
      if (tokenId === undefined) await whoseStrings(opened, terminal);
      else show([{ line: 1, ...(await identifyById(engine, tokenId)) }], opened, terminal);
    });
