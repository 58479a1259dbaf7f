import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, superseding } from './change-token.ts';
import type { OwnedToken } from './observation.ts';
import { isInert } from './state.ts';

/** Starts the grace periods of these tokens again, each from a fresh look. */
export async function restartGrace(
  tokens: readonly OwnedToken[],
  gracePeriod: number,
  tools: Tools,
): Promise<void> {
  for (const each of tokens) {
    const fresh = await freshToken(tools, each);
    if (fresh?.marker.superseded === undefined || fresh.marker.quarantined !== undefined) continue;
    // Nobody can have used an orphan, and it is deleted an hour after its mark.
    if (isInert(fresh)) continue;
    await changeToken(tools, fresh, superseding(fresh, gracePeriod, tools.apiNow()));
  }
}
