import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import type { Probe, ProbeAnswer } from './ask.ts';

/** How a token is verified: each of many routers has its own copy of the tokens. */
export const ROUNDS = { times: 3, intervalMs: 5_000 } as const;

export interface Persistence {
  /** How many rounds in a row must agree. */
  readonly times: number;
  readonly intervalMs: number;
  /** After a round that failed the interval doubles, up to this: many tokens may be waiting. */
  readonly slowestMs?: number;
  /** An instant. A wait that would end after it is not begun. */
  readonly deadline: number;
  /** A permission on `*` is probed with the first of these. */
  readonly databases?: readonly string[];
}

/** The last answer of the last round. */
export interface LastRound {
  /** Absent: the permissions have nothing to probe. */
  readonly lastAnswer?: ProbeAnswer;
  readonly detail?: string;
}

export interface DataPlane {
  probe(value: TokenValue, probe: Probe): Promise<ProbeAnswer>;
  /** Waits until the cluster accepts the token for all these permissions. False: not in time, or nothing to probe. */
  untilAccepted(
    value: TokenValue,
    permissions: readonly Permission[],
    persistence: Persistence,
  ): Promise<LastRound & { readonly accepted: boolean }>;
  /** Waits until the cluster refuses the token for all these permissions. False: not in time, or nothing to probe. */
  untilRefused(
    value: TokenValue,
    permissions: readonly Permission[],
    persistence: Persistence,
  ): Promise<LastRound & { readonly refused: boolean }>;
}
