import { expect, test } from 'vitest';
import type { Permission } from '../../../../functions/management-api/token.ts';
import { needsDatabases, planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { grantsHash } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  HOUR,
  id,
  observationOf,
  planOf,
  policyOf,
  secretOf,
  TELEGRAF,
  WRITE,
} from '../../builders.ts';

const about = { token: 'telegraf', secret: TELEGRAF };
const READ: Permission = { action: 'read', resource: 'telemetry' };
const secrets = [secretOf({ AWSCURRENT: 1 })];

const plan = (
  permissions: readonly Permission[],
  wanted: object,
  grants = grantsHash(permissions),
  databases?: readonly string[],
) =>
  planRotation(
    policyOf({}, { permissions: wanted }),
    observationOf({
      secrets,
      tokens: [armed(1, { age: HOUR, permissions, marker: { grants } })],
      ...(databases && { databases }),
    }),
    { force: false },
  );

test('adds in place what the policy grants beyond the token', () => {
  expect(plan(WRITE, { read: ['telemetry'], write: ['telemetry'] })).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'widen', reason: 'PermissionsWidened', tokenId: id(1) }],
    }),
  );
});

test('rotates to take away, and to change, so that a typo cuts nobody off', () => {
  const narrowed = planOf('rotate', {
    actions: [{ ...about, kind: 'rotate', reason: 'PermissionsNarrowed' }],
  });
  expect(plan([...WRITE, READ], { write: ['telemetry'] })).toEqual(narrowed);
  expect(plan([READ], { write: ['telemetry'] })).toEqual(narrowed);
});

test('knows the same permissions in another order', () => {
  const policy = { read: ['telemetry'], write: ['telemetry'] };
  expect(plan([...WRITE, READ], policy)).toEqual(planOf('rotate'));
  expect(plan([READ, ...WRITE], policy)).toEqual(planOf('rotate'));
});

test('reports what a person changed, more or less than the policy, and corrects neither', () => {
  const changed = planOf('rotate', {
    findings: [
      {
        ...about,
        kind: 'PermissionsChanged',
        message: 'a person changed its permissions; the next rotation follows the policy again',
        tokenId: id(1),
      },
    ],
  });
  const ours = grantsHash(WRITE);
  expect(plan([...WRITE, READ], { write: ['telemetry'] }, ours)).toEqual(changed);
  expect(plan([READ], { write: ['telemetry'] }, ours)).toEqual(changed);
});

test('has nothing to say where a person changed the permissions to what the policy wants', () => {
  expect(plan([READ], { read: ['telemetry'] }, grantsHash(WRITE))).toEqual(planOf('rotate'));
});

test('refuses a grant to a database that neither exists nor is declared', () => {
  const wanted = { write: ['telemetry', 'telemtry'] };
  expect(plan(WRITE, wanted, undefined, ['telemetry'])).toEqual(
    planOf('rotate', {
      findings: [
        {
          ...about,
          kind: 'UnknownDatabase',
          message: 'gets permissions on telemtry, which neither exists nor is declared',
        },
      ],
    }),
  );
  expect(plan(WRITE, wanted, undefined, ['telemetry', 'telemtry'])).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'widen', reason: 'PermissionsWidened', tokenId: id(1) }],
    }),
  );
});

test('asks for the databases only where the policy does not declare all that it grants', () => {
  expect(needsDatabases(policyOf())).toBe(false);
  expect(needsDatabases(policyOf({}, { permissions: { read: ['*'] } }))).toBe(false);
  expect(needsDatabases(policyOf({}, { permissions: { read: ['other'] } }))).toBe(true);
  const globs = { databases: [{ match: 'tele*', maxTables: 5 }] };
  expect(needsDatabases(policyOf(globs))).toBe(true);
});
