import pLimit from 'p-limit';
import type { Permission } from '../model/token.ts';
import type { TokenValue } from '../model/token-value.ts';
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

  /** What stood in the way of `wanted`, or the last of the answers if nothing did. */
  async function round(wanted: ProbeAnswer, value: TokenValue, probes: readonly Probe[]) {
    const findings = await Promise.all(probes.map((each) => askInTurn(value, each)));
    return findings.find(({ answer }) => answer !== wanted) ?? { answer: wanted };
  }

  async function until(
    wanted: ProbeAnswer,
    value: TokenValue,
    permissions: readonly Permission[],
    { times, intervalMs, deadline, databases }: Persistence,
  ): Promise<{ readonly reached: boolean; readonly last: LastRound }> {
    const probes = probesFor(permissions, databases);
    if (probes.length === 0) return { reached: false, last: {} };
    for (let inARow = 0; ; ) {
      const finding = await round(wanted, value, probes);
      inARow = finding.answer === wanted ? inARow + 1 : 0;
      const reached = inARow >= times;
      if (reached || options.now() + intervalMs >= deadline) {
        return { reached, last: describe(finding) };
      }
      await options.sleep(intervalMs);
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
