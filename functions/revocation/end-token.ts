import type { Permission, Token } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import { changeToken, freshToken, restored, stripped } from '../tokens/change-token.ts';
import type { OwnedToken } from '../tokens/observation.ts';
import { grantsOf } from './plan/known-token.ts';
import { canKeep } from './plan/plan-revocation.ts';
import type { RevokedToken } from './report.ts';

/** What became of a token, and what proves it. */
export interface Deed extends RevokedToken {
  /** What it could do while it lived. */
  readonly had: readonly Permission[];
  /** The secret version that holds its string; absent: nobody knows the string. */
  readonly version?: string;
  readonly fingerprint?: string;
}

/** A token that is, or was, with as much as is known of it. */
export interface Doomed {
  readonly token: Token;
  /** Absent: not ours. */
  readonly owned?: OwnedToken;
}

export function deedOf({ token, owned }: Doomed, result: Deed['result']): Deed {
  const { marker, version } = owned ?? {};
  return {
    tokenId: token.id,
    result,
    had: grantsOf(token, marker),
    ...(marker && { secret: marker.secret }),
    ...(version !== undefined && { version }),
    ...(marker?.fp !== undefined && { fingerprint: marker.fp }),
  };
}

/** Takes all permissions away; `noUndo`: even those that the description has no room for. */
async function stripOwned(owned: OwnedToken, noUndo: boolean, tools: Tools): Promise<void> {
  const fresh = await freshToken(tools, owned);
  if (!fresh) return;
  const change = stripped(fresh, 'frozen', tools.apiNow());
  const keeps = canKeep(fresh, tools.apiNow());
  if (!keeps && !noUndo) {
    throw new Error(`the description of ${fresh.token.id} has no room for what it may do now`);
  }
  const marker = keeps ? change.marker : { ...change.marker, was: undefined };
  await changeToken(tools, fresh, { ...change, marker });
}

export async function strip(doomed: Doomed, noUndo: boolean, tools: Tools): Promise<Deed> {
  if (doomed.owned) await stripOwned(doomed.owned, noUndo, tools);
  else await tools.api.updateToken(doomed.token.id, { permissions: [] });
  return deedOf(doomed, 'frozen');
}

export async function deleteToken(doomed: Doomed, tools: Tools): Promise<Deed> {
  await tools.api.deleteToken(doomed.token.id);
  return deedOf(doomed, 'deleted');
}

/** Undoes a freeze; what was quarantined before stays so. */
function thawed({ token, marker }: OwnedToken) {
  if (marker.quarantined !== undefined) return { marker: { frozen: undefined } };
  const giveBack = token.permissions.length === 0 && marker.was ? marker.was : undefined;
  return {
    marker: { frozen: undefined, was: undefined },
    ...(giveBack && { permissions: giveBack }),
  };
}

/** Undoes a freeze, or the quarantine. What is given permissions is added to `given`. */
export async function giveBack(
  owned: OwnedToken,
  undo: 'freeze' | 'quarantine',
  given: OwnedToken[],
  tools: Tools,
): Promise<Deed> {
  const fresh = await freshToken(tools, owned);
  if (!fresh) return deedOf({ token: owned.token, owned }, 'gone');
  given.push(fresh); // before the request: its answer may be lost and its effect not
  await changeToken(tools, fresh, undo === 'freeze' ? thawed(fresh) : restored(fresh));
  return deedOf({ token: fresh.token, owned: fresh }, 'given-back');
}
