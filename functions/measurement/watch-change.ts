import type { ProbeAnswer } from '../data-plane/judge.ts';
import type { MeasureTools } from '../run/look-tools.ts';
import { type Change, nextSample, type Sample, type Spread, spreadOf } from './samples.ts';

/** Of one sample, half of them at a time. */
const PROBES = 20;

export interface Watched {
  readonly change: Change;
  readonly expected: 'accepted' | 'refused';
  /** One probe, on a connection of its own; of so many, which. */
  readonly probe: (number: number) => Promise<ProbeAnswer>;
  /** No sample is begun after it. */
  readonly until: number;
}

async function sample({ probe, expected }: Watched, { now }: MeasureTools): Promise<Sample> {
  const from = now();
  const answers: ProbeAnswer[] = [];
  for (const half of [0, PROBES / 2]) {
    const asked = Array.from({ length: PROBES / 2 }, (_, index) => probe(half + index));
    answers.push(...(await Promise.all(asked)));
  }
  const silent = answers.filter((answer) => answer === 'indeterminate').length;
  const agreed = answers.filter((answer) => answer === expected).length;
  return { from, to: now(), agreed, silent, objected: PROBES - silent - agreed };
}

/** Probes again and again, until a change is seen everywhere or the time is over. */
export async function watchChange(watched: Watched, tools: MeasureTools): Promise<Spread> {
  const { change, until } = watched;
  const samples: Sample[] = [];
  for (;;) {
    samples.push(await sample(watched, tools));
    const ms = nextSample(change, samples, tools.now());
    if (ms === undefined || tools.now() + ms >= until) return spreadOf(change, samples);
    await tools.sleep(ms);
  }
}
