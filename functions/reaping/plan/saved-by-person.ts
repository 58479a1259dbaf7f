import type { ObservedSecret } from '../../tokens/observation.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';

/** Whether a version's id tells that Keyturn, or Secrets Manager's own rotation for it, put it. */
function isOfKeyturn(version: string, { tokens, holders }: ObservedSecret): boolean {
  const named = tokenNamedBy(version);
  if (named?.certain) return true;
  const isMinted = tokens.some(
    ({ token, marker }) => marker.minted === version || token.id === named?.tokenId,
  );
  // Under a bare id that is, or was, a token's, Keyturn 0.1 put its versions.
  return isMinted || (named !== undefined && holders.get(version)?.state === 'gone');
}

/**
 * Whether a person put a version since then, with a label or without: whoever did so may have handed out any
 * token of this secret. One that a failed rotation by Secrets Manager left without a value counts, too: nothing but its
 * value tells. True if nobody asked when its versions were made.
 */
export function wasSavedByPersonSince(seen: ObservedSecret, since: number): boolean {
  if (!seen.versionTimes) return true;
  return [...seen.versionTimes].some(
    ([version, madeAt]) => madeAt > since && !isOfKeyturn(version, seen),
  );
}
