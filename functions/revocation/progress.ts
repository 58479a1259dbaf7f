import type { Hold } from '../secrets-manager/hold.ts';
import type { ObservedSecret, ObservedToken } from '../tokens/observation.ts';
import type { Controls } from './control.ts';
import type { DeleteToken } from './delete-token.ts';
import type { TokenResult } from './end-token.ts';
import type { RevocationObservation } from './observe.ts';
import type { Order } from './plan/order.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { OrderObservation } from './plan/target.ts';
import type { SharedListing } from './shared-listing.ts';
import type { Failure } from './tell-failures.ts';
import type { UnknownString } from './unknown-strings.ts';
import type { Proving } from './verify-refused.ts';

export interface Revocation {
  readonly order: Order;
  readonly noUndo: boolean;
  /** For people; shown in events and log lines, and by a hold. */
  readonly reason: string;
  /** Who gave the order, as they say. */
  readonly by?: string | undefined;
  readonly startedAt: number;
  readonly controls: Controls;
  readonly deleteToken: DeleteToken;
  /** Names of all secrets that the order means. */
  readonly secrets: readonly string[];
  /** What both systems said when the order was planned. */
  readonly around: RevocationObservation & Pick<OrderObservation, 'endedIn'>;
  readonly looks: SharedListing;
}

/** What happened to the tokens of one secret. */
export interface SecretResult {
  readonly results: readonly TokenResult[];
  readonly failures: readonly Failure[];
  /** What is not confirmed beside the tokens, in sentences. */
  readonly unconfirmed: readonly string[];
  /** The secret if a string of it was not ended and may work, or the token: one that was meant alone, or was replaced. */
  readonly alive: readonly string[];
  /** Nothing was left to do when the secret was read last. */
  readonly settled: boolean;
}

/** What an earlier order may have ended. */
export interface EarlierOrder {
  /** Whether the secret bears a trace of one. */
  readonly isShown: boolean;
  /** Versions whose tokens the cluster does not list any more, though they would not have expired yet. */
  readonly versions: readonly string[];
}

/** A hold of which AWS refused a part. */
export interface LackingHold {
  readonly hold: Hold;
  /** What is lacking, behind the secret's name. */
  readonly text: string;
  /** The order had set it before, and was shown the secret as it was before that. */
  readonly wasSet: boolean;
}

/** The state of one secret's revocation while it runs. */
export interface Progress {
  readonly name: string;
  readonly revocation: Revocation;
  /** With the successor, as soon as there is one. */
  order: Order;
  readonly results: Map<string, TokenResult>;
  /** By the action that failed, which is not tried again. */
  readonly failures: Map<string, Failure>;
  /** How often the order waited because the cluster refused something for being too busy. */
  pauses: number;
  /** By the action that set a hold, what that seemed to lack. */
  readonly partial: Map<string, LackingHold>;
  /** Ids of the tokens that were seen in this secret. */
  readonly known: Set<string>;
  /** Ids of tokens without our marker that a label named, or a person. */
  readonly foreign: Set<string>;
  /** Labelled versions whose string is no token's of this secret, by version. */
  readonly unknown: Map<string, UnknownString>;
  /** What could not be looked at in it, in sentences. */
  readonly unseen: Set<string>;
  /** Something was tried beside setting a hold. */
  hasBegun: boolean;
  /** Nobody has looked yet whether all was done that was carried out. */
  unlooked?: boolean;
  /** What the first look showed of an earlier order like this one. Absent: there was no look yet. */
  before?: EarlierOrder;
  /** Why Secrets Manager did not say what the secret is like. Undefined: it did. */
  unread?: string | undefined;
  /** What was left to do when the secret was looked at last. */
  left: { readonly seen: ObservedSecret; readonly actions: readonly RevocationAction[] };
  /** Actions that were carried out; those are not seen where the secret cannot be read. */
  readonly done: Set<string>;
  /** Why the secret is not reached, or what the order cannot do in it. */
  reason?: string | undefined;
  /** The hold that the plan showed was released. */
  released: boolean;
  /** Ids of tokens with a result, which the last reading showed as they were before it. */
  late: readonly string[];
  /** Ids of tokens with a result, which a reading showed as they are after it. */
  readonly shown: Set<string>;
  /** Tokens that the listing may lack were looked for. */
  searched?: true;
  /** A listing lacked a token of this secret that it ought to show. */
  cut: boolean;
  settled: boolean;
}

export const keyOf = (action: RevocationAction) => JSON.stringify(action);

export const isOfToken = (action: RevocationAction) =>
  action.kind === 'strip' || action.kind === 'delete' || action.kind === 'give-back';

export function tokenOf(tokenId: string, seen: ObservedSecret): ObservedToken {
  const owned = seen.tokens.find(({ token }) => token.id === tokenId);
  if (owned) return { token: owned.token, owned };
  for (const holder of seen.holders.values()) {
    if (holder.state === 'foreign' && holder.token.id === tokenId) return { token: holder.token };
  }
  throw new Error(`token ${tokenId} was not observed`);
}

/** The versions of a token without our marker are those that were seen to have its string. */
export function located(result: TokenResult, { secret, holders }: ObservedSecret): TokenResult {
  if (result.versions) return result;
  const versions = [...holders].flatMap(([version, holder]) =>
    holder.state === 'foreign' && holder.token.id === result.tokenId ? [version] : [],
  );
  return { ...result, secret: secret.name, versions };
}

/** Ids that a listing ought to show; what was deleted here is not asked for. */
export const expectedIds = ({ known, results }: Progress) =>
  [...known].filter((id) => !['deleted', 'gone'].includes(results.get(id)?.result ?? ''));

/** The successor is the first string to compare a refused one with. */
export const provingOf = ({ name, order, revocation }: Progress): Proving => ({
  startedAt: revocation.startedAt,
  controls: revocation.controls,
  own: order.way === 'replace' ? name : undefined,
});
