import { expect, test } from 'vitest';
import { burstOf, probesFor } from '../../../functions/data-plane/probes-for.ts';

const permission = (action: string, resource: string) => ({ action, resource });

test('every distinct action on a database is probed once', () => {
  const permissions = [
    permission('write', 'a'),
    permission('read', 'b'),
    permission('write', 'a'),
    permission('read', 'a'),
  ];
  expect(probesFor(permissions)).toEqual([
    { action: 'read', database: 'b' },
    { action: 'read', database: 'a' },
    { action: 'write', database: 'a' },
  ]);
});

test('all databases are proved by a declared one that is not named besides, or by a name that is good for any', () => {
  const permissions = [permission('write', '*'), permission('write', 'a')];
  expect(probesFor(permissions, ['a', 'b'])).toEqual([
    { action: 'write', database: 'b' },
    { action: 'write', database: 'a' },
  ]);
  expect(probesFor(permissions)).toEqual([
    { action: 'write', database: 'keyturn' },
    { action: 'write', database: 'a' },
  ]);
});

test('an action without a probe is left out', () => {
  expect(probesFor([permission('admin', 'a'), permission('', '')])).toEqual([]);
});

const many = (count: number) =>
  probesFor(
    Array.from({ length: count }, (_, index) =>
      permission(index % 2 ? 'read' : 'write', `db${index}`),
    ),
  );

test.each([11, 20, 37, 500])('of %i probes a burst takes ten, from both actions', (count) => {
  const probes = burstOf(many(count));
  expect(probes).toHaveLength(10);
  expect(new Set(probes.map(({ action }) => action))).toEqual(new Set(['read', 'write']));
  expect(new Set(probes.map(({ database }) => database)).size).toBe(10);
});

test.each([11, 20, 37, 80])('of %i probes eight bursts leave out none', (count) => {
  const all = many(count);
  const asked = Array.from({ length: 8 }, (_, round) => burstOf(all, round)).flat();
  expect(new Set(asked)).toEqual(new Set(all));
});

test.each([1, 2, 3, 7, 10])('of %i probes a burst sends each as often as the others', (count) => {
  const all = many(count);
  const times = all.map((each) => burstOf(all, 3).filter((one) => one === each).length);
  expect(Math.min(...times)).toBe(Math.floor(10 / count));
  expect(Math.max(...times)).toBe(Math.ceil(10 / count));
});

test('nothing to probe is no burst', () => {
  expect(burstOf([])).toEqual([]);
});
