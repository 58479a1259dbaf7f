import { expect, test } from 'vitest';
import { lackedPermission } from '../../../../functions/rotation/plan/lacked-permission.ts';
import { policyOf } from '../../builders.ts';

const policy = policyOf({ databases: [{ name: 'telemetry' }, { name: 'quality' }] });
const may = (action: string, ...resources: string[]) =>
  resources.map((resource) => ({ action, resource }));

test.each([
  ['to read a database of the policy first', may('write', '*'), 'read telemetry'],
  ['the next one', may('read', 'telemetry'), 'read quality'],
  ['one that nothing is in', may('read', 'telemetry', 'quality'), 'read keyturn'],
  ['to write only if it may read everything', may('read', '*'), 'write telemetry'],
  ['the same', [...may('read', '*'), ...may('write', 'telemetry')], 'write quality'],
])('a token lacks %s', (_what, permissions, lacked) => {
  const { action, resource } = lackedPermission(permissions, policy) ?? {};
  expect(`${action} ${resource}`).toBe(lacked);
});

test('a token that may read and write everything lacks nothing', () => {
  expect(lackedPermission([...may('read', '*'), ...may('write', '*')], policy)).toBeUndefined();
});
