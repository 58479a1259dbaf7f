import type { Permission } from '../management-api/token.ts';
import type { TokenState } from '../tokens/state.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import type { RevocationWay } from './request.ts';

/** A token as people want to know it. Instants are ISO 8601, UTC. */
export interface KnownToken {
  readonly tokenId: string;
  /** Its name in the policy. */
  readonly token?: string;
  /** The secret that its marker names; absent: the marker is lost, or there never was one. */
  readonly secret?: string;
  /** Its deployment, by its marker. */
  readonly owner?: string;
  /** False: another deployment's, or nobody's. */
  readonly owned: boolean;
  /** The part of the description that is for people. */
  readonly description: string;
  /** What it may do; of a frozen or quarantined one, what it might. */
  readonly permissions: readonly Permission[];
  readonly createdAt: string;
  /** Absent: never. */
  readonly expiresAt?: string;
  readonly state: TokenState;
}

/** What an order touches, before anything is done. */
export interface BlastRadius {
  readonly tokens: readonly KnownToken[];
  /** Names, `*` for all. */
  readonly databases: readonly string[];
  readonly secrets: readonly string[];
  readonly actions: readonly RevocationAction[];
  /** What the order does not reach, and what a person should know before giving it. */
  readonly warnings: readonly string[];
}

/** What became of one token. */
export interface RevokedToken {
  readonly tokenId: string;
  readonly token?: string;
  readonly secret?: string;
  readonly result:
    | 'deleted'
    | 'frozen'
    | 'given-back'
    /** Was dead before this order came. */
    | 'gone'
    /** Its secret's new token, made by this order or by the same one given before. */
    | 'successor'
    /** Not ours, and not named by its id. */
    | 'left'
    | 'failed';
  readonly replacedBy?: string;
  /** From the order to the last of several refusals in a row, on new connections. */
  readonly deadAfterSeconds?: number;
  /** Why nobody can say that it is dead, or that the order is complete. */
  readonly unconfirmed?: string;
}

/** What `revoke` answers. Holds no token string. */
export interface RevocationReport {
  readonly way: RevocationWay;
  readonly reason?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly dryRun: boolean;
  readonly plan: BlastRadius;
  /** Empty in a dry run and for `whois`. */
  readonly tokens: readonly RevokedToken[];
  /** Everything ordered was done, and every dead token was seen dead. False in a dry run and for `whois`. */
  readonly confirmed: boolean;
}
