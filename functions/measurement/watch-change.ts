import type { ProbeAnswer } from '../data-plane/judge.ts';
import type { MeasureTools } from '../run/look-tools.ts';
import { type Change, nextSample, type Sample, type Spread, spreadOf } from './samples.ts';

/** Of one sample, half of them at a time. */
const PROBES = 20;

export interface Watched {
  readonly change: Change;
  readonly expected: 'accepted' | 'refused';
  /** How many kinds of requests there are. Probes take them in turn. */
  readonly kinds: number;
  /** One probe, on a connection of its own, of this kind. */
  readonly probe: (kind: number) => Promise<ProbeAnswer>;
  /** No sample is begun after it. */
  readonly until: number;
}

async function sample({ probe, kinds, expected }: Watched, { now }: MeasureTools): Promise<Sample> {
  const from = now();
  const answers: ProbeAnswer[] = [];
  for (const half of [0, PROBES / 2]) {
    const asked = Array.from({ length: PROBES / 2 }, (_, index) => probe((half + index) % kinds));
    answers.push(...(await Promise.all(asked)));
  }
  const silent = answers.filter((answer) => answer === 'indeterminate').length;
  const agreeing = answers.flatMap((answer, index) => (answer === expected ? index % kinds : []));
  const agreed = agreeing.length;
  const objected = PROBES - silent - agreed;
  return { from, to: now(), agreed, kinds: [...new Set(agreeing)], silent, objected };
}

/** Probes again and again, until a change is seen everywhere or the time is over. */
export async function watchChange(watched: Watched, tools: MeasureTools): Promise<Spread> {
  const { change, kinds, until } = watched;
  const samples: Sample[] = [];
  for (;;) {
    samples.push(await sample(watched, tools));
    const ms = nextSample(change, samples, tools.now());
    if (ms === undefined || tools.now() + ms >= until) return spreadOf(change, samples, kinds);
    await tools.sleep(ms);
  }
}
