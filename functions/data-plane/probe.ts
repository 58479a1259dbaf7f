import pLimit from 'p-limit';
import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import { ask, type ClusterAddress, type Probe, type ProbeAnswer, type ProbeResult } from './ask.ts';
import type { DataPlane, LastRound, Persistence } from './data-plane.ts';
import { probesFor } from './probes-for.ts';

export interface DataPlaneOptions extends ClusterAddress {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** The most probes at the same time, however many tokens are probed. */
  readonly connections?: number | undefined;
}

const describe = ({ answer, detail }: ProbeResult): LastRound => ({
  lastAnswer: answer,
  ...(detail !== undefined && { detail }),
});

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const bounded = pLimit(options.connections ?? 10);
  const askInTurn = (value: TokenValue, probe: Probe) => bounded(() => ask(options, value, probe));

  /** Sends the probes until one answer is not the expected one, and returns that one. */
  async function round(expected: ProbeAnswer, value: TokenValue, probes: readonly Probe[]) {
    for (const each of probes) {
      const finding = await askInTurn(value, each);
      if (finding.answer !== expected) return finding;
    }
    return { answer: expected };
  }

  async function until(
    expected: ProbeAnswer,
    value: TokenValue,
    permissions: readonly Permission[],
    { times, intervalMs, slowestMs = intervalMs, deadline, databases }: Persistence,
  ): Promise<{ readonly reached: boolean; readonly last: LastRound }> {
    const probes = probesFor(permissions, databases);
    if (probes.length === 0) return { reached: false, last: {} };
    for (let inARow = 0, failedMs = intervalMs; ; ) {
      const finding = await round(expected, value, probes);
      const succeeded = finding.answer === expected;
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
    probe: async (value, probe) => (await askInTurn(value, probe)).answer,
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
