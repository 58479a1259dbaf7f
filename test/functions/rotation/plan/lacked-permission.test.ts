import { expect, test } from 'vitest';
import {
  lackedPermission,
  namedButLacked,
} from '../../../../functions/rotation/plan/lacked-permission.ts';
import { policyOf } from '../../builders.ts';

const ID = '1f0c9a2e-0000-4000-8000-000000000001';
const OTHER = '1f0c9a2e-0000-4000-8000-000000000002';
const may = (action: string, ...resources: string[]) =>
  resources.map((resource) => ({ action, resource }));

test.each([
  ['to read a database that has its id in its name', may('write', '*'), 'read'],
  ['the same, whatever else it may read', may('read', 'telemetry', 'quality'), 'read'],
  ['to write there only if it may read everything', may('read', '*'), 'write'],
])('a token lacks %s', (_what, permissions, action) => {
  expect(lackedPermission(ID, permissions)).toEqual({ action, resource: `keyturn-proof-${ID}` });
});

test('no two tokens are proven by the same permission, and each name is one that a database may have', () => {
  const names = [ID, OTHER].map((id) => lackedPermission(id, [])?.resource ?? '');
  expect(new Set(names).size).toBe(2);
  expect(names.map((name) => name.length)).toEqual([50, 50]);
});

test('a token that may read and write everything lacks nothing', () => {
  expect(lackedPermission(ID, [...may('read', '*'), ...may('write', '*')])).toBeUndefined();
});

test.each([
  [may('write', '*'), 'read telemetry'],
  [may('read', 'telemetry'), 'read quality'],
  [[...may('read', '*'), ...may('write', 'telemetry')], 'write quality'],
  [[...may('read', '*'), ...may('write', 'telemetry', 'quality')], undefined],
])('of the databases that the policy names, a token with %j lacks: %s', (permissions, lacked) => {
  const policy = policyOf({ databases: [{ name: 'telemetry' }, { name: 'quality' }] });
  const found = namedButLacked(permissions, policy);
  expect(found && `${found.action} ${found.resource}`).toBe(lacked);
});
