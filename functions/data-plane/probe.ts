import pLimit from 'p-limit';
import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import { ask, type ClusterAddress, type Finding, type Probe, type ProbeAnswer } from './ask.ts';
import { probesFor } from './probes-for.ts';

export interface DataPlaneOptions extends ClusterAddress {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Probes in flight at once, however many tokens wait for their activation. */
  readonly connections?: number | undefined;
}

export interface Persistence {
  /** So many rounds in a row: each of many routers holds its own copy of the tokens. */
  readonly times: number;
  readonly intervalMs: number;
  /** After rounds that failed the interval doubles up to this: a whole fleet may be waiting. */
  readonly slowestMs?: number;
  /** An instant. A wait that would end behind it is not begun. */
  readonly deadline: number;
  /** The first of these stands for `*`. */
  readonly databases?: readonly string[];
}

/** Of the last round: what stood in the way, if anything did. */
interface LastRound {
  /** Absent where the permissions give nothing to probe. */
  readonly lastAnswer?: ProbeAnswer;
  readonly detail?: string;
}

export interface DataPlane {
  probe(value: TokenValue, wanted: Probe): Promise<ProbeAnswer>;
  /** Waits until the token works for all that it may do; false where there is nothing to probe. */
  untilAccepted(
    value: TokenValue,
    permissions: readonly Permission[],
    persistence: Persistence,
  ): Promise<LastRound & { readonly accepted: boolean }>;
  /** Waits until nothing works that the token could do while it had these permissions. */
  untilRefused(
    value: TokenValue,
    permissions: readonly Permission[],
    persistence: Persistence,
  ): Promise<LastRound & { readonly refused: boolean }>;
}

const describe = ({ answer, detail }: Finding): LastRound => ({
  lastAnswer: answer,
  ...(detail !== undefined && { detail }),
});

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const bounded = pLimit(options.connections ?? 10);
  const askInTurn = (value: TokenValue, wanted: Probe) =>
    bounded(() => ask(options, value, wanted));

  /** What stood in the way of `wanted`, if anything did: nobody is asked more once that is known. */
  async function round(wanted: ProbeAnswer, value: TokenValue, probes: readonly Probe[]) {
    for (const each of probes) {
      const finding = await askInTurn(value, each);
      if (finding.answer !== wanted) return finding;
    }
    return { answer: wanted };
  }

  async function until(
    wanted: ProbeAnswer,
    value: TokenValue,
    permissions: readonly Permission[],
    { times, intervalMs, slowestMs = intervalMs, deadline, databases }: Persistence,
  ): Promise<{ readonly reached: boolean; readonly last: LastRound }> {
    const probes = probesFor(permissions, databases);
    if (probes.length === 0) return { reached: false, last: {} };
    for (let inARow = 0, failedMs = intervalMs; ; ) {
      const finding = await round(wanted, value, probes);
      const succeeded = finding.answer === wanted;
      inARow = succeeded ? inARow + 1 : 0;
      const waitMs = succeeded ? intervalMs : failedMs;
      const reached = inARow >= times;
      if (reached || options.now() + waitMs >= deadline) {
        return { reached, last: describe(finding) };
      }
      await options.sleep(waitMs);
      failedMs = Math.min(waitMs * 2, slowestMs);
    }
  }

  return {
    probe: async (value, wanted) => (await askInTurn(value, wanted)).answer,
    async untilAccepted(value, permissions, persistence) {
      const { reached, last } = await until('accepted', value, permissions, persistence);
      return { accepted: reached, ...last };
    },
    async untilRefused(value, permissions, persistence) {
      const { reached, last } = await until('refused', value, permissions, persistence);
      return { refused: reached, ...last };
    },
  };
}
