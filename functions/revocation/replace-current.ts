import type { TokenPolicy } from '../policy/policy.ts';
import {
  announceRotation,
  moveCurrent,
  noteAcceptance,
  noteRefusal,
  verify,
} from '../rotation/promote.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from '../rotation/successor.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/secret.ts';
import { changeToken, freshToken } from '../tokens/change-token.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { currentHolder, hasVersion, isSame, ownedCurrent } from '../tokens/state.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import { observeOne } from './observe.ts';
import { findSuccessor, type Order } from './plan/decide-revocation.ts';

/** How often AWSCURRENT is moved at most: other runs may promote their tokens in between. */
const MOST_MOVES = 5;

/** The labelled version of a successor, or the one that Keyturn put for it. */
function versionOf({ secret, holders }: ObservedSecret, found: OwnedToken): string {
  const labelled = Object.values(secret.labels);
  const version = labelled.find((each) => hasVersion({ holders }, found, each));
  return version ?? versionIdOf(found.token.id);
}

/** The id of the token that AWSCURRENT has, as far as it is known. */
function replacedBy(seen: ObservedSecret): string {
  const holder = currentHolder(seen);
  if (holder?.state === 'owned') return holder.owned.token.id;
  if (holder?.state === 'foreign') return holder.token.id;
  return tokenNamedBy(seen.secret.labels.AWSCURRENT ?? '')?.tokenId ?? 'nothing';
}

/** The successor that this order, or the same order before, has minted; otherwise a new one. */
async function obtainSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  order: Order,
  tools: ArmingTools,
): Promise<Successor> {
  const found = findSuccessor(seen, order, tools.apiNow());
  if (found) {
    const version = versionOf(seen, found);
    const isCurrent = version === seen.secret.labels.AWSCURRENT;
    const stored = { owned: found, version, isCurrent };
    const resumed = await resumeSuccessor(entry, stored, { forced: true }, tools);
    if (resumed) return resumed;
  }
  const minted = await mintSuccessor(
    entry,
    seen,
    { forced: true, replaces: replacedBy(seen) },
    tools,
  );
  if (!minted) throw new Error(`${entry.secret} was put on hold meanwhile`);
  return minted;
}

/** A successor that had lost AWSCURRENT to another run's token is about to get it back, so it is not superseded. */
async function clearSuperseded(owned: OwnedToken, tools: Tools): Promise<void> {
  const fresh = await freshToken(tools, owned);
  const { superseded, fenced } = fresh?.marker ?? {};
  if (!fresh || (superseded === undefined && fenced === undefined)) return;
  await changeToken(tools, fresh, { marker: { superseded: undefined, fenced: undefined } });
}

/**
 * Moves AWSCURRENT to the successor, whichever version has it: a token that a faster rotation promoted is
 * revoked, too. The successor of a faster `revoke` is as good as ours, and keeps AWSCURRENT.
 */
async function claimCurrent(
  name: string,
  version: string,
  order: Order,
  tools: Tools,
): Promise<'claimed' | 'there already'> {
  for (let tried = 0; tried < MOST_MOVES; tried += 1) {
    const seen = await observeOne(name, tools);
    if (!seen || holdOf(seen.secret)) throw new Error(`${name} was put on hold meanwhile`);
    const current = seen.secret.labels.AWSCURRENT;
    const successor = findSuccessor(seen, order, tools.apiNow());
    if (current === version || isSame(ownedCurrent(seen), successor)) return 'there already';
    if ((await moveCurrent(name, version, current, tools)) === 'promoted') return 'claimed';
  }
  throw new Error(`${name}: other runs promoted their tokens again and again`);
}

/**
 * Replaces AWSCURRENT by a successor: mints, stores, arms, verifies and promotes it by the steps of a
 * rotation. Returns why it was promoted unverified, which only `immediately` allows. Undefined: it was verified.
 */
export async function replaceCurrent(
  entry: TokenPolicy,
  seen: ObservedSecret,
  order: Order,
  tools: ArmingTools,
): Promise<string | undefined> {
  const successor = await obtainSuccessor(entry, seen, order, tools);
  let unverified: string | undefined;
  const { accepted, detail = 'nothing to probe' } = await verify(
    successor,
    entry.permissions,
    tools,
  );
  if (!accepted) {
    const { id } = successor.owned.token;
    const message = `token ${id} was not accepted in time; last answer: ${detail}`;
    if (!order.immediately) throw new Error(message);
    unverified = `promoted unverified: ${message}`;
    // Before the promotion: who dies behind it leaves a token that nobody would ask about.
    await noteRefusal(successor.owned, tools);
  } else await noteAcceptance(successor.owned, tools);
  await clearSuperseded(successor.owned, tools);
  const { version } = successor;
  const { token, marker } = successor.owned;
  const claimed = await claimCurrent(entry.secret, version, order, tools);
  if (claimed === 'claimed') {
    const about = { tokenId: token.id, previousTokenId: marker.replaces, reason: 'Revoked' };
    announceRotation({ entry, secretArn: seen.secret.arn, ...about }, tools);
  }
  return unverified;
}
