import type { RunTools } from '../run/tools.ts';
import { findByFingerprint, knowToken } from './plan/known-token.ts';
import type { KnownToken } from './report.ts';

/** What is known of the token that is asked about. */
export type Wanted = { readonly fingerprint: string } | { readonly tokenId: string };

/**
 * Finds tokens and whose they are, from the cluster alone, for the time when AWS cannot be reached. Without
 * the labels it is not known which token is current.
 */
export async function askCluster(
  { api, policy }: Pick<RunTools, 'api' | 'policy'>,
  wanted: Wanted,
): Promise<KnownToken[]> {
  const { tokens, at } = await api.listTokens();
  const found =
    'tokenId' in wanted
      ? tokens.filter(({ id }) => id === wanted.tokenId.toLowerCase())
      : findByFingerprint(tokens, wanted.fingerprint);
  return found.map((token) => knowToken(token, { now: at, policy }));
}
