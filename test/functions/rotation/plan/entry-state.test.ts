import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../functions/policy/policy.ts';
import { entryStates, type Unadopted } from '../../../../functions/rotation/plan/entry-state.ts';
import { measureTokens } from '../../../../functions/rotation/plan/measure-tokens.ts';
import { isByOrder, planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { HOLD_TAG } from '../../../../functions/secrets-manager/hold.ts';
import {
  CLUSTER_TAG,
  MOVED_TAG,
  OWNER_TAG,
  type Secret,
} from '../../../../functions/secrets-manager/secret.ts';
import { formatInstant } from '../../../../functions/time.ts';
import { grantsHash } from '../../../../functions/tokens/marker.ts';
import { versionIdOf } from '../../../../functions/tokens/version-id.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  type Labels,
  LEARNT,
  MINUTE,
  NOW,
  OWNER,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
  type World,
} from '../../builders.ts';

interface Run {
  readonly policy?: Policy;
  /** Secrets that got a token that works in this run. */
  readonly mended?: readonly string[];
  /** Secrets whose AWSCURRENT got its permissions in this run, and was not seen accepted. */
  readonly unseen?: readonly string[];
  /** By the secret's name: tokens that this run armed, and when. */
  readonly armedNow?: Readonly<
    Record<string, { readonly tokenId: string; readonly at: number; readonly forced?: boolean }>
  >;
  /** By the secret's name. */
  readonly unadopted?: Readonly<Record<string, Unadopted>>;
  /** By the secret's name: since when what is to be adopted is on hold. */
  readonly heldUnadopted?: Readonly<Record<string, number>>;
  readonly thirdMs?: number;
  /** Secrets whose AWSCURRENT the data plane refused in this run. */
  readonly refused?: readonly string[];
}

function statesAfter(world: World, run: Run = {}) {
  const {
    policy = policyOf(),
    mended = [],
    unseen = [],
    armedNow = {},
    unadopted = {},
    heldUnadopted = {},
    thirdMs = 3 * HOUR,
    refused = [],
  } = run;
  const waiting = Object.entries(armedNow).map(
    ([name, each]) => [name, { forced: false, ...each }] as const,
  );
  const changes = {
    mended: new Map(mended.map((name) => [name, { token: armed(9), since: NOW }])),
    unseen: new Set(unseen),
    armed: new Map(waiting),
    unadopted: new Map(Object.entries(unadopted)),
    held: new Map(Object.entries(heldUnadopted)),
  };
  return entryStates(policy, observationOf(world), changes, { thirdMs, refused: new Set(refused) });
}

function measure(world: World, policy: Policy = policyOf(), run: Run = {}) {
  const states = statesAfter(world, { policy, ...run });
  return measureTokens(policy, observationOf(world), states);
}

function stateAfter(world: World, run?: Run) {
  const [state, ...more] = statesAfter(world, run);
  if (!state || more.length > 0) throw new Error('the policy has one entry');
  return state;
}

const SAVED = id(70);
const writer = { permissions: { write: ['telemetry'] } };
const quiet = {
  overdueTokens: 0,
  unusableTokens: 0,
  deletedSecrets: 0,
  longHolds: 0,
  tokensNearExpiry: 0,
};
const held = (more: Partial<Secret> = {}) =>
  secretOf({ AWSCURRENT: 1 }, { tags: { [HOLD_TAG]: 'frozen' }, ...more });

const current = (options: Parameters<typeof armed>[1] = {}) => ({
  secrets: [secretOf({ AWSCURRENT: 1 })],
  tokens: [armed(1, options)],
});

describe('an entry is', () => {
  const under = (token: ReturnType<typeof armed>, labels: Labels = { AWSCURRENT: 1 }): World => ({
    secrets: [secretOf(labels)],
    tokens: [token],
  });
  const grafana = secretOf({}, { name: 'keyturn/prod/grafana' });
  const pasted = {
    secrets: [secretOf({ AWSCURRENT: SAVED }), grafana],
    tokens: [armed(5, { name: grafana.name })],
    strings: { [SAVED]: 5 },
  };
  const conditions: readonly (readonly [string, World])[] = [
    ['works', under(armed(1))],
    ['works', under(foreign(1, { expiresAt: NOW + 9 * DAY }))],
    // Adoption is not proven yet: nobody armed it, and it is as good as it was.
    ['works', under(inert(1, { permissions: armed(1).permissions, marker: { adopted: NOW } }))],
    ['expiring', under(armed(1, { expiresAt: NOW + DAY }))],
    ['expiring', under(foreign(1))],
    ['expired', under(armed(1, { expiresAt: NOW }))],
    ['expired', under(inert(1, { expiresAt: NOW }))],
    ['unarmed', under(inert(1))],
    ['refused', under(armed(1, { marker: { refused: NOW } }))],
    ['refused', under(armed(1, { expiresAt: NOW + DAY, marker: { refused: NOW } }))],
    ['expired', under(armed(1, { expiresAt: NOW, marker: { refused: NOW } }))],
    ['expired', under(armed(1, { expiresAt: NOW, permissions: [], marker: { quarantined: NOW } }))],
    ['stripped', under(armed(1, { permissions: [], marker: { quarantined: NOW } }))],
    ['stripped', under(armed(1, { permissions: [] }))],
    ['stripped', under(foreign(1, { permissions: [] }))],
    // Its hold was taken away by hand: no order's any more.
    ['stripped', under(armed(1, { permissions: [], marker: { frozen: NOW } }))],
    ['held', { secrets: [held()], tokens: [] }],
    ['gone', { secrets: [secretOf({ AWSCURRENT: 1 })] }],
    ['gone', under({ ...armed(1), revokedAt: NOW })],
    ['unknown', { secrets: [secretOf({ AWSCURRENT: SAVED })] }],
    ['unknown', { secrets: [secretOf({ AWSCURRENT: SAVED })], strings: { [SAVED]: 'empty' } }],
    ['shared', pasted],
    ['missing', {}],
    ['missing', { secrets: [secretOf()] }],
    ['missing', under(armed(2), { AWSPENDING: 2 })],
    ['deleted', { secrets: [held({ deletedAt: NOW })] }],
    ['replica', { secrets: [held({ replica: true })] }],
  ];
  test.each(conditions)('%s', (condition, world) => {
    expect(stateAfter(world).condition).toBe(condition);
    const isUsable = ['works', 'held', 'deleted', 'replica'].includes(condition);
    expect(measure(world).unusableTokens).toBe(isUsable ? 0 : 1);
    expect(measure(world).deletedSecrets).toBe(condition === 'deleted' ? 1 : 0);
  });

  test('stripped where it lacks what it was given, and not where the policy or a person only added', () => {
    const write = ['telemetry', 'quality', 'other'];
    const wider = policyOf(
      { databases: write.map((name) => ({ name })) },
      { permissions: { write } },
    );
    const found = (token: ReturnType<typeof armed>) =>
      stateAfter(under(token), { policy: wider }).condition;
    const writes = (...names: string[]) =>
      names.map((resource) => ({ action: 'write' as const, resource }));
    const grants = grantsHash(writes('telemetry', 'quality'));
    const had = (...permissions: ReturnType<typeof writes>) =>
      found(armed(1, { permissions, marker: { grants } }));
    expect(found(armed(1))).toBe('works');
    expect(had(...writes('quality', 'more', 'telemetry', 'most'))).toBe('works');
    const everything = { action: 'write' as const, resource: '*' };
    const toRead = policyOf(
      { databases: write.map((name) => ({ name })) },
      { permissions: { read: ['telemetry'], write: ['telemetry', 'quality'] } },
    );
    const replaced = armed(1, { permissions: [everything], marker: { grants } });
    expect(stateAfter(under(replaced), { policy: toRead }).condition).toBe('works');
    expect([had(...writes('telemetry')), had(...writes('telemetry', 'other'))]).toEqual([
      'stripped',
      'stripped',
    ]);
    const many = Array.from({ length: 100 }, (_, n) => `added-${n}`);
    expect(had(...writes('telemetry', 'quality', ...many))).toBe('works');
    // Of so many the policy grants none that was given: nobody can tell, and that is told.
    const marker = { grants: grantsHash(writes('former')) };
    expect(found(armed(1, { permissions: writes('former', ...many), marker }))).toBe('stripped');
    // Of what is not ours its own marker tells, whoever is its owner now.
    const { description } = armed(1, { marker: { owner: 'former' } });
    const copied = armed(2, { marker: { owner: 'former' } }).description;
    const ofMarker = (text: string) =>
      found(foreign(1, { description: text, expiresAt: NOW + 9 * DAY }));
    expect([ofMarker(description), ofMarker(copied), ofMarker('hall 1')]).toEqual([
      'works',
      'stripped',
      'stripped',
    ]);
  });

  test.each([
    ['unadopted', 0],
    ['refused', 1],
    ['missing', 1],
  ] as const)('%s while it is to be adopted, as far as a run learnt that', (learnt, unusable) => {
    const run = { unadopted: { [TELEGRAF]: learnt } };
    for (const world of [{}, { secrets: [secretOf({ AWSCURRENT: SAVED })] }]) {
      expect(stateAfter(world, run).condition).toBe(learnt);
      expect(measure(world, policyOf(), run).unusableTokens).toBe(unusable);
    }
    expect(stateAfter(under(armed(1)), run).condition).toBe('works');
  });

  test('expiring for the longer of a day and three runs, or less where a token lives so briefly', () => {
    const left = (ms: number, run?: Run) =>
      stateAfter(under(armed(1, { expiresAt: NOW + ms })), run).condition;
    expect(left(DAY + 1_000)).toBe('works');
    expect(left(DAY)).toBe('expiring');
    expect(left(3 * DAY, { thirdMs: 3 * DAY })).toBe('expiring');
    expect(left(3 * DAY + 1_000, { thirdMs: 3 * DAY })).toBe('works');
    // Always as near to its expiry as a day: half of what it has to spare.
    const daily = { rotateEvery: '12h', renewBefore: '2h', expiresAfter: '1d', gracePeriod: '1h' };
    const policy = policyOf({}, daily);
    expect(left(6 * HOUR + 1_000, { policy })).toBe('works');
    expect(left(6 * HOUR, { policy })).toBe('expiring');
    // However little rotateEvery leaves, renewBefore leaves more; and a window may be waited for.
    const early = policyOf({}, { expiresAfter: '31d' });
    expect(left(DAY, { policy: early })).toBe('expiring');
    const windows = ['Sun 02:00-04:00'];
    const weekly = policyOf(
      {},
      { rotateEvery: '7d', renewBefore: '1d', expiresAfter: '15d', windows, gracePeriod: '1h' },
    );
    expect(left(12 * HOUR + 1_000, { policy: weekly })).toBe('works');
    expect(left(12 * HOUR, { policy: weekly })).toBe('expiring');
    // Consumers who read it now use it for so long.
    const slow = policyOf({}, { gracePeriod: '3d' });
    expect(left(3 * DAY + 1_000, { policy: slow })).toBe('works');
    expect(left(3 * DAY, { policy: slow })).toBe('expiring');
  });

  test('cut short while consumers may have a token that expires within its grace period', () => {
    const replaced = (ago: number, left: number, more: object = {}) => {
      const marker = { superseded: NOW - ago };
      const former = armed(2, { age: DAY, expiresAt: NOW + left, marker, ...more });
      const secrets = [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 })];
      return { secrets, tokens: [armed(1), former] };
    };
    const condition = (...given: Parameters<typeof replaced>) =>
      stateAfter(replaced(...given)).condition;
    expect(condition(HOUR, 23 * HOUR)).toBe('works');
    expect(condition(HOUR, 23 * HOUR - 1_000)).toBe('cut-short');
    expect(measure(replaced(HOUR, HOUR)).unusableTokens).toBe(1);
    // It has expired since, and its grace period is not over; then it is.
    expect(condition(12 * HOUR, -HOUR)).toBe('cut-short');
    expect(condition(DAY, -HOUR)).toBe('works');
    // Somebody took its permissions; or `reap` did, or an order.
    const stripped = (ago: number, marker: object = {}) =>
      condition(ago, 2 * DAY, { permissions: [], marker: { superseded: NOW - ago, ...marker } });
    expect([stripped(HOUR), stripped(DAY)]).toEqual(['cut-short', 'works']);
    for (const why of ['fenced', 'quarantined', 'frozen'])
      expect(stripped(HOUR, { [why]: NOW })).toBe('works');
    const lostSince = (changedAt: number, ...tokens: ReturnType<typeof armed>[]) => {
      const secrets = [secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 2 }, { changedAt })];
      return stateAfter({ secrets, tokens: [armed(1), ...tokens] }).condition;
    };
    const lost = (...tokens: ReturnType<typeof armed>[]) => lostSince(NOW - HOUR, ...tokens);
    expect([lost(), lost(armed(2, { permissions: [] }))]).toEqual(['cut-short', 'cut-short']);
    const promised = armed(2, { permissions: [], marker: { grace: (7 * DAY) / 1_000 } });
    expect([lostSince(NOW - 2 * DAY), lostSince(NOW - 2 * DAY, promised)]).toEqual([
      'works',
      'cut-short',
    ]);
    // It works, or an order ended it.
    const frozen = armed(2, { permissions: [], marker: { frozen: NOW } });
    expect([lost(armed(2)), lost(frozen)]).toEqual(['works', 'works']);
    // Without a label: through the grace period that was promised, unless it has expired meanwhile.
    const former = (ago: number, more: object = {}, marker: object = {}) => {
      const labels = { AWSCURRENT: 1, AWSPREVIOUS: 3 };
      const secrets = [secretOf(labels, { changedAt: NOW - 30 * DAY })];
      const ended = { superseded: NOW - ago, grace: (7 * DAY) / 1_000, ...marker };
      const taken = armed(2, { permissions: [], marker: ended, ...more });
      return stateAfter({ secrets, tokens: [armed(1), armed(3), taken] }).condition;
    };
    expect([former(2 * DAY), former(7 * DAY)]).toEqual(['cut-short', 'works']);
    expect(former(2 * DAY, { expiresAt: NOW })).toBe('works');
    // A run says so at once of what it replaces itself.
    const ending = (left: number) => current({ age: DAY, expiresAt: NOW + left });
    const found = (left: number) => stateAfter(ending(left), { mended: [TELEGRAF] }).condition;
    expect([found(DAY), found(DAY - 1_000), found(0)]).toEqual(['works', 'cut-short', 'works']);
  });

  test('well after a run that gave it a token that works, whatever it was before', () => {
    for (const world of [{}, under(armed(1, { age: 99 * DAY })), pasted]) {
      expect(stateAfter(world, { mended: [TELEGRAF] })).toEqual({
        token: 'telegraf',
        secret: TELEGRAF,
        condition: 'works',
        tokenId: id(9),
        expiresAt: NOW + 90 * DAY,
        dueAt: NOW + 30 * DAY - 118_625_552,
        late: false,
      });
    }
    const { unusableTokens } = measure({}, policyOf(), { mended: [TELEGRAF] });
    expect(unusableTokens).toBe(0);
  });
});

test('says of an entry which token it has, and until when, and when the next one comes', () => {
  const marker = { armed: NOW - MINUTE };
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
    tokens: [armed(1, { age: 29 * DAY }), armed(2, { marker })],
  };
  expect(stateAfter(world)).toEqual({
    token: 'telegraf',
    secret: TELEGRAF,
    condition: 'works',
    tokenId: id(1),
    expiresAt: NOW + 61 * DAY,
    dueAt: NOW + DAY - 118_625_552,
    late: false,
    pending: { tokenId: id(2), promotedFrom: NOW + 9 * MINUTE },
  });
});

test('says which token a run has armed, instead of what waited before', () => {
  const world = {
    secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
    tokens: [armed(1, { age: DAY }), armed(2)],
  };
  const armedNow = { [TELEGRAF]: { tokenId: id(3), at: NOW + MINUTE } };
  expect(stateAfter(world, { armedNow })).toMatchObject({
    condition: 'works',
    tokenId: id(1),
    pending: { tokenId: id(3), promotedFrom: NOW + 11 * MINUTE },
  });
  expect(stateAfter(world, { armedNow, mended: [TELEGRAF] })).not.toHaveProperty('pending');
});

test('knows of a string that nobody knows when it is due, if its version says so', () => {
  const secrets = [secretOf({ AWSCURRENT: SAVED })];
  expect(stateAfter({ secrets })).not.toHaveProperty('dueAt');
  const versionTimes = { [SAVED]: NOW - 31 * DAY };
  expect(stateAfter({ secrets, versionTimes })).toMatchObject({
    dueAt: NOW - DAY - 118_625_552,
    late: true,
  });
});

describe('a hold', () => {
  test('says since when', () => {
    expect(stateAfter({ secrets: [held({ changedAt: NOW - HOUR })] }).heldSince).toBe(NOW - HOUR);
    const { tokens } = current({ permissions: [], marker: { frozen: NOW - DAY } });
    const secrets = [held({ changedAt: NOW - HOUR })];
    expect(stateAfter({ secrets, tokens }).heldSince).toBe(NOW - DAY);
    expect(stateAfter({ secrets: [secretOf({ AWSCURRENT: 1 })], tokens })).not.toHaveProperty(
      'heldSince',
    );
    expect(stateAfter(current())).not.toHaveProperty('heldSince');
  });

  test('is as old as its tag says, however often the secret is changed since', () => {
    const since = (value: string, more: Parameters<typeof held>[0] = {}) =>
      stateAfter({
        secrets: [held({ changedAt: NOW - HOUR, ...more, tags: { [HOLD_TAG]: value } })],
      }).heldSince;
    const at = formatInstant(NOW - 20 * DAY);
    expect(since(`deleted ${at}: contractor left`)).toBe(NOW - 20 * DAY);
    expect(since(`frozen ${at} by alice: odd writes + ${formatInstant(NOW)} by bob: legal`)).toBe(
      NOW - 20 * DAY,
    );
    // Nobody set it later than the secret was changed, and no such instant exists.
    expect(since(`deleted ${formatInstant(NOW + DAY)}: typo`)).toBe(NOW - HOUR);
    expect(since('deleted 2026-13-41T25:00:00Z: typo')).toBe(NOW - HOUR);
  });

  test('of what is to be adopted is counted alike, and its token expires all the same', () => {
    const adopt = (token: Parameters<typeof foreign>[1], since: number) => {
      const policy = policyOf({}, { adopt: { tokenId: id(1) } });
      const run = {
        policy,
        unadopted: { [TELEGRAF]: 'unadopted' },
        heldUnadopted: { [TELEGRAF]: since },
      } as const;
      const world = { tokens: [foreign(1, token)] };
      const { longHolds, unusableTokens } = measure(world, policy, run);
      return [stateAfter(world, run).condition, longHolds, unusableTokens];
    };
    const far = { expiresAt: NOW + 9 * DAY };
    expect(adopt(far, NOW - DAY)).toEqual(['held', 0, 0]);
    expect(adopt(far, NOW - 8 * DAY)).toEqual(['held', 1, 0]);
    expect(adopt({ expiresAt: NOW + DAY }, NOW - 8 * DAY)).toEqual(['expiring', 1, 1]);
    // It has never had all that the policy grants.
    const permissions = [{ action: 'read' as const, resource: 'telemetry' }];
    expect(adopt({ expiresAt: NOW + DAY, permissions }, NOW)).toEqual(['expiring', 0, 1]);
    expect(adopt({ expiresAt: NOW }, NOW - DAY)).toEqual(['expired', 0, 1]);
  });

  test('is counted when it is older than a week', () => {
    const long = (since: number) =>
      [
        { secrets: [held({ changedAt: since })] },
        { ...current({ permissions: [], marker: { frozen: since } }), secrets: [held()] },
      ].map((world) => measure(world).longHolds);
    expect(long(NOW - 7 * DAY)).toEqual([0, 0]);
    expect(long(NOW - 7 * DAY - 1_000)).toEqual([1, 1]);
  });
});

test('tells the age and the runway of the tokens that consumers use', () => {
  const policy = policyOf({ tokens: { telegraf: writer, grafana: writer } });
  const secrets = [
    secretOf({ AWSCURRENT: 1, AWSPREVIOUS: 3 }),
    secretOf({ AWSCURRENT: 2 }, { name: 'keyturn/prod/grafana' }),
  ];
  const tokens = [
    armed(1, { age: 20 * DAY }),
    armed(2, { age: 5 * DAY, expiresAt: NOW + 30.5 * DAY, name: 'keyturn/prod/grafana' }),
    armed(3, { age: 50 * DAY, expiresAt: NOW + DAY, marker: { superseded: NOW - HOUR } }),
  ];
  expect(measure({ secrets, tokens }, policy)).toEqual({
    ...quiet,
    ownedTokens: 3,
    runwayDays: 30.5,
    oldestTokenDays: 20,
  });
});

test('tells no runway where nothing expires, and no age where there is nothing', () => {
  const { expiresAt, ...token } = armed(1);
  const immortal = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [token] };
  expect(measure(immortal)).not.toHaveProperty('runwayDays');
  expect(measure({})).toEqual({ ...quiet, ownedTokens: 0, unusableTokens: 1 });
});

describe('overdue is', () => {
  const overdue = (world: World, policy?: Policy) => measure(world, policy).overdueTokens;

  test('a day later than rotateEvery', () => {
    expect(overdue(current({ age: 31 * DAY - 1 }))).toBe(0);
    expect(overdue(current({ age: 31 * DAY }))).toBe(1);
  });

  test('a tenth later where rotateEvery is short, and a week more where windows are waited for', () => {
    const daily = policyOf({}, { rotateEvery: '1d', gracePeriod: '1h' });
    // Or three runs and settle, if that is more: one finds that it is due, and a later one promotes.
    expect(overdue(current({ age: 27 * HOUR + 10 * MINUTE - 1 }), daily)).toBe(0);
    expect(overdue(current({ age: 27 * HOUR + 10 * MINUTE }), daily)).toBe(1);
    const weekly = policyOf({}, { windows: ['Mon 09:00-10:00'] });
    expect(overdue(current({ age: 37 * DAY }), weekly)).toBe(0);
    expect(overdue(current({ age: 38 * DAY }), weekly)).toBe(1);
  });

  test('two weeks later where the clock, put forward, skips the window of a week', () => {
    const entry = { windows: ['Sun 02:00-03:00'] };
    const berlin = policyOf({ timeZone: 'Europe/Berlin' }, entry);
    // Due at noon of 22 March: the window of the 29th does not exist, and a day after that of 5 April it is late.
    const at = (text: string) => {
      const now = Date.parse(text);
      const age = 30 * DAY + NOW - Date.parse('2026-03-22T12:00:00Z');
      return overdue({ ...current({ age }), at: now }, berlin);
    };
    expect(at('2026-04-05T23:59:59Z')).toBe(0);
    expect(at('2026-04-06T00:00:00Z')).toBe(1);
  });

  test('counted from the first successor that was armed, not from one in place of it', () => {
    const policy = policyOf({}, { rotateEvery: '7d' });
    const waits = (first: Parameters<typeof armed>[1], labels: Labels = {}) => ({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 3, ...labels })],
      tokens: [
        armed(1, { age: 30 * DAY }),
        armed(2, { waits: true, ...first }),
        armed(3, { age: HOUR, waits: true }),
      ],
    });
    expect(overdue(waits({ age: HOUR }), policy)).toBe(0);
    const long = { age: 17 * HOUR };
    expect(overdue(waits(long), policy)).toBe(1);
    // A person rolled back from it: it was not in vain, also where only the label or only the marker tells.
    expect(overdue(waits(long, { AWSPREVIOUS: 2 }), policy)).toBe(0);
    expect(overdue(waits({ ...long, waits: false }), policy)).toBe(0);
  });

  test('nothing that a person holds, but what another Region should have written', () => {
    const old = { age: 80 * DAY };
    expect(overdue({ secrets: [held()], tokens: [armed(1, old)] })).toBe(0);
    const replica = secretOf({ AWSCURRENT: 1 }, { replica: true });
    expect(overdue({ secrets: [replica], tokens: [armed(1, old)] })).toBe(1);
    const deleted = secretOf({ AWSCURRENT: 1 }, { deletedAt: NOW });
    expect(overdue({ secrets: [deleted], tokens: [armed(1, old)] })).toBe(0);
    const frozen = { permissions: [], marker: { frozen: NOW } } as const;
    expect(overdue({ ...current({ ...old, ...frozen }), secrets: [held()] })).toBe(0);
  });

  test('not told by a run that was to look at other tokens alone', () => {
    const policy = policyOf({ tokens: { telegraf: writer, grafana: writer } });
    const world = current({ age: 80 * DAY });
    const states = statesAfter(world, { policy });
    const found = { states, refused: new Set<string>(), isByOrder: () => false };
    const toldBy = (names?: readonly string[]) =>
      measureTokens(policy, observationOf(world), states, { ...found, names }).overdueTokens;
    expect([toldBy(), toldBy(['telegraf']), toldBy(['grafana'])]).toEqual([1, 1, undefined]);
  });

  test('a token that a person stripped, since nothing replaces it', () => {
    expect(overdue(current({ age: 80 * DAY, permissions: [] }))).toBe(1);
  });

  test('counted from the adoption of what was adopted', () => {
    expect(overdue(current({ age: 300 * DAY, marker: { adopted: NOW - 29 * DAY } }))).toBe(0);
  });
});

describe('near expiry is', () => {
  const near = (world: World, policy?: Policy) => measure(world, policy).tokensNearExpiry;
  const left = (ms: number) => current({ age: DAY, expiresAt: NOW + ms });

  test('half of renewBefore, after which rotation has failed for as long', () => {
    expect(near(left(7 * DAY))).toBe(0);
    expect(near(left(7 * DAY - 1))).toBe(1);
  });

  test('a token whose entry has left the policy, unless it is retired', () => {
    const other = { tokens: { other: writer } };
    expect(near(left(HOUR), policyOf(other))).toBe(1);
    expect(near(left(HOUR), policyOf({ ...other, onRemoval: 'retire' }))).toBe(0);
  });

  test('a current token that lost its marker', () => {
    const world = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [foreign(1, { id: id(1) })] };
    expect(near(world)).toBe(1);
  });
});

describe('a replica that another Region writes', () => {
  const replica = (token?: ReturnType<typeof armed>): World => ({
    secrets: [secretOf({ AWSCURRENT: 1 }, { replica: true })],
    tokens: token ? [token] : [],
  });

  test('is measured like any other secret: unusable, near its expiry, overdue', () => {
    expect(measure(replica(armed(1)))).toMatchObject(quiet);
    expect(measure(replica())).toMatchObject({ unusableTokens: 1 });
    expect(stateAfter(replica()).condition).toBe('gone');
    const old = armed(1, { age: 89.5 * DAY });
    expect(measure(replica(old))).toMatchObject({
      unusableTokens: 1,
      overdueTokens: 1,
      tokensNearExpiry: 1,
    });
  });
});

test('an outage that the run ended is counted in that run and not as a state, a first issue is none', () => {
  const found = (world: World, refused: readonly string[] = [], mended = [TELEGRAF]) => {
    const observation = observationOf(world);
    const { actions } = planRotation(policyOf(), observation, { force: false }, LEARNT);
    const before = {
      states: statesAfter(world, { refused }),
      refused: new Set(refused),
      isByOrder: (secret: string) => isByOrder(secret, actions, observation),
    };
    const states = statesAfter(world, { mended, refused });
    return measureTokens(policyOf(), observation, states, before);
  };
  const placeholder = { secrets: [secretOf({ AWSCURRENT: SAVED })] };
  const tagged = (tags: Secret['tags']) => ({
    secrets: [secretOf({ AWSCURRENT: 1 }, { tags: { [OWNER_TAG]: OWNER, ...tags } })],
  });
  const moved = (madeAt = NOW - DAY, movedAt = NOW - HOUR): World => ({
    ...tagged({ [CLUSTER_TAG]: policyOf().cluster.url, [MOVED_TAG]: formatInstant(movedAt) }),
    versionTimes: { [versionIdOf(id(1))]: madeAt },
  });
  const outages: readonly World[] = [
    current({ age: 91 * DAY }),
    { secrets: [secretOf({ AWSCURRENT: 1 })] },
    current({ permissions: [] }),
    { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [inert(1)] },
    current({ age: HOUR, marker: { refused: NOW } }),
    moved(NOW - MINUTE),
    moved(NOW - 9 * DAY, NOW - DAY),
    { ...moved(), tokens: [armed(1, { age: 91 * DAY })] },
  ];
  for (const world of outages) {
    expect(found(world)).toMatchObject({ unusableTokens: 0, mendedOutages: 1 });
    const left = found(world, [], []);
    expect(left).toMatchObject({ unusableTokens: 1 });
    expect(left).not.toHaveProperty('mendedOutages');
  }
  for (const world of [placeholder, current({ age: HOUR })]) {
    expect(found(world, [TELEGRAF])).toMatchObject({ unusableTokens: 0, mendedOutages: 1 });
  }
  const first = current({ marker: { refused: NOW } });
  expect(found(first, [TELEGRAF])).not.toHaveProperty('mendedOutages');
  const others = [
    {},
    placeholder,
    current({ age: 31 * DAY }),
    current({ marker: { refused: NOW } }),
    tagged({ [CLUSTER_TAG]: 'https://elsewhere.example.com' }),
    moved(),
  ];
  for (const world of others) {
    expect(found(world)).not.toHaveProperty('mendedOutages');
    expect(found(world)).toMatchObject({ unusableTokens: 0 });
  }
});

test('a token that was never armed, gets its permissions and is not seen accepted was an outage at once', () => {
  const world = { secrets: [secretOf({ AWSCURRENT: 1 })], tokens: [inert(1)] };
  const found = { states: statesAfter(world), refused: new Set<string>(), isByOrder: () => false };
  const states = statesAfter(world, { unseen: [TELEGRAF] });
  expect(states).toMatchObject([{ condition: 'refused' }]);
  expect(measureTokens(policyOf(), observationOf(world), states, found)).toMatchObject({
    mendedOutages: 1,
  });
});

test('a rotation that has begun is late only if it is not done in time, however old the token is', () => {
  const late = (ago: number) =>
    stateAfter({
      secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })],
      tokens: [armed(1, { age: 60 * DAY }), armed(2, { marker: { armed: NOW - ago } })],
    }).late;
  expect([late(DAY - 1_000), late(DAY)]).toEqual([false, true]);
  const armedNow = { [TELEGRAF]: { tokenId: id(3), at: NOW } };
  expect(stateAfter(current({ age: 60 * DAY })).late).toBe(true);
  expect(stateAfter(current({ age: 60 * DAY }), { armedNow }).late).toBe(false);
});

test('a rotation is not late while its successor may still have to settle', () => {
  const policy = policyOf(
    { settle: '12h' },
    { rotateEvery: '2d', gracePeriod: '6h', renewBefore: '1d' },
  );
  const late = (age: number) => stateAfter(current({ age }), { policy }).late;
  expect(late(2 * DAY + 15 * HOUR - 1_000)).toBe(false);
  expect(late(2 * DAY + 15 * HOUR)).toBe(true);
});

describe('a token that waits is promoted', () => {
  const waiting = (marker: object = {}, more: Partial<Secret> = {}): World => ({
    secrets: [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 }, more)],
    tokens: [armed(1, { age: 31 * DAY }), armed(2, { marker: { armed: NOW - HOUR, ...marker } })],
  });
  const from = (world: World, windows: readonly string[] = [], run: Run = {}) =>
    stateAfter(world, { policy: policyOf({}, { windows }), ...run }).pending?.promotedFrom;

  test('by the next run if somebody asked for it, whatever the windows', () => {
    expect(from(waiting({ forced: true }), ['Sun 02:00-04:00'])).toBe(NOW - HOUR);
    const armedNow = { [TELEGRAF]: { tokenId: id(3), at: NOW, forced: true } };
    expect(from(waiting(), ['Sun 02:00-04:00'], { armedNow })).toBe(NOW);
  });

  test('in the next window, however short it is and how many have passed', () => {
    expect(from(waiting(), ['11:00-11:30'])).toBe(NOW + 23 * HOUR);
    const short = from(waiting(), ['02:01-02:04']) ?? 0;
    expect(short).toBeGreaterThanOrEqual(NOW + 14 * HOUR + MINUTE);
    expect(short).toBeLessThan(NOW + 14 * HOUR + 4 * MINUTE);
    expect(from(waiting(), ['11:00-12:30'])).toBe(NOW);
  });

  test('without waiting for a window once AWSCURRENT is near its expiry', () => {
    const world = { ...waiting(), tokens: [armed(1, { age: 77 * DAY }), armed(2)] };
    expect(from(world, ['Sun 02:00-04:00'])).toBe(NOW + 10 * MINUTE);
    const later = { ...waiting(), tokens: [armed(1, { age: 74 * DAY }), armed(2)] };
    expect(from(later, ['Sun 02:00-04:00'])).toBe(NOW + 2 * DAY);
  });

  test('by no run while something stops it', () => {
    expect(from(waiting({}, { tags: { [HOLD_TAG]: 'frozen' } }))).toBeUndefined();
    expect(from(waiting({}, { deletedAt: NOW }))).toBeUndefined();
    const stripped = { ...waiting(), tokens: [armed(1, { permissions: [] }), armed(2)] };
    expect(from(stripped)).toBeUndefined();
  });
});
