import pLimit from 'p-limit';
import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import {
  ask,
  type ClusterAddress,
  LONGEST_PROBE_MS,
  type Probe,
  type ProbeAnswer,
  type ProbeResult,
} from './ask.ts';
import type { BurstResult, Databases, DataPlane, Patience } from './data-plane.ts';
import { begun, type Change, nextStep, noted, type Verdict } from './measure.ts';
import { burstOf, probesFor } from './probes-for.ts';

export interface DataPlaneOptions extends ClusterAddress {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** The instant by which the present run must end. No probe is sent after it. */
  deadline(): number;
  /** The most probes at the same time, however many tokens are probed. */
  readonly connections?: number | undefined;
}

/** How a wait ended. `last` is absent if there is nothing to probe. */
interface Waited {
  readonly reached: boolean;
  readonly last?: ProbeAnswer;
  readonly detail?: string;
}

const NOTHING_TO_PROBE = 'none of its permissions has a probe';
const OPPOSITE = { accepted: 'refused', refused: 'accepted' } as const;

const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1_000)} s`;

/** What the answers to a whole burst mean together. */
function summarise(results: readonly ProbeResult[]): BurstResult {
  const unknown = results.find(({ answer }) => answer === 'indeterminate');
  if (unknown) return unknown;
  const refused = results.filter(({ answer }) => answer === 'refused');
  const [first] = refused;
  if (!first) return { answer: 'accepted' };
  if (refused.length === results.length) return first;
  const share = `${refused.length} of ${results.length} probes were refused`;
  return { answer: 'indeterminate', detail: `${share}: ${first.detail}` };
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { now, sleep } = options;
  const bounded = pLimit(options.connections ?? 10);

  const askInTurn = (value: TokenValue, probe: Probe, deadline = options.deadline()) =>
    bounded((): Promise<ProbeResult> | ProbeResult => {
      const leftMs = deadline - now();
      if (leftMs <= 0) return { answer: 'indeterminate', detail: 'the time for probing is over' };
      return ask(options, value, probe, Math.min(leftMs, LONGEST_PROBE_MS));
    });

  /**
   * Sends probes until one answer says enough. One after the other: whoever waits has one place in the
   * queue for connections, so that a thousand tokens take turns.
   */
  async function send(
    value: TokenValue,
    probes: readonly Probe[],
    saysEnough: (answer: ProbeAnswer) => boolean,
    deadline?: number,
  ): Promise<readonly ProbeResult[]> {
    const results: ProbeResult[] = [];
    for (const each of probes) {
      const result = await askInTurn(value, each, deadline);
      results.push(result);
      if (saysEnough(result.answer)) break;
    }
    return results;
  }

  async function until(
    expected: 'accepted' | 'refused',
    value: TokenValue,
    permissions: readonly Permission[],
    change: Change,
    { firstBy, deadline, databases }: Patience,
  ): Promise<Waited> {
    const probes = probesFor(permissions, databases);
    if (probes.length === 0) return { reached: false, detail: NOTHING_TO_PROBE };
    let progress = begun(now());
    for (let round = 0; ; round += 1) {
      const isOther = (answer: ProbeAnswer) => answer !== expected;
      const results = await send(value, burstOf(probes, round), isOther, deadline);
      const { answer, detail = answer } = results.at(-1) as ProbeResult;
      progress = noted(progress, verdictOn(answer, expected), now());
      const { done, waitMs, watch } = nextStep(progress, change, now());
      if (done) return { reached: true, last: answer };
      const nextMs = progress.agreed ? waitMs : Math.min(waitMs, firstBy - now());
      const endsAt = now() + Math.max(nextMs, watch ? watch.ms - watch.passedMs : 0);
      if (nextMs <= 0 || endsAt >= deadline) {
        const soFar =
          watch && answer === expected
            ? `${expected} for ${seconds(watch.passedMs)} of the ${seconds(watch.ms)} that it must be`
            : `the last answer: ${detail}`;
        return { reached: false, last: answer, detail: soFar };
      }
      await sleep(nextMs);
    }
  }

  return {
    probe: async (value, probe) => (await askInTurn(value, probe)).answer,
    async burst(value, permissions, { databases }: Databases = {}) {
      const probes = burstOf(probesFor(permissions, databases));
      if (probes.length === 0) return { answer: 'nothing-to-probe', detail: NOTHING_TO_PROBE };
      return summarise(await send(value, probes, (answer) => answer === 'indeterminate'));
    },
    async untilAccepted(value, permissions, { armedAt, ...patience }) {
      const change = { at: armedAt, settleMs: patience.settleMs };
      const waited = await until('accepted', value, permissions, change, patience);
      return { accepted: waited.reached, ...detailOf(waited) };
    },
    async untilRefused(value, permissions, { endedAt, ...patience }) {
      const change = { at: endedAt, settleMs: patience.settleMs };
      const waited = await until('refused', value, permissions, change, patience);
      return {
        refused: waited.reached,
        ...(waited.last && { lastAnswer: waited.last }),
        ...detailOf(waited),
      };
    },
  };
}

function verdictOn(answer: ProbeAnswer, expected: 'accepted' | 'refused'): Verdict {
  if (answer === expected) return 'agrees';
  return answer === OPPOSITE[expected] ? 'objects' : 'unknown';
}

const detailOf = ({ detail }: Waited) => (detail === undefined ? {} : { detail });
