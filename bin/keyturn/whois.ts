import { Command } from 'commander';
import type { Wanted } from '../../functions/revocation/ask-cluster.ts';
import { type KnownToken, readKnownTokens, readRevocation } from './answers.ts';
import { type CommonOptions, openEngine, withCommonOptions } from './common-options.ts';
import type { Engine } from './engine.ts';
import { CommandError, kindOf } from './failure.ts';
import { readLeaked } from './leaked.ts';
import { formatPermissions, formatRoughly } from './revocation-text.ts';
import type { Style, Terminal } from './terminal.ts';

const when = (instant: string) => {
  const elapsed = Date.now() - Date.parse(instant);
  return `${instant} (${elapsed < 0 ? `in ${formatRoughly(elapsed)}` : `${formatRoughly(elapsed)} ago`})`;
};

function formatKnown(token: KnownToken, style: Style): string {
  const fields = {
    id: token.tokenId,
    name: token.token ?? (token.owned ? 'not in the policy' : 'none (a foreign token)'),
    secret: token.secret ?? 'none in its description',
    permissions: formatPermissions(token),
    created: when(token.createdAt),
    expires: token.expiresAt === undefined ? 'never' : when(token.expiresAt),
    state: token.state,
    ...(token.owner !== undefined && { owner: token.owner }),
    ...(token.description !== '' && { description: token.description }),
  };
  return Object.entries(fields)
    .map(([key, value]) => `${style('bold', key.padEnd(11))}  ${value}`)
    .join('\n');
}

/** Keyturn writes the fingerprint into the description when it mints or adopts a token. */
const NO_FINGERPRINT =
  'a token that Keyturn did not mint or adopt has no fingerprint: find its id with influxctl token list, then use --token-id';

async function find(engine: Engine, wanted: Wanted, terminal: Terminal) {
  if (engine.askCluster) {
    terminal.note('AWS is not asked, so the answer does not say which token is current');
    return readKnownTokens(await engine.askCluster(wanted));
  }
  const answer = readRevocation(await engine.call('revoke', { way: 'whois', ...wanted }));
  for (const warning of answer.plan.warnings) terminal.note(warning);
  return answer.plan.tokens;
}

/** @throws CommandError unless there is exactly one */
async function findOne(engine: Engine, wanted: Wanted, terminal: Terminal): Promise<KnownToken> {
  const advice = 'tokenId' in wanted ? 'check the id' : NO_FINGERPRINT;
  const found = await find(engine, wanted, terminal).catch((error) => {
    if (kindOf(error) !== 'SelectionError') throw error;
    throw new CommandError(`${error.message}; ${advice}`, { cause: error });
  });
  const [token, another] = found;
  if (!token) throw new CommandError(`found no token, expected one; ${advice}`);
  if (another) {
    const ids = found.map(({ tokenId }) => tokenId).join(', ');
    throw new CommandError(`found several tokens (${ids}), expected one; use --token-id`);
  }
  return token;
}

export const whoisCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('whois'))
    .summary('show which token a leaked string belongs to')
    .description(
      'Show which token a leaked string belongs to. The string is read from standard input and not shown; ' +
        'only its fingerprint is sent.',
    )
    .option('--token-id <uuid>', 'find the token by id instead')
    .addHelpText(
      'after',
      `
If AWS is down, use --local: this machine then asks the cluster itself. It needs the policy file and
the management token, from KEYTURN_MANAGEMENT_TOKEN or a file.

Examples:
  keyturn whois                          # asks for the string
  keyturn whois < found.txt
  keyturn whois --local --management-token-file ~/.keyturn/token < found.txt`,
    )
    .action(async (options: CommonOptions & { readonly tokenId?: string }) => {
      const { engine, json } = openEngine(options, terminal);
      const { tokenId } = options;
      const wanted =
        tokenId === undefined ? { fingerprint: await readLeaked(terminal) } : { tokenId };
      const token = await findOne(engine, wanted, terminal);
      if (json) terminal.printJson(token);
      else terminal.print(formatKnown(token, terminal.style));
    });
