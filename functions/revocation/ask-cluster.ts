import type { RunTools } from '../run/tools.ts';
import { findByFingerprint, knowToken } from './plan/known-token.ts';
import type { KnownToken } from './report.ts';

/** By what a token is looked for. */
export type Wanted = { readonly fingerprint: string } | { readonly tokenId: string };

/**
 * Whose a token is, told by the cluster alone: for when AWS is down. Without the labels nobody
 * knows which token is current.
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
