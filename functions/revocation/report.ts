import type { Permission } from '../management-api/token.ts';
import type { DocumentMark } from '../policy/document-mark.ts';
import type { ScheduleStatus } from '../schedules/schedule-status.ts';
import type { TokenState } from '../tokens/state.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { RevocationWay } from './request.ts';

/** A token, for people. Instants are ISO 8601, UTC, in whole seconds. */
export interface KnownToken {
  readonly tokenId: string;
  /** Its name in the policy. */
  readonly token?: string;
  /** The secret that its marker names. Absent: it has no marker that can be read. */
  readonly secret?: string;
  /** Its deployment, by its marker. */
  readonly owner?: string;
  /** False: the token is foreign. */
  readonly owned: boolean;
  /** The description without the marker. */
  readonly description: string;
  /** Its permissions; for a frozen or quarantined token those that were taken away. */
  readonly permissions: readonly Permission[];
  readonly createdAt: string;
  /** Absent: never. */
  readonly expiresAt?: string;
  readonly state: TokenState;
}

/** What an order is about and what it would do, before anything is done. */
export interface BlastRadius {
  readonly tokens: readonly KnownToken[];
  /** Names of the databases that the tokens can use; `*` for all. */
  readonly databases: readonly string[];
  readonly secrets: readonly string[];
  readonly actions: readonly RevocationAction[];
  /** Secrets that the order means and does not change, and why. */
  readonly notReached: readonly { readonly secret: string; readonly reason: string }[];
  /** Secrets that the order does not name, and whose consumers it leaves without a token that works, in sentences. */
  readonly withoutToken: readonly string[];
  /** What the order does not do, and what a person should know before giving it. */
  readonly warnings: readonly string[];
  /** Why the order is refused as it is, before anything is done. Absent: it is not. */
  readonly refusal?: string;
  /** 16 hex digits for what a person confirms; an order that names it is refused if the plan is another one by then. */
  readonly hash: string;
  /**
   * Present: nobody knows whose string has the fingerprint that was named, so nothing is done. The live tokens
   * whose string Keyturn never saw, the youngest first: it may be one of them.
   */
  readonly candidates?: readonly KnownToken[];
}

/** Why no repetition proves the death of a string: with none of our secrets is there anything to ask with. */
export const NO_STRING = 'no secret of ours is known to have its string';

/** Why a refusal shows nothing: every other string of this kind is dead as well, or there was none. */
export const NO_OTHER = 'there is no other string to compare';

/** What happened to one token. */
export interface RevokedToken {
  readonly tokenId: string;
  readonly token?: string;
  readonly secret?: string;
  readonly result:
    | 'deleted'
    | 'frozen'
    | 'given-back'
    /** It was gone before this order. */
    | 'gone'
    /** The secret's new token, minted by this order or by the same order before. */
    | 'successor'
    /** It was not changed: it has its permissions, or nothing can be given back. */
    | 'left'
    | 'failed';
  readonly replacedBy?: string;
  /** Seconds from the order to the end of the watch in which every probe was refused. */
  readonly deadAfterSeconds?: number;
  /** Why it was not seen refused, or why the order may not be complete for it. */
  readonly unconfirmed?: string;
}

/** What `revoke` answers. It contains no token string. */
export interface RevocationReport {
  readonly way: RevocationWay;
  readonly reason?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly dryRun: boolean;
  /** The owner's schedules; empty for `whois`. Nothing follows the order while they are off. */
  readonly schedules: readonly ScheduleStatus[];
  readonly plan: BlastRadius;
  /** Empty in a dry run and for `whois`. */
  readonly tokens: readonly RevokedToken[];
  /** What is not confirmed beside the tokens: what the order does not reach, or could not look at. */
  readonly unconfirmed: readonly string[];
  /** Everything that was ordered was done. False in a dry run and for `whois`. */
  readonly done: boolean;
  /** Everything was done, and every token that was ended was seen refused. False in a dry run and for `whois`. */
  readonly confirmed: boolean;
  /** Of the policy that was deployed with the function. Absent: on a laptop, and where an error tells what was done. */
  readonly policy?: DocumentMark | undefined;
}
