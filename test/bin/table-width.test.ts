import { expect, test } from 'vitest';
import { type KnownToken, type Revocation, readPlanReport } from '../../bin/keyturn/answers.ts';
import { formatDiagnosis } from '../../bin/keyturn/doctor/diagnosis-text.ts';
import { formatHistory } from '../../bin/keyturn/history/history-text.ts';
import { formatUnknown } from '../../bin/keyturn/identify.ts';
import type { Looks } from '../../bin/keyturn/looks.ts';
import { formatSeen, formatSwitched } from '../../bin/keyturn/pause.ts';
import { formatPlan } from '../../bin/keyturn/plan-text.ts';
import { formatBlastRadius, formatRevocation } from '../../bin/keyturn/revocation-text.ts';
import { statusOf } from '../../bin/keyturn/status-report.ts';
import { formatStatus } from '../../bin/keyturn/status-text.ts';
import type { Style } from '../../bin/keyturn/terminal.ts';
import { formatKnown } from '../../bin/keyturn/whois.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { policyWith } from '../world/policy.ts';

/** What commands show, but for the table of `keyturn status`, which `table.test.ts` is about. */

const plain: Style = (_format, text) => text;
const on = (columns: number): Style =>
  Object.assign(plain.bind(undefined), { columns: () => columns });
const NOW = Date.parse('2026-03-02T09:00:00Z');

/** The longest that a policy accepts, and lengths that are usual. */
const LENGTHS = [64, 60, 45, 30, 8];
const named = (length: number, first = 'telegraf') =>
  first.padEnd(length, '-north').slice(0, length);

const tokenOf = (length: number): KnownToken => ({
  tokenId: '5a4f8dfa-cb1c-4bd3-842c-d575b8a39499',
  owned: true,
  owner: 'prod',
  token: named(length),
  secret: `keyturn/prod/${named(length)}`,
  description: `of ${named(length, 'admins')} `.repeat(3).trim(),
  permissions: ['read', 'write'].map((action) => ({ action, resource: named(length, 'metrics') })),
  createdAt: '2026-03-01T09:00:00Z',
  expiresAt: '2026-05-31T09:00:00Z',
  state: 'quarantined',
});

const revocationOf = (length: number): Revocation => {
  const known = tokenOf(length);
  const { tokenId, token = '', secret = '' } = known;
  return {
    way: 'replace',
    dryRun: false,
    done: true,
    confirmed: false,
    unconfirmed: [],
    plan: {
      tokens: [known, { ...known, token: undefined, secret: undefined }],
      databases: ['metrics', 'telemetry'].map((each) => named(length, each)),
      secrets: [secret, secret],
      actions: [],
      warnings: [],
      notReached: [],
      hash: '0123456789abcdef',
    },
    tokens: [
      { tokenId, token, result: 'successor' },
      {
        ...{ tokenId, token, result: 'deleted', replacedBy: tokenId, deadAfterSeconds: 380 },
        unconfirmed: `the cluster refuses it, but no other string that may write ${named(length)} is known`,
      },
    ],
  };
};

const schedulesOf = (length: number) =>
  ['rotate', 'reap'].map((job) => ({
    status: {
      name: `keyturn-${named(Math.min(length, 31), 'prod')}-${job}`,
      ...({ state: 'off', since: '2026-03-01T09:00:00Z' } as const),
      ...{ by: 'assumed-role/Operator/somebody', reason: 'tokens vanish, nobody knows why' },
    },
    found: {
      ScheduleExpression: 'cron(0 3 ? * MON-FRI *)',
      ScheduleExpressionTimezone: 'America/Argentina/ComodRivadavia',
    },
    result: 'stopped' as const,
  }));

const tables = (length: number, style: Style): Readonly<Record<string, string>> => ({
  'revoke --dry-run': formatBlastRadius(revocationOf(length), {}, style)
    .split('\n')
    .slice(1)
    .join('\n'),
  revoke: formatRevocation(revocationOf(length), style).split('\n\n')[0] ?? '',
  whois: formatKnown(tokenOf(length), style),
  'whois, nobody knows': formatUnknown({ candidates: [tokenOf(length)] }, style, 'keyturn revoke'),
  'pause --dry-run': formatSeen(schedulesOf(length), style),
  pause: formatSwitched(schedulesOf(length), style, NOW),
});

const longerThan = (columns: number, text: string) =>
  // A word that has no room anywhere stands in a line of its own: people copy it.
  text.split('\n').filter((line) => line.length > columns && line.trim().includes(' '));

test.each(LENGTHS)('every table fits 80 columns, with names of %i characters', (length) => {
  for (const [command, text] of Object.entries(tables(length, plain))) {
    expect(longerThan(80, text), command).toEqual([]);
  }
});

test.each(LENGTHS)('nothing is cut that people copy, with names of %i characters', (length) => {
  const { token = '', secret = '', tokenId } = tokenOf(length);
  const said = tables(length, plain);
  for (const command of ['revoke --dry-run', 'whois']) {
    const words = said[command]?.split(/[\s,]+/);
    for (const word of [token, secret, named(length, 'metrics')]) {
      expect(words, command).toContain(word);
    }
  }
  expect(said.revoke?.split(/\s+/)).toContain(token);
  expect(said['whois, nobody knows']).toContain(tokenId);
  for (const { status } of schedulesOf(length)) expect(said.pause).toContain(status.name);
});

test('a wider terminal has room for the rows, and a narrower one shows them in its width', () => {
  expect(tables(8, on(150))['revoke --dry-run']).toContain(
    '  5a4f8dfa  quarantined  read metrics-, write metrics-  keyturn/prod/telegraf\n',
  );
  for (const [command, text] of Object.entries(tables(8, on(70)))) {
    expect(longerThan(70, text), command).toEqual([]);
  }
});

const SENTENCE =
  'of this a person who looks at a terminal should know a little more than its state';

/** What stands in sentences. */
function sentences(style: Style): Readonly<Record<string, string>> {
  const cluster = { url: 'https://influxdb.example.com', managementToken: 'm' };
  const policy = parsePolicy(
    policyWith({ telegraf: { permissions: { write: ['telemetry'] } } }, { cluster }),
  );
  const finding = { kind: 'Immortal', message: SENTENCE };
  const refusal = { message: SENTENCE, hash: '0123456789abcdef', actions: [] };
  const plan = { job: 'reap', actions: [], findings: [finding], limits: [], refusals: [refusal] };
  const long = { ...plan, findings: [{ ...finding, message: `${SENTENCE} ${SENTENCE}` }] };
  const managementToken = { by: 'secret', expiresAt: 'unreadable' };
  const away = new Error(SENTENCE);
  const looks = { rotate: away, reap: { plan, managementToken }, enforce: away };
  const schedules = ['rotate', 'reap', 'enforce'].map((job) => {
    return { name: `keyturn-prod-${job}`, state: 'on' as const };
  });
  const status = statusOf({ policy }, looks as unknown as Looks, schedules, NOW);
  const onThisMachine = statusOf(
    { policy, isLocal: true },
    looks as unknown as Looks,
    schedules,
    NOW,
  );
  const approval = / keyturn apply --local --approve 0123456789abcdef$/m;
  expect(formatStatus(onThisMachine, style, NOW)).toMatch(approval);
  const checks = (['ok', 'fail'] as const).map((state) => {
    return { check: 'data plane', state, found: SENTENCE, advice: SENTENCE };
  });
  const happening = {
    ...{ at: NOW, what: 'promoted', by: 'schedule', why: SENTENCE, count: 1 },
    ...{ secret: 'keyturn/prod/telegraf', sources: ['log of rotate', 'list of the cluster'] },
  };
  const steps = [{ step: 'old string', at: NOW, sources: ['log of rotate'], note: SENTENCE }];
  const rotation = { ...happening, tokenId: 'aaaaaaaa-1', formerId: 'bbbbbbbb-2', steps };
  const history = {
    ...{ owner: 'prod', since: NOW, sinceText: SENTENCE, entryOf: () => 'telegraf' },
    ...{ happenings: [happening], told: [happening], rotations: [rotation] },
    sources: [{ source: 'log of rotate', isWhole: false, found: SENTENCE }],
  } as unknown as Parameters<typeof formatHistory>[0];
  return {
    status: formatStatus(status, style, NOW),
    plan: formatPlan(readPlanReport({ plan: long }), 'keyturn apply', style, NOW),
    doctor: formatDiagnosis([{ title: 'cluster', checks }], style),
    history: formatHistory(history, style),
  };
}

test.each([40, 57, 80, 120])(
  'sentences stand in the width of a terminal of %i columns',
  (columns) => {
    for (const [command, text] of Object.entries(sentences(on(columns)))) {
      // A command is copied whole.
      const lines = longerThan(columns, text).filter((line) => !/^ +keyturn apply/.test(line));
      expect(lines, command).toEqual([]);
      expect(text.replaceAll(/\s+/g, ' '), command).toContain(SENTENCE);
      const widest = Math.max(...text.split('\n').map(({ length }) => length));
      expect(widest, command).toBeGreaterThan(columns - 20);
    }
    expect(sentences(on(80))).toEqual(sentences(plain));
  },
);
