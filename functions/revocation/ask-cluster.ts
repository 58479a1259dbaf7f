import type { Token } from '../management-api/token.ts';
import type { RunTools } from '../run/tools.ts';
import { findByFingerprint, knowToken } from './plan/known-token.ts';
import { candidatesAmong } from './plan/unknown-string.ts';
import { wholeIdOf } from './plan/whole-id.ts';
import type { KnownToken } from './report.ts';

/** What is known of the token that is asked about. */
export type Wanted = { readonly fingerprint: string } | { readonly tokenId: string };

/** What the cluster alone says. */
export interface ClusterAnswer {
  readonly tokens: readonly KnownToken[];
  /** Present: no marker has the fingerprint. The live tokens that may have it, the youngest first. */
  readonly candidates?: readonly KnownToken[];
}

/**
 * Finds tokens and whose they are, from the cluster alone, for the time when AWS cannot be reached. Without
 * the labels it is not known which token is current.
 * @throws SelectionError if it is asked for the beginning of an id that is not that of one token
 */
export async function askCluster(
  { api, policy }: Pick<RunTools, 'api' | 'policy'>,
  wanted: Wanted,
): Promise<ClusterAnswer> {
  const { tokens, at } = await api.listTokens();
  const known = (each: Token) => knowToken(each, { now: at, policy });
  if ('tokenId' in wanted) {
    const wholeId = wholeIdOf(wanted.tokenId, tokens);
    const token = tokens.find(({ id }) => id === wholeId) ?? (await api.getToken(wholeId));
    return { tokens: token ? [known(token)] : [] };
  }
  const found = findByFingerprint(tokens, wanted.fingerprint);
  if (found.length > 0) return { tokens: found.map(known) };
  return { tokens: [], candidates: candidatesAmong({ tokens, at }).map(known) };
}
