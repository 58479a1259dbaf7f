import { expect, test } from 'vitest';
import { probesFor } from '../../../functions/data-plane/probes-for.ts';

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

test('all databases are proved by a declared one, or by a name that is good for any', () => {
  const permissions = [permission('write', '*'), permission('write', 'a')];
  expect(probesFor(permissions, ['a', 'b'])).toEqual([{ action: 'write', database: 'a' }]);
  expect(probesFor(permissions)).toEqual([
    { action: 'write', database: 'keyturn' },
    { action: 'write', database: 'a' },
  ]);
});

test('an action without a probe is left out', () => {
  expect(probesFor([permission('admin', 'a'), permission('', '')])).toEqual([]);
});

test.each([11, 20, 37, 500])('of %i probes ten are taken, from both actions', (count) => {
  const permissions = Array.from({ length: count }, (_, index) =>
    permission(index % 2 ? 'read' : 'write', `db${index}`),
  );
  const probes = probesFor(permissions);
  expect(probes).toHaveLength(10);
  expect(new Set(probes.map(({ action }) => action))).toEqual(new Set(['read', 'write']));
  expect(new Set(probes.map(({ database }) => database)).size).toBe(10);
});
