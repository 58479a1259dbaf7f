import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import {
  armed,
  foreign,
  id,
  LEARNT,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  type World,
} from '../../builders.ts';

const plan = (world: World, policy: Policy, request: object = {}, learnt = LEARNT) =>
  planRotation(policy, observationOf(world), { force: false, ...request }, learnt);

describe('an adoption', () => {
  const name = 'legacy/telegraf';
  const adopting = policyOf({}, { secret: name, adopt: { tokenId: id(7) } });
  const all = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  const tagged = (version: string | number) => [secretOf({ AWSCURRENT: version }, { name })];
  const adopts = { kind: 'adopt', tokenId: id(7), reason: 'Adopted' };
  const kinds = ({ findings }: ReturnType<typeof plan>) => findings.map(({ kind }) => kind);

  test.each([
    ['no token has the id', {}, 'no token has the id'],
    [
      'the token is another secret’s',
      { secrets: [secretOf({ AWSCURRENT: 7 })], tokens: [armed(7)] },
      'belongs to the secret keyturn/prod/telegraf',
    ],
    ['the token has expired', { tokens: [foreign(7, { expiresAt: NOW })] }, 'has expired'],
    [
      'the token has no permissions',
      { tokens: [foreign(7, { permissions: [] })] },
      'no permissions',
    ],
    ['nothing could prove it', { tokens: [foreign(7, { permissions: all })] }, '--confirm'],
    [
      'the token has another marker',
      { tokens: [foreign(7, { description: 'x [keyturn:1 owner=dev secret=a home=00000000]' })] },
      'the marker of another secret or deployment',
    ],
  ] as const)('is a finding and no action where %s', (_what, world, message) => {
    const { actions, findings } = plan(world, adopting);
    expect(actions).toEqual([]);
    expect(findings).toMatchObject([
      {
        kind: 'CannotAdopt',
        token: 'telegraf',
        secret: name,
        message: expect.stringContaining(message),
      },
    ]);
  });

  test('of a token that may do everything is planned once a person confirms it', () => {
    const world = { tokens: [foreign(7, { permissions: all })] };
    const { actions, findings } = plan(world, adopting, { confirmAdoption: 'ada' });
    expect(actions).toMatchObject([{ ...adopts, confirmedBy: 'ada' }]);
    expect(findings).toEqual([]);
  });

  test('comes before a rotation where the secret is tagged as ours and nobody knows its string', () => {
    const world = { secrets: tagged(id(70)), tokens: [foreign(7)] };
    expect(plan(world, adopting).actions).toMatchObject([adopts]);
    expect(plan(world, adopting, { force: true, tokens: ['telegraf'] }).actions).toMatchObject([
      { kind: 'rotate', reason: 'Forced' },
    ]);
  });

  test('takes back a token whose marker a person removed', () => {
    const world = { secrets: tagged(7), tokens: [foreign(7)] };
    expect(plan(world, adopting).actions).toMatchObject([adopts]);
    const other = policyOf({}, { secret: name, adopt: { tokenId: id(8) } });
    const { actions } = plan({ ...world, tokens: [foreign(7), foreign(8)] }, other);
    expect(actions.map(({ kind }) => kind)).not.toContain('adopt');
  });

  test('does not come back where its token was taken over long ago and a person put another string', () => {
    const world = { secrets: tagged(id(70)), tokens: [] };
    expect(plan(world, adopting).actions).toEqual([]);
    expect(kinds(plan(world, adopting))).toEqual(['UnknownVersion']);
  });

  test.each([
    [
      'is adopted',
      { secrets: tagged(7), tokens: [armed(7, { name })] },
      adopting,
      'AlreadyAdopted',
    ],
    ['has no adopt', {}, policyOf({}, { secret: name }), 'CannotAdopt'],
    ['has no version', { secrets: [secretOf({}, { name })] }, adopting, 'CannotAdopt'],
    ['has a string that is gone', { secrets: tagged(7) }, adopting, 'CannotAdopt'],
    ['has the id of nobody', { secrets: tagged(id(70)) }, adopting, 'CannotAdopt'],
    ['has another token', { secrets: tagged(8), tokens: [foreign(8)] }, adopting, 'CannotAdopt'],
    [
      'is on hold',
      {
        secrets: [secretOf({ AWSCURRENT: 7 }, { name, tags: { 'keyturn:hold': 'frozen' } })],
        tokens: [armed(7, { name })],
      },
      adopting,
      'CannotAdopt',
    ],
    [
      'is on hold and has no adopt',
      {
        secrets: [secretOf({ AWSCURRENT: 7 }, { name, tags: { 'keyturn:hold': 'frozen' } })],
        tokens: [armed(7, { name })],
      },
      policyOf({}, { secret: name }),
      'CannotAdopt',
    ],
  ] as const)(
    'that a person confirms of an entry that %s is answered: %s',
    (_what, world, policy, kind) => {
      const planned = plan(world as World, policy, { confirmAdoption: 'ada' });
      expect(planned.actions).toEqual([]);
      expect(kinds(planned)).toEqual([kind]);
    },
  );

  test('that a person confirms of a secret that lost its owner’s tag is answered with what puts it back', () => {
    const rotated = { ...LEARNT, rotatedBefore: new Set([name]) };
    for (const policy of [adopting, policyOf({}, { secret: name })]) {
      const { actions, findings } = plan({}, policy, { confirmAdoption: 'ada' }, rotated);
      expect(actions).toEqual([]);
      expect(findings).toMatchObject([
        { kind: 'CannotAdopt', message: expect.stringContaining('keyturn rotate telegraf') },
      ]);
    }
  });
});
