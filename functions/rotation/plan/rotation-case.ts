import type { Permission } from '../../management-api/token.ts';
import type { TokenPolicy } from '../../policy/policy.ts';
import type { Finding, Without } from '../../run/plan.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';
import type { IsKnown } from './permissions.ts';
import type { RenewalAction, ReplacementReason } from './rotation-action.ts';

export interface RotationContext {
  readonly now: number;
  readonly timeZone: string;
  /** Somebody asked for this rotation by name. */
  readonly forced: boolean;
  /** How long an armed token waits until an ordinary rotation promotes it. */
  readonly settleMs: number;
  /** How long until the next run, at most. */
  readonly nextMs: number;
  /** How long until the third run after this one, at most. */
  readonly thirdMs: number;
  readonly isKnown: IsKnown;
  /** In this run the data plane refused the string: the whole of it, and it accepted another one, if nobody knows the string. */
  readonly refused: boolean;
}

export type Action = Without<RenewalAction, 'token' | 'secret'>;
/** Why there is no action, for people. */
export type Note = Pick<Finding, 'kind' | 'message' | 'tokenId'>;

/** What is known about one entry when it is decided. */
export interface Case {
  readonly entry: TokenPolicy;
  readonly permissions: readonly Permission[];
  readonly seen: ObservedSecret;
  readonly reason: ReplacementReason | undefined;
  readonly context: RotationContext;
}
