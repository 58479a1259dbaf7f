import type { TokenPolicy } from '../policy/policy.ts';
import { announceRotation, moveCurrent, noteUnseen, verify } from '../rotation/promote.ts';
import { mintSuccessor, resumeSuccessor, type Successor } from '../rotation/successor.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import type { ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import {
  armedSince,
  currentHolder,
  hasVersion,
  provenCurrent,
  tokenOf,
  tokenUnder,
} from '../tokens/state.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import { observeOne } from './observe.ts';
import { findSuccessor } from './plan/decide-revocation.ts';
import type { Order } from './plan/order.ts';

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
  const token = tokenOf(holder);
  if (token) return token.id;
  // Of an unknown string the version's id may look like a token's, and is none.
  if (holder?.state !== 'gone') return 'nothing';
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
    const resumed = await resumeSuccessor(entry, seen, stored, { forced: true }, tools);
    if (resumed) return resumed;
  }
  const minted = await mintSuccessor(
    entry,
    seen,
    { forced: true, replaces: replacedBy(seen), order: order.id },
    tools,
  );
  if (!minted) throw new Error(`${entry.secret} was put on hold meanwhile`);
  return minted;
}

/**
 * The token that AWSCURRENT has, if it is proven. Undefined as well: it is none that could keep AWSCURRENT, since that is where
 * it was before, on a token that is older than the successor; no listing tells more.
 */
async function currentIn(
  secret: Secret,
  before: ObservedSecret,
  { token: { id, createdAt } }: OwnedToken,
  tools: Tools,
): Promise<OwnedToken | undefined> {
  const held = tokenUnder(before, 'AWSCURRENT');
  const isThere = secret.labels.AWSCURRENT === before.secret.labels.AWSCURRENT;
  if (isThere && held && held.createdAt < createdAt) return undefined;
  const secrets = { ...tools.secrets, describe: async () => secret };
  const seen = await observeOne(secret.name, { ...tools, secrets }, { ids: [id] });
  return seen && provenCurrent(seen, tools.apiNow());
}

/**
 * Moves AWSCURRENT to the successor, whichever version has it. What a faster run of the same order promoted
 * is as good, and a younger token of another run works and is not condemned: both keep AWSCURRENT.
 */
async function claimCurrent(
  before: ObservedSecret,
  { version, owned }: Successor,
  order: Order,
  tools: Tools,
): Promise<{ readonly claimed: boolean; readonly successor: OwnedToken }> {
  const { name, labels } = before.secret;
  const { createdAt } = owned.token;
  for (let tried = 0; tried < MOST_MOVES; tried += 1) {
    const secret = await tools.secrets.describe(name);
    if (!secret || holdOf(secret)) throw new Error(`${name} was put on hold meanwhile`);
    const { AWSCURRENT } = secret.labels;
    const current = await currentIn(secret, before, owned, tools);
    const isFaster = AWSCURRENT !== labels.AWSCURRENT && current?.marker.order === order.id;
    if (isFaster) return { claimed: false, successor: current };
    const isYounger = current !== undefined && current.token.createdAt > createdAt;
    if (AWSCURRENT === version || isYounger) return { claimed: false, successor: owned };
    if ((await moveCurrent(name, version, AWSCURRENT, tools)) === 'promoted') {
      return { claimed: true, successor: owned };
    }
  }
  throw new Error(`${name}: other runs promoted their tokens again and again`);
}

/** The successor of an order, and whether every router was seen to accept it. */
export interface Replacement {
  readonly successor: OwnedToken;
  /** Why it was promoted unverified, which only `immediately` allows. Undefined: it was verified. */
  readonly unverified?: string;
}

/**
 * Replaces AWSCURRENT by a successor: mints, stores, arms, verifies and promotes it by the steps of a
 * rotation.
 */
export async function replaceCurrent(
  entry: TokenPolicy,
  seen: ObservedSecret,
  order: Order,
  tools: ArmingTools,
): Promise<Replacement> {
  const successor = await obtainSuccessor(entry, seen, order, tools);
  const { owned } = successor;
  const verified = await verify(successor, entry.permissions, tools);
  const detail = verified.detail ?? 'nothing to probe';
  const problem = `token ${owned.token.id} was not accepted in time; ${detail}`;
  if (!verified.accepted && !order.immediately) {
    throw new Error(
      `${problem}. The old string may still work: to cut it off now, freeze it (--freeze), or give the same order with "immediately": true (--immediately)`,
    );
  }
  // Before the promotion: who dies behind it leaves a token that nobody would ask about. The gap was ordered.
  if (!verified.accepted) await noteUnseen(owned, tools, armedSince(owned));
  const { claimed, successor: current } = await claimCurrent(seen, successor, order, tools);
  if (claimed) {
    const { marker, token } = owned;
    const about = { tokenId: token.id, previousTokenId: marker.replaces, reason: 'Revoked' };
    announceRotation({ entry, secretArn: seen.secret.arn, ...about }, tools);
  }
  return {
    successor: current,
    ...(!verified.accepted && { unverified: `promoted unverified: ${problem}` }),
  };
}
