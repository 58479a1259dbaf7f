import type { Token } from '../../management-api/token.ts';
import { approvalHash } from '../../run/plan.ts';
import type { HoldTraces } from '../../secrets-manager/hold.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';

/** A person's order about one secret. */
export interface Order extends Pick<RevocationRequest, 'way' | 'immediately' | 'reason' | 'by'> {
  /** The same for the same selector, way and reason: such an order goes on where it ended. */
  readonly id: string;
  /** Secrets that the policy has an entry for: it says what a successor may do. */
  readonly entries: ReadonlySet<string>;
  /** Why some of them get no token, by name. */
  readonly noToken?: ReadonlyMap<string, string>;
  /** The id of the token that was named by id or fingerprint; it never counts as a successor. */
  readonly namedToken?: string;
  /** Nothing is done: what an earlier order like this one may have ended is proven to be dead. */
  readonly isProof: boolean;
  /** The successor that this run obtained. Absent: none yet. */
  readonly successor?: Pick<Token, 'id' | 'createdAt'>;
  /** For an order that undoes: the hold that its plan showed, which is all that it may release. */
  readonly hold?: HoldTraces;
}

/** The ways that end tokens. */
export const ENDING_WAYS: readonly RevocationWay[] = ['replace', 'freeze', 'delete'];

/** Ways that end a token by the Management API alone: they go ahead where AWS refuses or cannot be reached. */
export const needsNoAws = ({ way }: Pick<Order, 'way'>): boolean =>
  way === 'freeze' || way === 'delete';

/** The ways that undo. */
export const UNDOING_WAYS: readonly RevocationWay[] = ['unfreeze', 'lift', 'restore'];

/** 16 hex digits for what makes an order the same. That it is urgent (`immediately`) does not. */
export const orderId = ({ selector, way, reason = '' }: RevocationRequest): string =>
  approvalHash([Object.entries(selector).sort(), way, reason]);
