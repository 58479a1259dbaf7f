import { expect, test } from 'vitest';
import type { Token } from '../../../../functions/management-api/token.ts';
import { planReaping } from '../../../../functions/reaping/plan/plan-reaping.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import type { Secret } from '../../../../functions/secrets-manager/secret.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  NOW,
  observationOf,
  planOf,
  policyOf,
  SECOND,
  secretOf,
  within,
} from '../../builders.ts';

const name = 'keyturn/prod/removed';
const labels = { AWSCURRENT: 1 };

function planned(tokens: readonly Token[], more: Partial<Secret> = {}, onRemoval = 'retire') {
  const policy = policyOf({ onRemoval });
  const secrets = [secretOf(labels, { name, ...more })];
  return { ...planReaping(policy, observationOf({ secrets, tokens })), findings: [] };
}

const old = (marker: object, permissions?: []) =>
  armed(1, { name, age: 30 * DAY, marker, ...(permissions && { permissions }) });
const nothing = planOf('reap');
const does = (kind: string, reason: string, counted = 0) => ({
  ...planOf('reap', { limits: within(counted) }),
  actions: [{ kind, reason, secret: name, tokenId: id(1) }],
});

test('keeps the tokens of a removed entry unless the policy says to retire them', () => {
  expect(planned([old({})], {}, 'report')).toEqual(nothing);
  expect(planned([], {}, 'report')).toEqual(nothing);
});

test('retires a removed token by the defaults, its AWSCURRENT notwithstanding', () => {
  expect(planned([old({})])).toEqual(does('supersede', 'Removed'));
  expect(planned([old({ superseded: NOW - DAY + SECOND })])).toEqual(nothing);
  expect(planned([old({ superseded: NOW - DAY })])).toEqual(does('fence', 'GraceOver'));
});

test.each(['AWSCURRENT', 'AWSPREVIOUS'])(
  'retires a removed token though nobody knows what %s has: nobody is to have anything of it',
  (label) => {
    const secrets = [secretOf({ ...labels, [label]: id(70) }, { name })];
    const observation = observationOf({ secrets, tokens: [old({})] });
    const { actions } = planReaping(policyOf({ onRemoval: 'retire' }), observation);
    expect(actions).toEqual(does('supersede', 'Removed').actions);
  },
);

test('counts what a removal takes away without a successor', () => {
  const fenced = { superseded: NOW - 9 * DAY, fenced: NOW - DAY };
  expect(planned([old(fenced)])).toEqual(does('quarantine', 'FenceOver', 1));
  const quarantined = { ...fenced, quarantined: NOW - 7 * DAY };
  expect(planned([old(quarantined, [])])).toEqual(does('delete', 'QuarantineOver', 1));
});

test('deletes a removed secret when nothing that it held is alive', () => {
  const deletion = { kind: 'delete-secret' as const, secret: name, reason: 'Removed' as const };
  expect(planned([])).toEqual(planOf('reap', { actions: [deletion] }));
  expect(planned([{ ...old({}), revokedAt: NOW - HOUR }])).toEqual(
    planOf('reap', { actions: [deletion] }),
  );
});

test('does not delete a secret that is deleted, on hold, a replica, or holds what is not ours', () => {
  expect(planned([], { deletedAt: NOW - DAY })).toEqual(nothing);
  expect(planned([], { replica: true })).toEqual(nothing);
  const tags = { ...secretOf().tags, [HOLD_TAG]: 'frozen' };
  expect(planned([], { tags })).toEqual(nothing);
  expect(planned([foreign(1)])).toEqual(nothing);
});

test.each(['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'])(
  'keeps a removed secret whose %s is not known to be dead, and says what a person does',
  (label) => {
    const secrets = [secretOf({ ...labels, [label]: id(70) }, { name })];
    const plan = planReaping(policyOf({ onRemoval: 'retire' }), observationOf({ secrets }));
    expect(plan.actions).toEqual([]);
    expect(plan.findings).toContainEqual({
      kind: 'SecretKept',
      secret: name,
      message: expect.stringContaining(`what ${label} has may work; once no consumer reads it`),
    });
  },
);

test('leaves alone a removed token that a person stripped', () => {
  expect(planned([old({}, [])])).toEqual(nothing);
});

test('reports a removed secret with a name of its own, which no role may touch any longer', () => {
  const named = 'monitoring/removed';
  const secrets = [secretOf(labels, { name: named })];
  const tokens = [armed(1, { name: named, age: 30 * DAY })];
  const plan = (onRemoval: string) =>
    planReaping(policyOf({ onRemoval }), observationOf({ secrets, tokens }));
  expect(plan('retire').actions).toEqual([]);
  expect(plan('retire').findings).toContainEqual({
    kind: 'OutOfReach',
    secret: named,
    message: expect.stringContaining('neither in the policy nor under keyturn/prod/'),
  });
  expect(plan('report').findings.map(({ kind }) => kind)).not.toContain('OutOfReach');
});
