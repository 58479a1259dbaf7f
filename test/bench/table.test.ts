import { describe, expect, test } from 'vitest';
import { exitCodeOf, failed, judge, type Row, resultOf, tableOf } from '../../bench/table.ts';

const when = { at: '2026-11-30T00:00:00.000Z', seconds: 240 };
const ratio = (value: number, noise = 0.05): Row => ({
  figure: 'init of rotate / bare node',
  unit: 'ms',
  value,
  floor: 20,
  goal: { of: 'floor', atMost: 3, noise },
});
const missedOf = (...rows: Row[]) => resultOf(rows, when).missed;

describe('a goal', () => {
  test('that is a ratio is missed where the ratio is larger by more than noise', () => {
    expect([60, 62.9, 63.1].map((value) => judge(ratio(value)))).toEqual([
      'met',
      'within noise',
      'missed',
    ]);
    expect(missedOf(ratio(60), ratio(62.9))).toEqual([]);
    expect(missedOf(ratio(63.1))).toEqual(['init of rotate / bare node']);
  });

  test('of the least rate is missed where the rate is smaller by more than noise', () => {
    const rate = (value: number): Row => ({
      figure: 'rotations a second',
      unit: '/s',
      value,
      floor: 100,
      goal: { of: 'floor', atLeast: 0.6, noise: 0.1 },
    });
    expect([60, 55, 53].map((value) => judge(rate(value)))).toEqual([
      'met',
      'within noise',
      'missed',
    ]);
  });

  test('that is a count has no noise', () => {
    const calls = (value: number): Row => ({
      figure: 'calls',
      unit: 'calls',
      value,
      goal: { of: 'this', atMost: 8, noise: 0 },
    });
    expect(judge(calls(8))).toBe('met');
    expect(missedOf(calls(8.1))).toEqual(['calls']);
  });

  test('of nothing at all is met by nothing alone', () => {
    const probes = (value: number): Row => ({
      figure: 'probes',
      unit: 'calls',
      value,
      goal: { of: 'this', atMost: 0, noise: 0 },
    });
    expect([0, 1].map((value) => judge(probes(value)))).toEqual(['met', 'missed']);
  });

  test('for an absolute time is judged and gates nothing', () => {
    for (const unit of ['ms', 's', '/s'] as const) {
      const row: Row = { figure: unit, unit, value: 99, goal: { of: 'this', atMost: 6, noise: 0 } };
      expect(judge(row)).toBe('missed, gates nothing');
      expect(missedOf(row)).toEqual([]);
    }
  });

  test('beside a program that is not here is not measured and gates nothing', () => {
    const row: Row = {
      figure: 'init / Python',
      unit: 'ms',
      value: 100,
      peer: undefined,
      peerName: 'boto3',
      goal: { of: 'peer', atMost: 0.45, noise: 0.05 },
    };
    expect(judge(row)).toBe('not measured');
    expect(missedOf(row)).toEqual([]);
    expect(tableOf(resultOf([row], when))).toContain('boto3: not here');
    expect(missedOf({ ...row, peer: 200 })).toEqual(['init / Python']);
  });

  test('of what could not be measured is missed', () => {
    const row = failed('listings', 'there are more than 100 pages');
    expect(missedOf(row)).toEqual(['listings']);
    expect(tableOf(resultOf([row], when))).toContain('there are more than 100 pages');
  });
});

test('one missed goal fails the whole run, and nothing else does', () => {
  const exitCode = (...rows: Row[]) => exitCodeOf(resultOf(rows, when));
  const slow: Row = {
    figure: 'slow',
    unit: 'ms',
    value: 99,
    goal: { of: 'this', atMost: 6, noise: 0 },
  };
  expect(exitCode(ratio(60), ratio(62.9), slow)).toBe(0);
  expect(exitCode(ratio(60), ratio(63.1))).toBe(1);
});

test('the JSON names time, Node.js, machine, every row with its ratio and verdict, and what is missed', () => {
  const written = JSON.parse(
    JSON.stringify(resultOf([ratio(70), { figure: 'a', unit: 'MB', value: 3, note: 'b' }], when)),
  );
  expect(written).toEqual({
    ...when,
    node: process.version,
    machine: { cores: expect.any(Number), cpu: expect.any(String) },
    rows: [
      {
        figure: 'init of rotate / bare node',
        unit: 'ms',
        value: 70,
        floor: 20,
        goal: { of: 'floor', atMost: 3, noise: 0.05 },
        ratio: 3.5,
        verdict: 'missed',
      },
      { figure: 'a', unit: 'MB', value: 3, note: 'b' },
    ],
    missed: ['init of rotate / bare node'],
  });
});

test('the table has a line for each figure, with figure, this, floor, peer, goal and ratio, and its note below', () => {
  const rows = [ratio(70), { figure: 'memory', unit: 'MB', value: 3, note: 'of all' } as const];
  const [head, first, second, note] = tableOf(resultOf(rows, when)).split('\n');
  expect(head?.split(/ +/)).toEqual(['figure', 'this', 'floor', 'peer', 'goal', 'ratio']);
  expect(first).toMatch(/^init of rotate \/ bare node +70 ms +20 ms +<= 3 +3\.5 +missed$/);
  expect(second).toMatch(/^memory +3 MB$/);
  expect(note).toBe('    of all');
});
