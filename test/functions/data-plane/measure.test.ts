import { expect, test } from 'vitest';
import {
  begun,
  nextStep,
  noted,
  type Progress,
  type Verdict,
} from '../../../functions/data-plane/measure.ts';

const MINUTE = 60_000;
const settleMs = 10 * MINUTE;

interface Change {
  readonly at: number;
  readonly settleMs: number;
}

/** Bursts that say what is true at their time, until the measure is done; bursts cost no time. */
function watch(
  say: (at: number) => Verdict,
  change: Change,
  startedAt = 0,
  deadline = 60 * MINUTE,
  wasRefused = false,
) {
  let progress: Progress = begun(startedAt, wasRefused);
  const limits = { changedAt: change.at, settleMs: change.settleMs, firstBy: deadline, deadline };
  const bursts: number[] = [];
  for (let now = startedAt; ; ) {
    bursts.push(now);
    progress = noted(progress, say(now), now);
    const step = nextStep(progress, limits, now);
    if (step.kind !== 'wait') return { doneAt: step.kind === 'done' ? now : undefined, bursts };
    now += step.ms;
  }
}

const from =
  (instant: number): ((at: number) => Verdict) =>
  (at) =>
    at >= instant ? 'agrees' : 'objects';

test('watches a string that is accepted at once for fifteen seconds, by eight bursts', () => {
  const { doneAt, bursts } = watch(from(0), { at: 0, settleMs });
  expect(doneAt).toBeGreaterThanOrEqual(15_000);
  expect(doneAt).toBeLessThan(15_100);
  expect(bursts).toHaveLength(8);
});

test.each([60_000, 100_000, 240_000])(
  'watches as long again as it took until the first burst agreed: %i ms',
  (instant) => {
    const { doneAt = 0, bursts } = watch(from(instant), { at: 0, settleMs });
    const first = bursts.find((at) => at >= instant) ?? 0;
    expect(doneAt - first).toBeGreaterThanOrEqual(first);
    expect(doneAt - first).toBeLessThan(first + 1_000);
    expect(bursts.filter((at) => at >= instant)).toHaveLength(8);
  },
);

test('asks a string that is not accepted yet ever more rarely, every thirty seconds at last', () => {
  const { bursts } = watch(from(2 * MINUTE), { at: 0, settleMs });
  expect(bursts.slice(0, 6)).toEqual([0, 5_000, 15_000, 35_000, 65_000, 95_000]);
});

test('any objection starts the measure anew', () => {
  const say = (at: number): Verdict => (at >= 30_000 && at !== 65_000 ? 'agrees' : 'objects');
  const undisturbed = watch(from(30_000), { at: 0, settleMs });
  const at = undisturbed.bursts.at(-2) ?? 0;
  const { doneAt = 0, bursts } = watch((now) => (now === at ? 'objects' : say(now)), {
    at: 0,
    settleMs,
  });
  const again = bursts.find((each) => each > at) ?? 0;
  expect(doneAt).toBeGreaterThanOrEqual(2 * again);
  expect(bursts.filter((each) => each >= again)).toHaveLength(8);
});

test('a burst that says nothing leaves the time as it is, and eight in a row must follow it', () => {
  const undisturbed = watch(from(MINUTE), { at: 0, settleMs });
  const at = undisturbed.bursts.at(-1) ?? 0;
  const say = from(MINUTE);
  const { doneAt = 0, bursts } = watch((now) => (now === at ? 'silent' : say(now)), {
    at: 0,
    settleMs,
  });
  expect(bursts.filter((each) => each > at)).toHaveLength(8);
  expect(doneAt - at).toBeLessThan(MINUTE);
});

test('what says nothing is never enough', () => {
  expect(watch(() => 'silent', { at: 0, settleMs }).doneAt).toBeUndefined();
  const now = (at: number): Verdict => ((at / 1_000) % 2 < 1 ? 'agrees' : 'silent');
  const { doneAt, bursts } = watch(now, { at: 0, settleMs: Number.POSITIVE_INFINITY });
  expect(doneAt).toBeUndefined();
  expect(bursts.length).toBeGreaterThan(50);
});

test('a change that settled long ago needs one burst', () => {
  const startedAt = 20 * MINUTE;
  const settled = { at: startedAt - settleMs, settleMs };
  expect(watch(from(0), settled, startedAt).bursts).toEqual([startedAt]);
  const almost = { at: startedAt - settleMs + 1, settleMs };
  expect(watch(from(0), almost, startedAt).bursts.length).toBeGreaterThan(1);
});

test('a change that settled long ago, and meets an objection, needs sixteen bursts in half a minute', () => {
  const startedAt = 20 * MINUTE;
  const settled = { at: 0, settleMs };
  const { bursts, doneAt = 0 } = watch(from(startedAt + 1), settled, startedAt);
  expect(bursts).toHaveLength(17);
  expect(doneAt).toBeGreaterThanOrEqual(startedAt + 35_000);
});

test('what an earlier wait saw refused needs as much, once the change has settled', () => {
  const wait = (startedAt: number) =>
    watch(() => 'agrees', { at: 0, settleMs }, startedAt, 60 * MINUTE, true).bursts;
  expect(wait(20 * MINUTE)).toHaveLength(16);
  expect(wait(5 * MINUTE)).toHaveLength(8);
});

test('what was never objected to is done as soon as the change has settled', () => {
  const say = (at: number): Verdict => (at < settleMs ? 'silent' : 'agrees');
  const { doneAt = 0 } = watch(say, { at: 0, settleMs });
  expect(doneAt).toBeGreaterThanOrEqual(settleMs);
  expect(doneAt).toBeLessThan(settleMs + 30_000);
});

test('no watch lasts longer than until the change has settled, but for the shortest', () => {
  const late = watch(from(8 * MINUTE), { at: 0, settleMs });
  expect(late.doneAt).toBeGreaterThanOrEqual(settleMs);
  expect(late.doneAt).toBeLessThan(settleMs + 1_000);
  const later = watch(from(settleMs), { at: 0, settleMs });
  const first = later.bursts.find((at) => at >= settleMs) ?? 0;
  expect((later.doneAt ?? 0) - first).toBeGreaterThanOrEqual(15_000);
  expect((later.doneAt ?? 0) - first).toBeLessThan(15_100);
});
