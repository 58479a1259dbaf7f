import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { planReaping } from '../../../../functions/reaping/plan/plan-reaping.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import type { Marker } from '../../../../functions/tokens/marker.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  type Labels,
  NOW,
  observationOf,
  planOf,
  policyOf,
  SECOND,
  secretOf,
  TELEGRAF,
  version,
  type World,
  within,
} from '../../builders.ts';

const plan = (world: World, policy: Policy = policyOf()) =>
  planReaping(policy, observationOf({ databases: ['telemetry'], ...world }));

/** Without the inventory, which has its own tests. */
const planned = (world: World, policy?: Policy) => ({ ...plan(world, policy), findings: [] });

const current = armed(1, { age: 10 * DAY });
const secrets = [secretOf({ AWSCURRENT: 1 })];
/** Token 2 stands beside the current token 1; nobody has saved the secret by hand. */
const beside = (token: ReturnType<typeof armed>, labels: Labels = {}, policy?: Policy) =>
  planned(
    {
      secrets: [secretOf({ AWSCURRENT: 1, ...labels })],
      tokens: [current, token],
      versionTimes: {},
    },
    policy,
  );

type Step = Pick<ReturnType<typeof plan>['actions'][number], 'kind' | 'reason'>;
const does = (kind: Step['kind'], reason: Step['reason'], counted = 0) => ({
  ...planOf('reap', { limits: within(counted) }),
  actions: [{ kind, reason, secret: TELEGRAF, tokenId: id(2) }],
});
/** As well: AWSPREVIOUS leaves a version whose token does not work. */
const detaching = (plan: ReturnType<typeof does>, version: string) => ({
  ...plan,
  actions: [
    ...plan.actions,
    { kind: 'detach-previous', reason: 'PreviousDead', secret: TELEGRAF, version },
  ],
});
const nothing = planOf('reap');

test('has nothing to do for a current token and a pending one', () => {
  expect(planned({ secrets, tokens: [current] })).toEqual(nothing);
  expect(beside(armed(2, { age: 5 * DAY, waits: true }), { AWSPENDING: 2 })).toEqual(nothing);
  expect(beside(inert(2, { age: 5 * DAY }), { AWSPENDING: 2 })).toEqual(nothing);
});

test('marks what nobody marked once it is an hour old', () => {
  expect(beside(armed(2, { age: HOUR - SECOND }))).toEqual(nothing);
  expect(beside(armed(2, { age: HOUR }))).toEqual(does('supersede', 'Replaced'));
  expect(beside(inert(2, { age: HOUR }))).toEqual(does('supersede', 'Replaced'));
  expect(beside(armed(2, { age: HOUR }), { AWSPREVIOUS: 2 })).toEqual(
    does('supersede', 'Replaced'),
  );
});

test('marks nothing that was promoted within the hour: what says that it was replaced may be older', () => {
  const promoted = (ago: number) =>
    beside(armed(2, { age: 5 * DAY, marker: { promoted: NOW - ago } }));
  expect(promoted(HOUR - SECOND)).toEqual(nothing);
  expect(promoted(HOUR)).toEqual(does('supersede', 'Replaced'));
});

test('marks nothing in a secret that was changed within the hour: what rotate wrote behind that may not be shown yet', () => {
  const changed = (ago: number) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: 1 }, { changedAt: NOW - ago })],
      tokens: [current, armed(2, { age: 5 * DAY })],
      versionTimes: {},
    });
  expect(changed(HOUR - SECOND)).toEqual(nothing);
  expect(changed(HOUR)).toEqual(does('supersede', 'Replaced'));
});

test('deletes an orphan an hour after it was marked', () => {
  const orphan = (superseded: number) => inert(2, { age: 2 * DAY, marker: { superseded } });
  expect(beside(orphan(NOW - HOUR + SECOND))).toEqual(nothing);
  expect(beside(orphan(NOW - HOUR))).toEqual(does('delete', 'Orphan'));
});

test('of the inert tokens that were minted for the version under AWSPENDING, keeps the youngest', () => {
  const minted = (n: number, age: number) =>
    inert(n, { age, marker: { minted: id(70), fp: String(n).padStart(16, '0') } });
  const orphans = (...tokens: ReturnType<typeof inert>[]) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: id(70) })],
      tokens: [current, ...tokens],
    }).actions.map((action) => ('tokenId' in action ? [action.kind, action.tokenId] : []));
  expect(orphans(minted(2, 2 * HOUR))).toEqual([]);
  expect(orphans(minted(2, 4 * HOUR), minted(3, 2 * HOUR), minted(4, 3 * HOUR))).toEqual([
    ['supersede', id(2)],
    ['supersede', id(4)],
  ]);
});

const retired = (marker: Partial<Marker>, permissions?: []) =>
  armed(2, { age: 60 * DAY, marker, ...(permissions && { permissions }) });

test('fences a superseded token when its grace period is over', () => {
  expect(beside(retired({ superseded: NOW - DAY + SECOND }))).toEqual(nothing);
  expect(beside(retired({ superseded: NOW - DAY }))).toEqual(does('fence', 'GraceOver'));
  expect(beside(retired({ superseded: NOW - DAY }), { AWSPREVIOUS: 2 })).toEqual(
    does('fence', 'GraceOver'),
  );
});

test('gives a superseded token the grace that was promised, or that of today if it is longer', () => {
  const promised = (hours: number, ago: number, policy?: Policy) =>
    beside(retired({ superseded: NOW - ago, grace: hours * 3_600 }), {}, policy);
  expect(promised(48, 2 * DAY - SECOND)).toEqual(nothing);
  expect(promised(48, 2 * DAY)).toEqual(does('fence', 'GraceOver'));
  expect(promised(1, DAY - SECOND)).toEqual(nothing);
  expect(promised(1, DAY)).toEqual(does('fence', 'GraceOver'));
  const longer = policyOf({}, { gracePeriod: '3d' });
  expect(promised(48, 3 * DAY - SECOND, longer)).toEqual(nothing);
  expect(promised(48, 3 * DAY, longer)).toEqual(does('fence', 'GraceOver'));
  const fenced = (ago: number) =>
    beside(retired({ superseded: NOW - 9 * DAY, fenced: NOW - ago, grace: 48 * 3_600 }));
  expect(fenced(2 * DAY - SECOND)).toEqual(nothing);
  expect(fenced(2 * DAY)).toEqual(does('quarantine', 'FenceOver'));
});

test('fences anew what is AWSPREVIOUS again: somebody rolled back to it and away', () => {
  const fenced = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY });
  expect(beside(fenced, { AWSPREVIOUS: 2 })).toEqual(does('fence', 'PreviousAgain'));
  const saved = retired({ superseded: NOW - 9 * DAY, fenced: NOW, version: [id(70)] });
  expect(beside(saved, { AWSPREVIOUS: id(70) })).toEqual(does('fence', 'PreviousAgain'));
});

test.each([
  ['inert', inert(1, { age: 10 * DAY })],
  ['stripped by a person', armed(1, { age: 10 * DAY, permissions: [] })],
  ['expired', armed(1, { age: 90 * DAY })],
  ['foreign', foreign(1)],
  ['revoked', { ...current, revokedAt: NOW - HOUR }],
])('keeps a fenced token while the current one is %s', (_, other) => {
  const token = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY });
  expect(planned({ secrets, tokens: [other, token], versionTimes: {} })).toEqual(nothing);
});

test.each([
  ['inert', inert(1, { age: 10 * DAY })],
  ['foreign', foreign(1)],
  ['gone', { ...current, revokedAt: NOW - HOUR }],
  ['adopted and not proven', armed(1, { age: 10 * DAY, marker: { adopted: NOW - DAY } })],
])('marks nothing as replaced by a current token that is %s', (_, other) => {
  expect(planned({ secrets, tokens: [other, armed(2, { age: 5 * DAY })] })).toEqual(nothing);
});

test('takes for the successor only what the version or its marker names', () => {
  const world = (marker: Partial<Marker>) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: id(70) })],
      tokens: [armed(1, { age: 10 * DAY, marker }), armed(2, { age: 5 * DAY })],
      strings: { [id(70)]: 1 },
    });
  expect(world({})).toEqual(nothing);
  expect(world({ version: [id(70)] })).toEqual(does('supersede', 'Replaced'));
});

describe('a secret that a person saved within the grace period', () => {
  const fenced = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY });
  const saved = (versionTimes?: World['versionTimes'], token = fenced, labels: Labels = {}) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: 1, ...labels })],
      tokens: [current, token],
      ...(versionTimes && { versionTimes }),
    });
  const quarantined = does('quarantine', 'FenceOver');

  test('keeps its fenced tokens: any of them may have been handed out', () => {
    expect(saved({ [id(70)]: NOW - DAY + SECOND })).toEqual(nothing);
    expect(saved({ [id(70)]: NOW - DAY })).toEqual(quarantined);
    expect(saved({ 'terraform-20260302120000000000000001': NOW - HOUR })).toEqual(nothing);
  });

  test('keeps them for the grace that was promised', () => {
    const promised = { superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY, grace: 48 * 3_600 };
    expect(saved({ [id(70)]: NOW - 2 * DAY + SECOND }, retired(promised))).toEqual(nothing);
    expect(saved({ [id(70)]: NOW - 2 * DAY }, retired(promised))).toEqual(quarantined);
  });

  test('is not one that Keyturn, or Secrets Manager’s own rotation, wrote', () => {
    const minted = retired({ superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY, minted: id(71) });
    expect(saved({ [version(1)]: NOW, [version(99)]: NOW })).toEqual(quarantined);
    expect(saved({ [id(1)]: NOW, [id(2)]: NOW })).toEqual(quarantined);
    expect(saved({ [id(71)]: NOW }, minted)).toEqual(quarantined);
    // Keyturn 0.1 put it for a token that has been revoked.
    const revoked = { ...armed(3), revokedAt: NOW };
    const gone = planned({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: id(3) })],
      tokens: [current, fenced, revoked],
      versionTimes: { [id(3)]: NOW },
    });
    expect(gone).toMatchObject({
      actions: [{ kind: 'detach-previous', version: id(3) }, ...quarantined.actions],
    });
    expect(gone.actions).toHaveLength(2);
    expect(saved({ [id(71)]: NOW })).toEqual(nothing);
    // What a marker says was recognised was put by a person.
    const recognised = { superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY, version: [id(72)] };
    expect(saved({ [id(72)]: NOW }, retired(recognised))).toEqual(nothing);
  });

  test('is every one of which nobody asked when its versions were made', () => {
    expect(saved()).toEqual(nothing);
  });
});

describe('no clock runs while nobody knows', () => {
  const since = (days: number) => NOW - days * DAY;
  const labels: readonly Labels[] = [{ AWSCURRENT: id(70) }, { AWSPREVIOUS: id(70) }];
  test.each([
    ['a token without a mark', retired({})],
    ['a superseded one', retired({ superseded: since(9) })],
    ['a fenced one', retired({ superseded: since(9), fenced: since(8) })],
    [
      'a quarantined one',
      retired({ superseded: since(30), fenced: since(29), quarantined: since(28) }, []),
    ],
  ])('which token AWSCURRENT or AWSPREVIOUS has: %s is kept', (_, token) => {
    for (const unknown of labels) expect(beside(token, unknown).actions).toEqual([]);
    expect(beside(token).actions).toHaveLength(1);
  });

  test('and yet orphans and expired tokens go', () => {
    const marker = { superseded: NOW - HOUR };
    for (const unknown of labels) {
      expect(beside(inert(2, { age: 2 * DAY, marker }), unknown)).toEqual(does('delete', 'Orphan'));
      const expired = beside(armed(2, { age: 90 * DAY }), unknown).actions;
      expect(expired).toEqual(does('delete', 'Expired').actions);
    }
  });

  test('and while the cluster does not show the token of AWSCURRENT or AWSPREVIOUS yet', () => {
    const superseded = retired({ superseded: since(9) });
    const steps = (labels: Labels) => {
      const world = { secrets: [secretOf(labels)], strings: { [version(3)]: 'unshown' as const } };
      return planned({ ...world, tokens: [current, superseded], versionTimes: {} }).actions;
    };
    expect(steps({ AWSCURRENT: 3, AWSPREVIOUS: 2 })).toEqual([]);
    expect(steps({ AWSCURRENT: 1, AWSPREVIOUS: 3 })).toEqual([]);
  });

  test('but an unknown AWSPENDING stops nothing', () => {
    const superseded = retired({ superseded: NOW - DAY });
    expect(beside(superseded, { AWSPENDING: id(70) })).toEqual(does('fence', 'GraceOver'));
  });
});

describe('AWSPREVIOUS whose string nobody knows', () => {
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: id(70) };
  const detached = {
    kind: 'detach-previous',
    secret: TELEGRAF,
    version: id(70),
    reason: 'UnknownVersion',
  };
  const steps = (madeAt: number, more: Partial<World> = {}) =>
    planned({
      secrets: [secretOf(labels)],
      tokens: [current],
      versionTimes: { [version(1)]: madeAt },
      ...more,
    }).actions;

  test('is taken off when its successor is two grace periods old', () => {
    expect(steps(NOW - 2 * DAY + SECOND)).toEqual([]);
    expect(steps(NOW - 2 * DAY)).toEqual([detached]);
    const shared = { strings: { [id(70)]: 'empty' } } as const;
    expect(steps(NOW - 2 * DAY, shared)).toEqual([detached]);
  });

  test('stays while AWSCURRENT is not proven', () => {
    const old = NOW - 9 * DAY;
    expect(steps(old, { tokens: [] })).toEqual([]);
    expect(steps(old, { tokens: [foreign(1)] })).toEqual([]);
    expect(steps(old, { tokens: [armed(1, { permissions: [] })] })).toEqual([]);
    const unknown = { secrets: [secretOf({ ...labels, AWSCURRENT: id(71) })] };
    expect(steps(old, { ...unknown, versionTimes: { [id(71)]: old } })).toEqual([]);
  });

  test('stays where its string is known, and where nothing may be changed', () => {
    const old = NOW - 9 * DAY;
    const known = { secrets: [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 })] };
    const tokens = [current, retired({ superseded: NOW - HOUR })];
    expect(steps(old, { ...known, tokens })).toEqual([]);
    for (const more of [{ deletedAt: NOW }, { replica: true }, { tags: { [HOLD_TAG]: 'x' } }]) {
      const kinds = steps(old, { secrets: [secretOf(labels, more)] }).map(({ kind }) => kind);
      expect(kinds).not.toContain('detach-previous');
    }
    expect(steps(old, { versionTimes: {}, secrets: [secretOf(labels)] })).toEqual([]);
  });
});

describe('AWSPREVIOUS with a token that does not work', () => {
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: 2 };
  const isDetached = (more: Partial<World>, secret = secretOf(labels)) =>
    planned({ secrets: [secret], tokens: [current, ...(more.tokens ?? [])] }).actions.some(
      ({ kind, reason }) => kind === 'detach-previous' && reason === 'PreviousDead',
    );
  const quarantined = { superseded: NOW - 9 * DAY, quarantined: NOW - DAY };
  const superseded = { superseded: NOW - HOUR };
  const dead: Readonly<Record<string, World['tokens'] & {}>> = {
    quarantined: [retired(quarantined, [])],
    'stripped by a person': [retired(superseded, [])],
    frozen: [retired({ ...superseded, frozen: NOW }, [])],
    'never armed': [inert(2)],
    expired: [{ ...retired(superseded), expiresAt: NOW }],
    'foreign and stripped': [{ ...foreign(2), permissions: [] }],
    'foreign and expired': [{ ...foreign(2), expiresAt: NOW }],
    gone: [],
  };

  test.each(Object.entries(dead))('loses the label: %s', (_what, tokens) => {
    expect(isDetached({ tokens })).toBe(true);
    // Consumers may have it: it was replaced within the grace period.
    const recent = secretOf(labels, { changedAt: NOW - DAY + SECOND });
    expect(isDetached({ tokens }, recent)).toBe(false);
    for (const more of [{ deletedAt: NOW }, { replica: true }, { tags: { [HOLD_TAG]: 'x' } }]) {
      expect(isDetached({ tokens }, secretOf(labels, more))).toBe(false);
    }
    // A placeholder may have been written over it, and takes its shape.
    expect(isDetached({ tokens }, secretOf({ AWSCURRENT: id(71), AWSPREVIOUS: 2 }))).toBe(false);
  });

  test('is none where it works, or where AWSCURRENT has the same token', () => {
    expect(isDetached({ tokens: [retired(superseded)] })).toBe(false);
    expect(isDetached({ tokens: [retired(quarantined)] })).toBe(false);
    expect(isDetached({ tokens: [foreign(2)] })).toBe(false);
    const same = { ...quarantined, version: [id(70)] };
    const both = secretOf({ AWSCURRENT: id(70), AWSPREVIOUS: 2 });
    expect(isDetached({ tokens: [retired(same, [])] }, both)).toBe(false);
    expect(isDetached({ tokens: [] }, secretOf({ AWSCURRENT: 2, AWSPREVIOUS: 2 }))).toBe(false);
  });
});

test('keeps a token whose string another secret of ours has', () => {
  const shared = '5dc774c0';
  for (const marker of [
    { shared },
    { shared, superseded: NOW - 9 * DAY },
    { shared, superseded: NOW - 9 * DAY, fenced: NOW - 8 * DAY },
  ]) {
    expect(beside(retired(marker))).toEqual(nothing);
  }
});

test('neither fences nor deletes an adopted token that was not seen to be the one in the secret', () => {
  const adopted = { adopted: NOW - 50 * DAY };
  const superseded = { ...adopted, superseded: NOW - 9 * DAY };
  expect(beside(retired(superseded))).toEqual(nothing);
  expect(beside(armed(2, { age: 90 * DAY, marker: adopted }))).toEqual(
    does('supersede', 'Replaced'),
  );
  expect(beside(retired({ ...superseded, proven: NOW - 49 * DAY }))).toEqual(
    does('fence', 'GraceOver'),
  );
});

test('keeps an inert token for which Secrets Manager’s own rotation waits', () => {
  const waits = (marker: Partial<Marker>, labels: Labels = { AWSPENDING: id(70) }) =>
    beside(inert(2, { age: 2 * HOUR, marker }), labels);
  expect(waits({ minted: id(70) })).toEqual(nothing);
  expect(waits({ version: [id(70)] })).toEqual(nothing);
  expect(waits({ minted: id(71) })).toEqual(does('supersede', 'Replaced'));
  expect(waits({ minted: id(70) }, {})).toEqual(does('supersede', 'Replaced'));
});

test('deletes a quarantined token when its quarantine is over', () => {
  const quarantined = (since: number) =>
    retired({ superseded: NOW - 20 * DAY, fenced: NOW - 19 * DAY, quarantined: since }, []);
  expect(beside(quarantined(NOW - 7 * DAY + SECOND))).toEqual(nothing);
  expect(beside(quarantined(NOW - 7 * DAY))).toEqual(does('delete', 'QuarantineOver'));
});

test('deletes an expired token that is not the current one, whatever else it is', () => {
  const expiring = (expiresAt: number) => armed(2, { age: 30 * DAY, expiresAt, waits: true });
  expect(beside(expiring(NOW + SECOND), { AWSPENDING: 2 })).toEqual(nothing);
  expect(beside(expiring(NOW), { AWSPENDING: 2 })).toEqual(does('delete', 'Expired'));
  expect(beside(expiring(NOW), { AWSPREVIOUS: 2 })).toEqual(
    detaching(does('delete', 'Expired'), version(2)),
  );
  expect(planned({ secrets, tokens: [armed(1, { age: 90 * DAY })] })).toEqual(nothing);
});

test('never touches a current token, whatever its marker says', () => {
  const markers = [
    { superseded: NOW - 99 * DAY },
    { superseded: NOW - 99 * DAY, fenced: NOW - 98 * DAY },
    { superseded: NOW - 99 * DAY, fenced: NOW - 98 * DAY, quarantined: NOW - 97 * DAY },
  ];
  for (const marker of markers) {
    for (const permissions of [[], undefined]) {
      const token = armed(1, { age: 60 * DAY, marker, ...(permissions && { permissions }) });
      expect(planned({ secrets, tokens: [token] })).toEqual(nothing);
    }
  }
});

test('strips or deletes all tokens of a secret on hold, however young', () => {
  const held = (hold: string, tokens: World['tokens']) =>
    planned({
      secrets: [secretOf({ AWSCURRENT: 1 }, { tags: { [HOLD_TAG]: hold } })],
      tokens: tokens ?? [],
    });
  const young = armed(2, { age: SECOND });
  const stripped = armed(1, { permissions: [], marker: { frozen: NOW, was: [] } });
  expect(held('frozen', [stripped, young])).toEqual(does('strip', 'HoldFrozen'));
  expect(held('deleted', [young])).toEqual(does('delete', 'HoldDeleted'));
  expect(held('deleted', [inert(2)])).toEqual(does('delete', 'HoldDeleted'));
});

test('reports expired tokens of others, and deletes them and strays where the policy says so', () => {
  const tokens = [
    foreign(3, { expiresAt: NOW }),
    foreign(4, { expiresAt: NOW + SECOND }),
    foreign(5, { expiresAt: NOW - DAY, description: 'x [keyturn:1 owner=other secret=s home=h]' }),
    inert(6, { name: 'keyturn/prod/elsewhere', expiresAt: NOW - DAY }),
  ];
  expect(planned({ tokens })).toEqual(nothing);
  expect(planned({ tokens }, policyOf({ expiredForeignTokens: 'delete' }))).toEqual(
    planOf('reap', {
      limits: within(2),
      actions: [3, 6].map((n) => ({
        kind: 'delete-foreign',
        tokenId: id(n),
        reason: 'ForeignExpired',
      })),
    }),
  );
});

test('gives the same plan, findings and hash, for the same world in another order', () => {
  const names = ['a', 'b', 'c'].map((name) => `keyturn/prod/${name}`);
  const world = {
    secrets: names.map((name, index) => secretOf({ AWSCURRENT: index }, { name })),
    tokens: [
      ...names.flatMap((name, n) => [armed(n, { name }), armed(n + 10, { name, age: 3 * DAY })]),
      ...Array.from({ length: 8 }, (_, n) => foreign(n + 20, { expiresAt: NOW - DAY })),
    ],
  };
  const backwards = {
    secrets: world.secrets.toReversed(),
    tokens: world.tokens.toReversed(),
  };
  const policy = policyOf({ expiredForeignTokens: 'delete' });
  expect(plan(backwards, policy)).toEqual(plan(world, policy));
});

test('leaves the tokens of a secret that is scheduled for deletion, unless they expired', () => {
  const deleted = [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, { deletedAt: NOW - DAY })];
  const world = (token: ReturnType<typeof armed>) =>
    planned({ secrets: deleted, tokens: [current, token] });
  expect(world(retired({ superseded: NOW - 9 * DAY }))).toEqual(nothing);
  expect(world(armed(2, { age: 60 * DAY, expiresAt: NOW }))).toEqual(does('delete', 'Expired'));
});
