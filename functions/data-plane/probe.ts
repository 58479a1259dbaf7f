import pLimit from 'p-limit';
import type { Permission } from '../management-api/token.ts';
import type { TokenValue } from '../token-value.ts';
import { ask, type ClusterAddress, LONGEST_PROBE_MS } from './ask.ts';
import type { BurstResult, Databases, DataPlane, Refusals } from './data-plane.ts';
import type { Probe, ProbeAnswer, ProbeResult } from './judge.ts';
import {
  begun,
  isStuck,
  type Limits,
  nextStep,
  noted,
  type Verdict,
  type Watch,
} from './measure.ts';
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

/** What the answers to a whole burst mean together. */
function summarise(results: readonly ProbeResult[]): BurstResult {
  const unknown = results.find(({ answer }) => answer === 'indeterminate');
  const refused = results.filter(({ answer }) => answer === 'refused');
  const [first] = refused;
  if (!first) return unknown ?? { answer: 'accepted' };
  if (refused.length === results.length) return first;
  const refusals = `${refused.length} of ${results.length} probes were refused: ${first.detail}`;
  if (unknown) return { ...unknown, refusals };
  return { answer: 'indeterminate', mixed: true, detail: refusals };
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { now, sleep } = options;
  const bounded = pLimit(options.connections ?? 10);

  const askInTurn = (value: TokenValue, probe: Probe, deadline = Number.POSITIVE_INFINITY) =>
    bounded((): Promise<ProbeResult> | ProbeResult => {
      // The run may have ended while it waited for its turn.
      const leftMs = Math.min(deadline, options.deadline()) - now();
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
    { databases, ...limits }: Limits & Databases,
    { wasRefused = false, onStuck }: Refusals = {},
  ): Promise<Waited> {
    const probes = probesFor(permissions, databases);
    if (probes.length === 0) return { reached: false, detail: NOTHING_TO_PROBE };
    const isOther = (answer: ProbeAnswer) => answer !== expected;
    let progress = begun(now(), wasRefused);
    let isKnown = wasRefused;
    for (let round = 0; ; round += 1) {
      const results = await send(value, burstOf(probes, round), isOther, limits.deadline);
      const result = results.at(-1) as ProbeResult;
      const verdict = verdictOn(result, expected);
      // The others are still learning of the change; one that says nothing may be broken.
      const anyAgreed = verdict !== 'silent' && results.some(({ answer }) => answer === expected);
      progress = noted(progress, verdict, now(), anyAgreed);
      if (!isKnown && isStuck(progress, limits)) {
        isKnown = true;
        await onStuck?.();
      }
      const step = nextStep(progress, limits, now());
      if (step.kind === 'done') return { reached: true, last: result.answer };
      if (step.kind === 'end') return { reached: false, ...soFar(result, expected, step.watch) };
      await sleep(step.ms);
    }
  }

  return {
    probe: async (value, probe) => (await askInTurn(value, probe)).answer,
    async burst(value, permissions, { databases, deadline } = {}) {
      const probes = burstOf(probesFor(permissions, databases));
      if (probes.length === 0) return { answer: 'nothing-to-probe', detail: NOTHING_TO_PROBE };
      const isSilent = (answer: ProbeAnswer) => answer === 'indeterminate';
      return summarise(await send(value, probes, isSilent, deadline));
    },
    async untilAccepted(value, permissions, { armedAt: changedAt, ...options }) {
      const limits = { changedAt, ...options };
      const waited = await until('accepted', value, permissions, limits, options);
      return { accepted: waited.reached, ...detailOf(waited) };
    },
    async untilRefused(value, permissions, { endedAt: changedAt, ...patience }) {
      const waited = await until('refused', value, permissions, { changedAt, ...patience });
      const { reached: refused, last: lastAnswer } = waited;
      return { refused, ...(lastAnswer && { lastAnswer }), ...detailOf(waited) };
    },
  };
}

function verdictOn({ answer }: ProbeResult, expected: 'accepted' | 'refused'): Verdict {
  if (answer === expected) return 'agrees';
  return answer === 'indeterminate' ? 'silent' : 'objects';
}

/** How far a wait came that ended without success. */
function soFar(
  { answer, detail = answer }: ProbeResult,
  expected: ProbeAnswer,
  watch: Watch | undefined,
): Omit<Waited, 'reached'> {
  if (!watch || answer !== expected) return { last: answer, detail: `the last answer: ${detail}` };
  const [passed, needed] = [watch.passedMs, watch.ms].map((ms) => Math.round(ms / 1_000));
  return { last: answer, detail: `${expected} for ${passed} s of the ${needed} s that it must be` };
}

const detailOf = ({ detail }: Waited) => (detail === undefined ? {} : { detail });
