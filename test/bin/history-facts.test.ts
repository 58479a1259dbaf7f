import { afterEach, expect, test, vi } from 'vitest';
import { rotationsOf } from '../../bin/keyturn/history/evidence.ts';
import { happeningsOf, withMoves } from '../../bin/keyturn/history/happening.ts';
import { logFacts, quietAfter } from '../../bin/keyturn/history/log-facts.ts';
import { pastFacts, readPast } from '../../bin/keyturn/history/past-facts.ts';
import { type LogLine, readLogs } from '../../bin/keyturn/history/read-logs.ts';
import { livesOf } from '../../bin/keyturn/report/lives.ts';
import { environmentOf, PERSON } from '../../sandbox/aws/account.ts';
import { start } from '../sandbox/aws/start.ts';

const AT = Date.UTC(2026, 2, 2, 12);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SECRET = 'keyturn/prod/telegraf';

afterEach(() => {
  vi.unstubAllEnvs();
});

const line = (message: string, details: object, minute = 0, stream = 'one'): LogLine => ({
  at: AT + minute * MINUTE,
  stream,
  message,
  details: { ...details },
});

const told = (job: string, lines: readonly LogLine[]) =>
  happeningsOf(logFacts({ job, group: job, lines })).map(({ what, by, why, count, subject }) => ({
    what,
    by,
    why,
    count,
    subject,
  }));

test('a run that found the same again and again is one entry, which says how often', () => {
  const found = { job: 'reap', kind: 'Lingering', secret: SECRET, message: 'it lingers' };
  const failed = { kind: 'delete', secret: SECRET, tokenId: 'a' };
  const run = (minute: number) => [
    line('planned', { job: 'reap', by: 'schedule', dryRun: false, refusals: [] }, minute),
    line('found', found, minute),
    { ...line('failed', failed, minute), error: 'HTTP 503' },
  ];
  expect(told('reap', [...run(0), ...run(60), ...run(120)])).toEqual([
    { what: 'found', why: 'it lingers [Lingering]', count: 3 },
    { what: 'failed: delete', by: 'schedule', why: 'HTTP 503', count: 3 },
  ]);
});

test('what a run finds again is told again, if a scheduled run between did not find it', () => {
  const found = { job: 'reap', kind: 'Held', secret: SECRET, message: 'on hold' };
  const planned = (minute: number, by = 'schedule', stream = 'one') =>
    line('planned', { job: 'reap', by, dryRun: false, refusals: [] }, minute, stream);
  const held = (minute: number, stream = 'one') => line('found', found, minute, stream);
  const counts = (...lines: readonly LogLine[]) => told('reap', lines).map(({ count }) => count);
  const first = [planned(0), held(0), planned(60), held(60)];
  expect(counts(...first, planned(120), planned(180), held(180))).toEqual([2, 1]);
  // Another instance ran between.
  expect(counts(...first, planned(120, 'schedule', 'two'), planned(180), held(180))).toEqual([
    2, 1,
  ]);
  // Who runs it by hand may have named something else.
  expect(counts(...first, planned(90, 'hand'), planned(120), held(120))).toEqual([3]);
});

test('of what a run saw that somebody moved, the last scheduled run that had nothing to do or to say tells that it was not so yet', () => {
  const found = { job: 'rotate', kind: 'Held', message: 'on hold' };
  const run = (minute: number, more: object = {}) => {
    const details = { job: 'rotate', by: 'schedule', dryRun: false, refusals: [] };
    return line('planned', { ...details, actions: 0, findings: 0, ...more }, minute);
  };
  const back = { kind: 'recognise', reason: 'RolledBack', label: 'AWSCURRENT', tokenId: 'a' };
  const notYet = (...lines: readonly LogLine[]) => {
    const all = [
      ...lines,
      run(500, { actions: 1 }),
      line('done', { ...back, secret: SECRET }, 501),
    ];
    const told = happeningsOf(logFacts({ job: 'rotate', group: 'rotate', lines: all }));
    const moved = told.find(({ what }) => what === 'rolled back by hand');
    return moved?.notYetAt && (moved.notYetAt - AT) / MINUTE;
  };
  expect(notYet()).toBeUndefined();
  expect(notYet(run(0), run(180))).toBe(180);
  // What it would have done may have failed, or it died.
  expect(notYet(run(0), run(180, { actions: 1 }))).toBe(0);
  expect(notYet(run(0), run(180, { by: 'hand' }), run(240, { dryRun: true }))).toBe(0);
  const held = (secret?: string) => line('found', { ...found, secret }, 180);
  expect(notYet(run(0), run(180, { findings: 1 }), held(SECRET))).toBe(0);
  expect(notYet(run(0), run(180, { findings: 1 }), held())).toBe(0);
  expect(notYet(run(0), run(180, { findings: 1 }))).toBe(0);
  expect(notYet(run(0), run(180, { findings: 1 }), held('keyturn/prod/grafana'))).toBe(180);
});

test('of what may have been saved, the first scheduled run behind it that saw that all is well tells that it is gone', () => {
  const run = (minute: number, more: object = {}) => {
    const details = { job: 'rotate', by: 'schedule', dryRun: false, refusals: [] };
    return line('planned', { ...details, actions: 0, findings: 0, ...more }, minute);
  };
  const quiet = (job: string, ...lines: readonly LogLine[]) => {
    const at = quietAfter([{ job, group: job, lines }])(SECRET, AT + 10 * MINUTE);
    return at && (at - AT) / MINUTE;
  };
  expect(quiet('rotate', run(0))).toBeUndefined();
  expect(quiet('rotate', run(0), run(30), run(60))).toBe(30);
  expect(quiet('rotate', run(30, { actions: 1 }), run(60))).toBe(60);
  expect(quiet('rotate', run(30, { by: 'hand' }), run(45, { dryRun: true }), run(60))).toBe(60);
  expect(quiet('reap', run(30))).toBeUndefined();
});

test('a string of nobody under AWSCURRENT is told as what that got, and one under AWSPREVIOUS is not', () => {
  const gifts = (job: string, message: string) => {
    const details = { job, kind: 'UnknownVersion', secret: SECRET, message };
    const lines = [line('found', details, 0), line('found', details, 30)];
    return happeningsOf(logFacts({ job, group: job, lines })).map(({ gave }) => gave);
  };
  expect(gifts('rotate', 'AWSCURRENT has a string that is no token of ours')).toEqual([{}]);
  // It reads no strings.
  expect(gifts('reap', 'nobody knows whose string AWSCURRENT has')).toEqual([{ is: 'perhaps' }]);
  expect(gifts('reap', 'nobody knows whose string AWSPREVIOUS has')).toEqual([undefined]);
  const unread = 'AWSCURRENT could not be read, so nobody knows whose string it has';
  expect(gifts('rotate', unread)).toEqual([undefined]);
});

test('who saved a version that has no label any more is said as a log says it', () => {
  const noted = { kind: 'recognise', reason: 'SavedByPerson', label: 'AWSCURRENT' };
  const versions = [
    { version: 'v', createdAt: '2026-03-02T12:00:00Z', labels: [], putBy: 'others' },
  ];
  const past = readPast({
    history: { tokens: [], secrets: [{ secret: SECRET, versions }], unseen: [] },
  });
  const done = line('done', { ...noted, secret: SECRET, tokenId: 'a', version: 'v' }, 30);
  const facts = [
    ...logFacts({ job: 'rotate', group: 'rotate', lines: [done] }),
    ...pastFacts(past, AT + 60 * MINUTE),
  ];
  expect(happeningsOf(facts)).toMatchObject([
    { at: AT, by: 'not Keyturn', gave: { tokenId: 'a' } },
  ]);
});

test('a save that a run notes days later is one thing with its version', () => {
  const noted = { kind: 'recognise', reason: 'SavedByPerson', label: 'AWSCURRENT' };
  const versions = [
    { version: 'v', createdAt: '2026-03-02T12:00:00Z', labels: ['AWSCURRENT'], putBy: 'others' },
  ];
  const past = readPast({
    history: { tokens: [], secrets: [{ secret: SECRET, versions }], unseen: [] },
  });
  const minute = (9 * DAY) / MINUTE;
  const done = line('done', { ...noted, secret: SECRET, tokenId: 'a', version: 'v' }, minute);
  const facts = [
    ...logFacts({ job: 'rotate', group: 'rotate', lines: [done] }),
    ...pastFacts(past, AT + 10 * DAY),
  ];
  // Its note is shown, also if the time that was asked for begins between.
  expect(happeningsOf(facts).map(({ at, by, untilAt }) => [at, by, untilAt])).toEqual([
    [AT, 'not Keyturn', AT + 9 * DAY],
  ]);
});

test('a token is told as minted before it is stored and promoted, though the clock of its cluster is ahead', () => {
  const token = { tokenId: 'a', secret: SECRET, createdAt: '2026-03-02T12:00:03Z' };
  const marks = { armed: '2026-03-02T12:00:01Z', promoted: '2026-03-02T12:00:02Z' };
  const versions = [
    {
      version: 'v',
      createdAt: '2026-03-02T12:00:01.500Z',
      labels: [],
      tokenId: 'a',
      putBy: 'keyturn',
    },
  ];
  const history = {
    tokens: [{ ...token, marks }],
    secrets: [{ secret: SECRET, versions }],
    unseen: [],
  };
  const happenings = happeningsOf(pastFacts(readPast({ history }), AT + MINUTE));
  expect(happenings.map(({ what, at }) => [what, at - AT])).toEqual([
    ['minted', 3_000],
    ['stored', 1_500],
    ['promoted', 2_000],
  ]);
});

test('what follows from a promotion is told behind it, though the clock of the cluster is ahead', () => {
  const token = (tokenId: string, day: number, more: object) => ({
    ...{ tokenId, secret: SECRET, createdAt: `2026-03-0${day}T12:04:00Z` },
    marks: { armed: `2026-03-0${day}T12:00:01Z`, promoted: `2026-03-0${day}T12:00:30Z`, ...more },
  });
  const tokens = [
    token('a', 1, { superseded: '2026-03-02T12:00:31Z' }),
    { ...token('b', 2, {}), replaces: 'a' },
  ];
  const answer = readPast({ history: { tokens, secrets: [], unseen: [] } });
  const happenings = happeningsOf(pastFacts(answer, AT + DAY));
  expect(happenings.map(({ what, tokenId }) => `${tokenId} ${what}`)).toEqual([
    ...['a minted', 'a stored', 'a promoted'],
    ...['b minted', 'b stored', 'b promoted', 'a superseded'],
  ]);
  const labels = new Map([[SECRET, { current: 'b' }]]);
  const present = { now: AT + DAY, since: 0, labels, isWhole: true };
  const [a, b] = livesOf(happenings, { ...present, living: new Map([['b', 'works']]) });
  expect(a?.spans.findLast(({ state }) => state === 'current')?.until).toBe(AT + 30_000);
  expect(b?.mintedAt).toBe(AT + 1_000);
  expect(b?.spans).toEqual([
    { state: 'inert', from: AT + 1_000, until: AT + 1_000 },
    { state: 'pending', from: AT + 1_000, until: AT + 30_000 },
    { state: 'current', from: AT + 30_000 },
  ]);
});

test('a dry run did nothing, whatever it found', () => {
  const planned = { job: 'reap', by: 'hand', dryRun: true, refusals: [] };
  const found = { job: 'reap', kind: 'Lingering', secret: SECRET, message: 'it lingers' };
  expect(told('reap', [line('planned', planned), line('found', found)])).toEqual([]);
});

test('what a plan refused, who approved it, and what became of the database', () => {
  const refusals = [{ hash: '0123456789abcdef', message: '4 databases would be left shorter' }];
  const change = { kind: 'change', database: 'telemetry', field: 'maxTables', from: 500, to: 400 };
  const plan = { job: 'enforce', dryRun: false, refusals };
  expect(
    told('enforce', [
      line('planned', { ...plan, by: 'schedule' }),
      line('planned', { ...plan, by: 'hand', approve: '0123456789abcdef' }, 30),
      line('done', { ...change, reason: 'Differs' }, 31),
    ]),
  ).toEqual([
    {
      what: 'a part of the plan waits for the approval 0123456789abcdef',
      why: '4 databases would be left shorter',
      subject: 'enforce',
      count: 2,
    },
    { what: 'run with the approval 0123456789abcdef', by: 'by hand', subject: 'enforce', count: 1 },
    {
      what: 'maxTables changed from 500 to 400',
      by: 'by hand',
      why: 'Differs',
      subject: 'telemetry',
      count: 1,
    },
  ]);
});

test('what was done twice within minutes is told twice, and its proof belongs to the last', () => {
  const of = { tokenId: 'a', secret: SECRET };
  const freeze = (reason: string, minute: number) => [
    line('revoking', { kind: 'strip', ...of, way: 'freeze', reason }, minute),
    line('revoked', { result: 'frozen', ...of, way: 'freeze', reason }, minute + 1),
    line('reported', { way: 'freeze', reason, done: true, confirmed: true }, minute + 1),
  ];
  const unfreeze = { way: 'unfreeze', reason: 'ours' };
  const back = [
    line('revoking', { kind: 'give-back', ...of, ...unfreeze }, 2),
    line('reported', { ...unfreeze, done: true, confirmed: true }, 2),
  ];
  const lines = [...freeze('odd', 0), ...back, ...freeze('odd again', 3)];
  expect(told('revoke', lines).map(({ what, why }) => [what, why])).toEqual([
    ['frozen', 'freeze: odd'],
    ['permissions given back', 'unfreeze: ours'],
    ['frozen', 'freeze: odd again'],
  ]);
});

test('what a person did is not told as the work of the run that saw it', () => {
  const of = { token: 'telegraf', secret: SECRET, tokenId: 'a', version: 'v', label: 'AWSCURRENT' };
  const planned = { job: 'rotate', by: 'schedule', dryRun: false, refusals: [] };
  const seen = (kind: string, reason: string, minute: number) =>
    line('done', { ...of, kind, reason }, minute);
  const lines = [
    line('planned', planned),
    seen('recognise', 'SavedByPerson', 1),
    seen('recognise', 'RolledBack', 2),
    seen('mark-shared', 'PastedByPerson', 3),
    // What only writes down what Keyturn did is nothing new.
    seen('recognise', 'Promoted', 4),
    seen('give-back', 'RolledBack', 5),
    // AWSCURRENT was moved by the person.
    line('promoted', { ...of, reason: 'RolledBack' }, 6),
    line('done', { ...of, kind: 'adopt', reason: 'Adopted', confirmedBy: 'ada@laptop' }, 7),
  ];
  expect(told('rotate', lines).map(({ what, by }) => [what, by])).toEqual([
    ['saved by others', 'not Keyturn'],
    ['rolled back by hand', 'not Keyturn'],
    ['string pasted into another secret by hand', 'not Keyturn'],
    ['permissions given back', 'schedule'],
    ['proven', 'schedule'],
    ['adopted', 'ada@laptop'],
  ]);
});

test('that AWSCURRENT was moved to a token without permissions is told, beside what the run did about it', () => {
  const of = { token: 'telegraf', secret: SECRET, tokenId: 'a', reason: 'RolledBack' };
  const lines = [
    line('planned', { job: 'rotate', by: 'schedule', dryRun: false, refusals: [] }),
    line('done', { ...of, kind: 'give-back' }, 1),
  ];
  expect(told('rotate', lines)).toMatchObject([
    { what: 'rolled back by hand', by: 'not Keyturn', why: 'seen then; it was done before' },
    { what: 'permissions given back', by: 'schedule', why: 'RolledBack' },
  ]);
});

test('a promotion in place of another token than had AWSCURRENT says that nothing tells since when that had it', () => {
  const promoted = (tokenId: string, minute: number, previousTokenId?: string) =>
    line('promoted', { secret: SECRET, tokenId, previousTokenId, reason: 'Due' }, minute);
  const whys = (...lines: readonly LogLine[]) =>
    withMoves(happeningsOf(logFacts({ job: 'rotate', group: 'rotate', lines }))).map(
      ({ why }) => why,
    );
  const [a, b] = [promoted('a', 0), promoted('b', 60, 'a')];
  expect(whys(a, b, promoted('c', 120, 'b'))).toEqual(['Due', 'Due', 'Due']);
  expect(whys(a, b, promoted('c', 120, 'a'))).toEqual([
    ...['Due', 'Due'],
    'Due; a had AWSCURRENT by then, and nothing tells since when',
  ]);
  const noted = { kind: 'recognise', secret: SECRET, tokenId: 'a' };
  const back = line('done', { ...noted, reason: 'RolledBack' }, 90);
  expect(whys(a, b, back, promoted('c', 120, 'a')).at(-1)).toBe('Due');
  const save = { reason: 'SavedByPerson', label: 'AWSCURRENT', version: 'v' };
  const saved = line('done', { ...noted, ...save }, 90);
  expect(whys(a, b, saved, promoted('c', 120, 'a')).at(-1)).toBe('Due');
});

test('two instances that work at the same time are two runs', () => {
  const of = (stream: string, by: string, secret: string) => [
    line('planned', { job: 'rotate', by, dryRun: false, refusals: [] }, 0, stream),
    line('done', { kind: 'widen', secret, tokenId: secret, reason: 'x' }, 1, stream),
  ];
  const lines = [...of('one', 'schedule', 'a'), ...of('two', 'hand', 'b')];
  expect(told('rotate', lines).map(({ by }) => by)).toEqual(['schedule', 'by hand']);
});

test('functions of an earlier version log no steps: of a rotation it is told that it was made', () => {
  const lines = [
    line('planned', { job: 'rotate', dryRun: false, refusals: [] }),
    line('done', { kind: 'rotate', token: 'telegraf', secret: SECRET, reason: 'Forced' }, 3),
  ];
  expect(told('rotate', lines)).toEqual([{ what: 'rotated', why: 'Forced', count: 1 }]);
});

/** What the function answers of one token that was promoted, and of the one before it. */
const past = (more: object = {}) =>
  readPast({
    history: {
      tokens: [
        {
          tokenId: 'old',
          secret: SECRET,
          createdAt: '2026-01-01T00:00:00Z',
          marks: { promoted: '2026-01-01T00:10:00Z', superseded: '2026-03-02T12:15:00Z' },
          ...more,
        },
        {
          tokenId: 'new',
          secret: SECRET,
          createdAt: '2026-03-02T12:00:00Z',
          marks: { promoted: '2026-03-02T12:15:00Z' },
        },
      ],
      secrets: [],
      unseen: [],
    },
    schedule: {
      name: 'keyturn-prod-rotate',
      state: 'off',
      since: '2026-03-02T13:00:00Z',
      by: 'ada',
      reason: 'drill',
    },
  });

function evidence(answer: ReturnType<typeof past>, lines: readonly LogLine[] = []) {
  const facts = [
    ...logFacts({ job: 'revoke', group: 'revoke', lines }),
    ...pastFacts(answer, AT + 60 * MINUTE),
  ];
  const [rotation] = rotationsOf(happeningsOf(facts), answer, AT);
  return Object.fromEntries(
    (rotation?.steps ?? []).map(({ step, at, note }) => [step, [at !== undefined, note]]),
  );
}

test('a step that no source tells is no evidence, and a deletion is none that a string is refused', () => {
  const none = 'no evidence in what was read';
  expect(evidence(past())).toEqual({
    minted: [true, undefined],
    stored: [false, none],
    proven: [false, none],
    promoted: [true, expect.stringMatching(/^then or later: /)],
    'old string': [false, expect.stringMatching(/^not yet: /)],
  });
  const deleted = evidence(past({ revokedAt: '2026-03-02T12:30:00Z' }));
  expect(deleted['old string']).toEqual([
    true,
    expect.stringMatching(/^deleted; no evidence in what was read/),
  ]);
  const revoked = { tokenId: 'old', secret: SECRET, result: 'deleted', way: 'replace' };
  const proven = evidence(past({ revokedAt: '2026-03-02T12:30:00Z' }), [
    line('revoked', { ...revoked, deadAfterSeconds: 190 }, 34),
  ]);
  expect(proven['old string']).toEqual([true, expect.stringMatching(/^refused: every probe/)]);
  const unproven = evidence(past({ revokedAt: '2026-03-02T12:30:00Z' }), [
    line('revoked', { ...revoked, unconfirmed: 'nothing to compare' }, 34),
  ]);
  expect(unproven['old string']).toEqual(deleted['old string']);
});

test('of a token that an order ended, its log says who gave that, and a tag alone does not say that it was an order', () => {
  const answer = past({ revokedAt: '2026-03-02T12:30:00Z', endedByOrder: true });
  const order = { tokenId: 'old', secret: SECRET, way: 'delete', reason: 'leaked' };
  const lines = [
    line('revoking', { kind: 'delete', ...order }, 30),
    line('revoked', { result: 'deleted', ...order, by: 'ada@laptop' }, 33),
    line('reported', { way: 'delete', by: 'ada@laptop', done: true, confirmed: true }, 33),
  ];
  const deleted = (logged: readonly LogLine[]) =>
    happeningsOf([
      ...logFacts({ job: 'revoke', group: 'revoke', lines: logged }),
      ...pastFacts(answer, AT + 60 * MINUTE),
    ]).filter(({ what }) => what === 'deleted');
  expect(deleted(lines)).toMatchObject([{ by: 'ada@laptop', why: 'delete: leaked', count: 1 }]);
  expect(deleted([]).map(({ by, sources }) => [by, sources])).toEqual([[undefined, ['cluster']]]);
});

test('what an order did that died is not told as the next one’s, and that it did not end is told', () => {
  const of = (tokenId: string, secret: string) => ({ tokenId, secret, way: 'delete' });
  const died = line('revoking', { kind: 'delete', ...of('a', 'first') }, 30);
  const lines = [
    died,
    line('revoking', { kind: 'delete', ...of('b', 'second'), reason: 'said' }, 33),
    line('revoked', { result: 'deleted', ...of('b', 'second'), reason: 'said', by: 'bob' }, 34),
    line('reported', { way: 'delete', reason: 'said', by: 'bob', done: true, confirmed: true }, 34),
  ];
  const told = (logged: readonly LogLine[]) =>
    happeningsOf(logFacts({ job: 'revoke', group: 'revoke', lines: logged })).map(
      ({ what, tokenId, secret, by }) => [what, tokenId ?? secret, by],
    );
  expect(told(lines)).toEqual([
    ['deleted', 'a', 'an order'],
    ['deleted', 'b', 'bob'],
  ]);
  expect(told([died])).toEqual([
    ['deleted', 'a', 'an order'],
    ['an order has not ended, as far as its log says', 'first', 'an order'],
  ]);
});

test.each([
  ['of another person', 'cleaning', 'ada'],
  ['of the same words', 'odd writes', 'ada'],
  ['of an earlier version, which does not say whose it was', 'cleaning', undefined],
])(
  'an order that died is not told as the next one’s of the same secret: one %s',
  (_, reason, by) => {
    const died = { secret: SECRET, way: 'freeze', reason: 'odd writes', by };
    const next = { secret: SECRET, way: 'freeze', reason, by: 'bob' };
    const lines = [
      line('revoking', { kind: 'hold', ...died }, 0),
      line('revoking', { kind: 'strip', ...died, tokenId: 'a' }, 0),
      line('revoking', { kind: 'strip', ...next, tokenId: 'b' }, 20),
      line('revoked', { result: 'frozen', ...next, tokenId: 'b' }, 21),
      line('reported', { ...next, secret: undefined, done: true, confirmed: true }, 21),
    ];
    const told = happeningsOf(logFacts({ job: 'revoke', group: 'revoke', lines }));
    const whose = by ?? 'an order';
    expect(told.map((each) => [each.what, each.tokenId, each.by])).toEqual([
      ['put on hold', undefined, whose],
      ['frozen', 'a', whose],
      ['an order has not ended, as far as its log says', undefined, whose],
      ['frozen', 'b', 'bob'],
    ]);
  },
);

test('a token that waits to be promoted is not yet proven; one that nothing waits for has no evidence', () => {
  const answer = past();
  const [, waiting] = answer.history.tokens;
  if (!waiting) throw new Error('no token');
  waiting.marks = {};
  const secrets = (labels: string[]) => [
    {
      secret: SECRET,
      versions: [
        {
          ...{ version: 'keyturn-new', createdAt: '2026-03-02T12:00:00Z', labels },
          ...{ tokenId: 'new', putBy: 'keyturn' },
        },
      ],
    },
  ];
  answer.history.secrets = secrets(['AWSPENDING']);
  expect(evidence(answer)).toMatchObject({
    stored: [true, undefined],
    proven: [false, 'not yet'],
    promoted: [false, 'not yet'],
  });
  answer.history.secrets = secrets([]);
  expect(evidence(answer)).toMatchObject({ proven: [false, 'no evidence in what was read'] });
});

test('a schedule that a person stopped is a thing that was done', () => {
  expect(pastFacts(past(), AT)).toContainEqual({
    at: Date.parse('2026-03-02T13:00:00Z'),
    subject: 'keyturn-prod-rotate',
    by: 'ada',
    why: 'drill',
    what: 'schedule stopped',
    source: 'EventBridge Scheduler',
  });
});

async function openLogs(texts: readonly string[]) {
  const { aws, clock } = await start();
  const stamped = texts.map((text, index) => ({ stream: 'one', at: clock.now() + index, text }));
  aws.logs.groups['/aws/lambda/keyturn-prod-rotate'] = { events: () => stamped };
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_REGION', aws.region);
  for (const [name, value] of Object.entries(environmentOf(PERSON))) vi.stubEnv(name, value);
  // The sandbox believes a date within five minutes of its own clock.
  vi.useFakeTimers({ now: clock.now(), toFake: ['Date'] });
  return {
    aws,
    read: (limits?: { readonly pages: number; readonly ms: number }) =>
      readLogs(['rotate'], 'keyturn-prod-', clock.now(), limits),
  };
}

const json = (n: number) => JSON.stringify({ message: `m${n}`, details: { n } });

test('where a limit cuts, the newest lines are there, and it is said that there are more', async () => {
  const { aws, read } = await openLogs([json(0), json(1), 'START RequestId: 1', json(2), json(3)]);
  const [whole] = await read();
  expect([whole?.why, whole?.lines.map(({ message }) => message)]).toEqual([
    undefined,
    ['m0', 'm1', 'm2', 'm3'],
  ]);
  aws.logs.pageSize = 1;
  const [cut] = await read({ pages: 2, ms: 60_000 });
  expect(cut?.lines.map(({ message }) => message)).toEqual(['m2', 'm3']);
  expect(cut?.why).toMatch(/^read in part: after 2 pages more is left/);
  vi.useRealTimers();
});

test('throttling that lasts longer than a call is usually repeated is waited for', async () => {
  const { aws, read } = await openLogs([json(0), json(1)]);
  let asked = 0;
  aws.intercept = (_call, effect) => {
    asked += 1;
    const body = '{"__type":"ThrottlingException","Message":"Rate exceeded"}';
    return Promise.resolve(asked > 8 ? effect() : { status: 400, body });
  };
  vi.useRealTimers();
  const [whole] = await read();
  expect([whole?.why, whole?.lines.length]).toEqual([undefined, 2]);
});

test('throttling is waited for until the time is up, and then said, with what was read', async () => {
  const { aws, read } = await openLogs([json(0), json(1)]);
  aws.logs.pageSize = 1;
  let asked = 0;
  aws.intercept = (_call, effect) => {
    asked += 1;
    const body = '{"__type":"ThrottlingException","Message":"Rate exceeded"}';
    return Promise.resolve(asked === 1 ? effect() : { status: 400, body });
  };
  vi.useRealTimers();
  const [cut] = await read({ pages: 9, ms: 6_000 });
  expect(cut?.lines.map(({ message }) => message)).toEqual(['m1']);
  expect(cut?.why).toMatch(/^read in part: FilterLogEvents of .*: Rate exceeded$/);
  expect(asked).toBeGreaterThan(3);
});
