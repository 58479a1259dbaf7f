import type { Wanted } from '../../functions/revocation/ask-cluster.ts';
import { type KnownToken, readClusterAnswer, readRevocation } from './answers.ts';
import type { Engine } from './engine.ts';
import { CommandError, kindOf } from './failure.ts';
import type { LeakedString } from './leaked.ts';
import { formatPermissions } from './revocation-text.ts';
import { formatTable } from './table.ts';
import type { Style } from './terminal.ts';

/** What is known of one leaked string, or of one token that was named by its id. */
export interface Identified {
  /** Absent: nobody knows whose string it is. */
  readonly token?: KnownToken;
  /** Why nobody knows. */
  readonly unknown?: string;
  readonly candidates?: readonly KnownToken[] | undefined;
  readonly notes?: readonly string[];
}

/** A question may be asked in a wrong account, too: its answer says that the secret is not seen there. */
const WHEREVER = { withoutSecrets: true };

async function ask(
  engine: Engine,
  wanted: Wanted,
): Promise<{
  readonly tokens: readonly KnownToken[];
  readonly candidates?: readonly KnownToken[] | undefined;
  readonly warnings: readonly string[];
}> {
  if (engine.askCluster) {
    const answer = readClusterAnswer(await engine.askCluster(wanted));
    const said =
      'fingerprint' in wanted ? `no marker has the fingerprint ${wanted.fingerprint}` : '';
    return { ...answer, warnings: answer.candidates ? [said] : [] };
  }
  return readRevocation(await engine.call('revoke', { way: 'whois', ...wanted, ...WHEREVER })).plan;
}

/** @throws only what is no answer: nobody could be asked */
async function identify(engine: Engine, wanted: Wanted): Promise<Identified> {
  try {
    const { tokens, candidates, warnings } = await ask(engine, wanted);
    const [token, another] = tokens;
    if (another) {
      const ids = tokens.map(({ tokenId }) => tokenId).join(', ');
      return { unknown: `found several tokens (${ids}), expected one; use --token-id` };
    }
    if (token) return { token, notes: warnings };
    return {
      unknown: warnings.join('; ') || 'found no token, expected one; check the id',
      ...(candidates && { candidates }),
    };
  } catch (error) {
    if (!(error instanceof Error) || kindOf(error) !== 'SelectionError') throw error;
    return { unknown: error.message };
  }
}

/** @throws CommandError unless the cluster shows a token with this id */
export async function identifyById(engine: Engine, tokenId: string): Promise<Identified> {
  const answer = await identify(engine, { tokenId });
  if (answer.token) return answer;
  throw new CommandError(answer.unknown ?? '');
}

/** Asks for every reading of a string, until one is a token's. */
export async function identifyString(engine: Engine, leaked: LeakedString): Promise<Identified> {
  let first: Identified | undefined;
  for (const fingerprint of leaked.fingerprints) {
    const answer = await identify(engine, { fingerprint });
    if (answer.token) return answer;
    first ??= answer;
  }
  // A part fits every token, so there is no candidate to name.
  return leaked.cut === undefined ? (first ?? {}) : { unknown: leaked.cut };
}

/**
 * Why nobody knows whose a string is, and whose it may be.
 * @param command what to type, once the token is known
 */
export function formatUnknown(
  { unknown = '', candidates }: Identified,
  style: Style,
  command: string,
): string {
  if (!candidates) return unknown;
  if (candidates.length === 0) {
    return `${unknown}.\nThe cluster lists no live token whose string Keyturn never saw: it may be of another cluster, or of a token that is revoked.`;
  }
  const rows = candidates.map((each) => ({
    cells: [each.description, each.tokenId, each.createdAt, formatPermissions(each)],
  }));
  return [
    `${unknown}.`,
    'It may be one of these live tokens, whose strings Keyturn never saw:',
    '',
    formatTable(['DESCRIPTION', 'ID', 'CREATED', 'MAY'], rows, style),
    '',
    `If you know which one it is: ${command} --token-id ID.`,
  ].join('\n');
}
