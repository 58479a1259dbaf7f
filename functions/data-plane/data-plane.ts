import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import type { Probe, ProbeAnswer } from './judge.ts';
import type { Limits } from './measure.ts';

export interface Databases {
  /** A permission on `*` is probed with one of these. */
  readonly databases?: readonly string[];
}

/** What is known of a wait for acceptance from before it, and who is told of what it meets. */
export interface Refusals {
  /** It was refused in an earlier wait, or not seen accepted. */
  readonly wasRefused?: boolean;
  /** Is called at the first refusal after `settleMs`, unless `wasRefused`. */
  readonly onStuck?: () => Promise<void>;
}

/** How long is waited. Instants are by this machine's clock. */
export type Patience = Databases & Omit<Limits, 'changedAt'>;

export interface BurstResult {
  /**
   * `accepted`, `refused`: by every probe. `indeterminate`: some were accepted and some refused, or
   * nothing was learnt from one. `nothing-to-probe`: no permission has a probe.
   */
  readonly answer: ProbeAnswer | 'nothing-to-probe';
  /** Some were accepted and some refused. */
  readonly mixed?: true;
  /** For people; present if nothing was learnt from one probe, and others were refused. */
  readonly refusals?: string;
  /** For people. */
  readonly detail?: string;
}

/** How a token string is verified: each of many routers has its own copy of the tokens. */
export interface DataPlane {
  probe(value: TokenValue, probe: Probe): Promise<ProbeAnswer>;
  /** One burst: ten probes over all that the permissions allow, each on a connection of its own. */
  burst(
    value: TokenValue,
    permissions: readonly Permission[],
    /** `deadline`: no probe is sent or waited for after it; absent: the run's. By this machine's clock. */
    options?: Databases & { readonly deadline?: number },
  ): Promise<BurstResult>;
  /**
   * Waits until every router can be taken to accept the string, by the rule in `measure.ts`. False: not
   * in time, or nothing to probe. `detail` then says how far it came.
   */
  untilAccepted(
    value: TokenValue,
    permissions: readonly Permission[],
    /** `armedAt`: when the token got its permissions. */
    options: Patience & Refusals & { readonly armedAt: number },
  ): Promise<{ readonly accepted: boolean; readonly detail?: string }>;
  /** The same for the end of a string. `lastAnswer` is absent if there is nothing to probe. */
  untilRefused(
    value: TokenValue,
    permissions: readonly Permission[],
    /** `endedAt`: when the token was deleted, or lost its permissions. */
    options: Patience & { readonly endedAt: number },
  ): Promise<{
    readonly refused: boolean;
    readonly lastAnswer?: ProbeAnswer;
    readonly detail?: string;
  }>;
}
