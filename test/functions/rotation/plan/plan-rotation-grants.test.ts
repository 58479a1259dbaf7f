import { expect, test } from 'vitest';
import type { Permission } from '../../../../functions/management-api/token.ts';
import { permissionsOf } from '../../../../functions/rotation/plan/decide-rotation.ts';
import {
  knownDatabases,
  needsDatabases,
  probeable,
} from '../../../../functions/rotation/plan/permissions.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { grantsHash } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  HOUR,
  id,
  LEARNT,
  NOW,
  observationOf,
  planOf,
  policyOf,
  secretOf,
  seenIn,
  stepsOf,
  TELEGRAF,
  type World,
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
    LEARNT,
  );

test('adds in place what the policy grants beyond the token', () => {
  expect(plan(WRITE, { read: ['telemetry'], write: ['telemetry'] })).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'widen', reason: 'PermissionsWidened', tokenId: id(1) }],
    }),
  );
});

test('rotates to take away, so that a typo cuts nobody off', () => {
  const narrowed = planOf('rotate', {
    actions: [{ ...about, kind: 'mint', reason: 'PermissionsNarrowed' }],
  });
  expect(plan([...WRITE, READ], { write: ['telemetry'] })).toEqual(narrowed);
});

test('first adds and then takes away where the policy does both', () => {
  const wanted = { write: ['telemetry'] };
  expect(stepsOf(plan([READ], wanted))).toEqual(['widen PermissionsWidened 1']);
  expect(stepsOf(plan([READ, ...WRITE], wanted))).toEqual(['mint PermissionsNarrowed']);
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

test('writes into the marker that permissions are as the policy wants, whoever gave them', () => {
  const planned = plan([READ], { read: ['telemetry'] }, grantsHash(WRITE));
  expect(planned.actions).toMatchObject([{ kind: 'widen' }]);
  expect(planned.findings).toEqual([]);
});

const typo = {
  ...about,
  kind: 'UnknownDatabase',
  message: 'gets no permissions on telemtry, which neither exists nor is declared',
};

test('refuses a grant to a database that neither exists nor is declared', () => {
  const wanted = { write: ['telemetry', 'telemtry'] };
  expect(plan(WRITE, wanted, undefined, ['telemetry'])).toEqual(
    planOf('rotate', { findings: [typo] }),
  );
  expect(plan(WRITE, wanted, undefined, ['telemetry', 'telemtry'])).toEqual(
    planOf('rotate', {
      actions: [{ ...about, kind: 'widen', reason: 'PermissionsWidened', tokenId: id(1) }],
    }),
  );
});

test('issues no first token that could do only half of what the policy says', () => {
  const first = (document: object, secretsOf: World['secrets']) =>
    planRotation(
      policyOf({}, { permissions: document }),
      observationOf({ databases: ['telemetry'], ...(secretsOf && { secrets: secretsOf }) }),
      { force: false },
      LEARNT,
    );
  const half = { write: ['telemetry', 'telemtry'] };
  expect(first(half, undefined)).toEqual(planOf('rotate', { findings: [typo] }));
  expect(first(half, [secretOf()])).toEqual(planOf('rotate', { findings: [typo] }));
  expect(stepsOf(first({ write: ['telemetry'] }, undefined))).toEqual(['rotate Missing']);
});

test('renews a token with the grants it has, though one of their databases is gone', () => {
  const dropped: Permission = { action: 'write', resource: 'dropped' };
  const permissions = [dropped, ...WRITE];
  const policy = policyOf({}, { permissions: { write: ['telemetry', 'dropped'] } });
  const world = (age: number, given = permissions) => ({
    secrets,
    tokens: [armed(1, { age, permissions: given, marker: { grants: grantsHash(given) } })],
    databases: ['telemetry'],
  });
  const planned = (age: number) =>
    planRotation(policy, observationOf(world(age)), { force: false }, LEARNT);
  expect(planned(HOUR)).toEqual(planOf('rotate'));
  expect(stepsOf(planned(30 * DAY))).toEqual(['mint Due']);
  const [entry] = policy.tokens;
  if (!entry) throw new Error('no entry');
  const isKnown = knownDatabases(policy, new Set(['telemetry']));
  const [all, less] = [permissions, WRITE].map((given) =>
    permissionsOf(entry, seenIn(world(HOUR, [...given])), isKnown),
  );
  expect(all).toEqual(permissions);
  expect(less).toEqual(WRITE);
  // The server refuses a write to a database that does not exist, whoever asks.
  expect(probeable(permissions, isKnown)).toEqual(WRITE);
  expect(probeable([dropped], isKnown)).toEqual([dropped]);
});

test('asks for the databases only where the policy does not declare all that it grants', () => {
  expect(needsDatabases(policyOf())).toBe(false);
  expect(needsDatabases(policyOf({}, { permissions: { read: ['*'] } }))).toBe(false);
  expect(needsDatabases(policyOf({}, { permissions: { read: ['other'] } }))).toBe(true);
  const globs = { databases: [{ match: 'tele*', maxTables: 5 }] };
  expect(needsDatabases(policyOf(globs))).toBe(true);
});

test('the successor of a token that was rolled back to keeps what quarantine took of a database that is gone', () => {
  const permissions = { write: ['telemetry', 'gone'] };
  const was: readonly Permission[] = [...WRITE, { action: 'write', resource: 'gone' }];
  const quarantined = armed(1, { age: DAY, permissions: [], marker: { quarantined: NOW, was } });
  const seen = seenIn({ secrets, tokens: [quarantined] });
  const [entry] = policyOf({}, { permissions }).tokens;
  const given = entry && permissionsOf(entry, seen, (database) => database !== 'gone');
  expect(new Set(given)).toEqual(new Set(was));
});
