import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Happening } from '../../bin/keyturn/history/happening.ts';
import { SAVED } from '../../bin/keyturn/history/happening.ts';
import type { History } from '../../bin/keyturn/history/history-text.ts';
import type { Looks } from '../../bin/keyturn/looks.ts';
import { marksOf } from '../../bin/keyturn/report/marks.ts';
import { type Page, pageOf } from '../../bin/keyturn/report/page.ts';
import { pageHtml as render } from '../../bin/keyturn/report/page-html.ts';
import { openPlace } from '../../bin/keyturn/report/write-page.ts';
import { statusOf } from '../../bin/keyturn/status-report.ts';
import { redact } from '../../functions/credentials.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { DAY, policyWith } from '../world/policy.ts';
import { temporaryFolder } from './cli.ts';

const pageHtml = (page: Page, clean = (text: string) => text) => render(page, clean);

const NOW = Date.UTC(2026, 2, 31);
const SINCE = NOW - 30 * DAY;
const SECRET = 'keyturn/prod/telegraf';
const both = { permissions: { read: ['telemetry', 'weather'], write: ['telemetry'] } };
const CLUSTER = { cluster: { url: 'https://influxdb.example.com', managementToken: 'm' } };
const policy = parsePolicy(
  policyWith(
    { telegraf: both, admin: { permissions: { read: '*' } } },
    { ...CLUSTER, databases: [{ name: 'telemetry', retention: '90d' }] },
  ),
);

const plan = (job: string) => ({ job, actions: [], findings: [], limits: [], refusals: [] });
const entry = (token: string, tokenId: string) => ({
  ...{ token, secret: `keyturn/prod/${token}`, condition: 'works', late: false, tokenId },
  expiresAt: NOW + 60 * DAY,
  acceptance: { answer: 'accepted' },
});
const looks = {
  rotate: {
    plan: plan('rotate'),
    managementToken: { by: 'secret', expiresAt: 'never' },
    entries: [entry('telegraf', 'bbbbbbbb-2'), entry('admin', 'cccccccc-3')],
  },
  reap: { plan: plan('reap') },
  enforce: { plan: plan('enforce') },
} as unknown as Looks;
const schedules = ['rotate', 'reap', 'enforce'].map((job) => ({
  name: `keyturn-prod-${job}`,
  state: 'on' as const,
}));

const happening = (days: number, what: string, more: Partial<Happening> = {}): Happening => ({
  ...{ at: SINCE + days * DAY, what, secret: SECRET, sources: ['log of rotate'], count: 1 },
  by: 'schedule',
  ...more,
});
const [A, B] = [{ tokenId: 'aaaaaaaa-1' }, { tokenId: 'bbbbbbbb-2' }];
const told = [
  happening(-5, 'minted', A),
  happening(-5, 'promoted', A),
  happening(9, SAVED, { by: 'not Keyturn' }),
  happening(10, 'minted', B),
  happening(10.1, 'promoted', { ...B, formerId: A.tokenId, why: 'Due' }),
  happening(12, 'quarantined', A),
  happening(14, 'deleted', { ...A, why: 'leaked', sources: ['log of revoke'] }),
  happening(15, 'retention changed from 30d to 90d', { secret: undefined, subject: 'telemetry' }),
];
const sources = [{ source: 'log of rotate', isWhole: true, found: '3 lines' }];
const history: History = {
  ...{ owner: 'prod', since: SINCE, sinceText: '30d', happenings: told, told, sources },
  living: new Map([
    [B.tokenId, 'works'],
    ['cccccccc-3', 'works'],
  ]),
  entryOf: () => undefined,
};
const origin = {
  ...{ now: NOW, policyFile: 'keyturn.yaml', account: 'account 123456789012, eu-west-1' },
  ...{ place: 'this machine', version: '1.2.3' },
};

interface Given {
  readonly looks?: Looks;
  readonly history?: History | Error;
  readonly policy?: typeof policy;
}

function build(given: Given = {}): Page {
  const { policy: file = policy } = given;
  const status = statusOf({ policy: file }, given.looks ?? looks, schedules, NOW);
  return pageOf(file, status, given.history ?? history, history, origin);
}

describe('what the page shows', () => {
  test('is what status and history found', () => {
    const page = build();
    expect(page).toMatchObject({
      ...{ owner: 'prod', verdict: 'well', isWhole: true, risks: [], since: SINCE },
      tokens: [
        { name: 'telegraf', state: 'works', string: 'accepted', expires: 'in 60d' },
        { name: 'admin' },
      ],
    });
    expect(page.groups.map(({ name, lives }) => [name, lives.length])).toEqual([
      ['telegraf', 2],
      // It has a token, of which nothing is told.
      ['admin', 1],
      ['telemetry', 0],
    ]);
    expect(page.marks.map(({ kind, what, about }) => [kind, about, what])).toEqual([
      ['incident', 'telegraf', SAVED],
      ['rotation', 'telegraf', 'promoted'],
      ['revocation', 'telegraf', 'deleted'],
      ['change', 'telemetry', 'retention changed from 30d to 90d'],
    ]);
  });

  test('is which entry may use which database, with wildcards in full', () => {
    expect(build().access).toEqual([
      { database: 'telemetry', readers: ['telegraf', 'admin'], writers: ['telegraf'] },
      { database: 'weather', readers: ['telegraf', 'admin'], writers: [] },
      { database: '*', readers: ['admin'], writers: [] },
    ]);
    const every = parsePolicy(policyWith({ admin: { permissions: { read: '*' } } }, CLUSTER));
    expect(pageHtml(build({ policy: every }))).toContain(
      '<th scope="row">every database</th><td>admin</td>',
    );
  });

  test('is a risk where a rule is about a database that keeps nothing for long, and no heading says that it is none', () => {
    const of = (database: string, kind: string) => ({ kind, database, message: `${database}: 1m` });
    const findings = [
      of('telemetry', 'RetentionTooShort'),
      of('scratch', 'UnmanagedTooShort'),
      { kind: 'ForeignExpiring', message: '1 token of others' },
    ];
    const enforce = { plan: { ...plan('enforce'), findings } };
    const page = build({ looks: { ...looks, enforce } as unknown as Looks });
    expect(page).toMatchObject({
      verdict: 'not well',
      risks: [{ verdict: 'not well', about: 'telemetry', text: 'telemetry: 1m' }],
      inventory: ['scratch: 1m', '1 token of others'],
      databases: [{ database: 'telemetry', state: 'at risk' }],
    });
    expect(pageHtml(page)).toContain('Good to know:');
    expect(pageHtml(page)).not.toContain('No trouble');
  });

  test('is no table without rows', () => {
    const file = parsePolicy(policyWith({}, CLUSTER));
    const text = pageHtml(build({ policy: file }));
    expect(text).toContain('What each entry may do: none.');
    expect(text).not.toMatch(/<tbody>\s*<\/tbody>/);
  });

  test('is no order of databases that nobody looked at, also where no rule names one', () => {
    const file = parsePolicy(policyWith({ telegraf: both }, { ...CLUSTER, databases: [] }));
    const unseen = build({ policy: file, looks: { ...looks, enforce: new Error('denied') } });
    expect(pageHtml(unseen)).not.toContain('none is to be corrected');
    expect(pageHtml(unseen)).toContain('enforce was not seen to look at them');
    expect(pageHtml(build({ policy: file }))).toContain('none is to be corrected');
  });

  test('is not what was done to a database in the lines of an entry of that name', () => {
    const file = parsePolicy(policyWith({ telemetry: both }, CLUSTER));
    const { groups } = build({ policy: file });
    const [entryOfName, ...rest] = groups;
    expect([entryOfName?.name, entryOfName?.marks]).toEqual(['telemetry', []]);
    expect(rest.map(({ name }) => name)).toContain('telemetry (not the entry)');
  });

  test('is unknown where nothing could be looked at, and says why', () => {
    const rotate = new Error('you may not invoke it');
    const page = build({
      looks: { ...looks, rotate },
      history: new Error('nothing could be read'),
    });
    expect(page).toMatchObject({ verdict: 'unknown', isWhole: false });
    expect(page.tokens.map(({ state, string }) => [state, string])).toEqual([
      ['unknown', 'not asked'],
      ['unknown', 'not asked'],
    ]);
    expect(page.risks).toEqual(
      expect.arrayContaining([
        { verdict: 'unknown', about: 'rotate', text: 'could not be asked: you may not invoke it' },
        { verdict: 'unknown', about: 'history', text: 'nothing could be read' },
      ]),
    );
    const text = pageHtml(page);
    expect(text).toContain('Nothing is told of this time.');
    expect(text).not.toContain('no risk was found');
  });

  test('has a refusal with what approves it before what is only unknown', () => {
    const refusals = [{ hash: '0123456789abcdef', message: '4 tokens would go', actions: [] }];
    const reap = { plan: { ...plan('reap'), refusals } } as unknown as Looks['reap'];
    const { risks } = build({ looks: { ...looks, reap, enforce: new Error('denied') } });
    expect(risks[0]).toEqual({
      ...{ verdict: 'not well', about: 'refused (reap)', text: '4 tokens would go' },
      command: 'keyturn apply --approve 0123456789abcdef',
    });
    expect(risks.slice(1).every(({ verdict }) => verdict === 'unknown')).toBe(true);
  });
});

test('a deletion is a revocation by an order, an incident by others, and else the end of a bar', () => {
  const kinds = marksOf(
    [
      happening(1, 'deleted', { ...A, sources: ['log of revoke', 'cluster'] }),
      happening(1, 'deleted', { ...A, sources: ['cluster'], by: 'not Keyturn: no log has it' }),
      happening(1, 'deleted', { ...A, sources: ['log of reap'] }),
      // No bar ends with these: of nobody knows whom, and a token that was never ours.
      happening(1, 'deleted', { ...A, sources: ['cluster'], by: 'by whom is not known: not read' }),
      happening(1, 'deleted', { ...A, secret: undefined, sources: ['log of reap'] }),
    ],
    [],
  ).map(({ kind }) => kind);
  expect(kinds).toEqual(['revocation', 'incident', 'change', 'change']);
});

/** Elements and attributes, as a browser would find them. */
const tagsOf = (text: string) => [...text.matchAll(/<([a-z][a-z0-9]*)\b/gi)].map(([, tag]) => tag);

describe('the file', () => {
  const text = pageHtml(build());

  test('loads nothing, runs nothing and sends nothing', () => {
    expect(text).toMatch(/^<!doctype html>\n/);
    expect(text).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
    );
    const loading = ['script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'base', 'a'];
    expect(tagsOf(text).filter((tag) => loading.includes(tag ?? ''))).toEqual([]);
    expect(text).not.toMatch(/@import|\bsrc=|\bhref=|\bon[a-z]+=/i);
    expect(text.match(/url\([^)]*\)/g)?.every((each) => each.startsWith('url(#'))).toBe(true);
  });

  test('has a bar for every state and a mark for every mark, within the time that is shown', () => {
    const svg = /<svg class="timeline"[\s\S]*?<\/svg>/.exec(text)?.[0] ?? '';
    expect(svg).toContain('role="img"');
    expect(svg).toMatch(/aria-label="Timeline, 2026-03-01 00:00 to 2026-03-31 00:00 UTC: /);
    const titles = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title);
    expect(titles).toContain(
      'aaaaaaaa of telegraf: quarantined, 2026-03-13 00:00 to 2026-03-15 00:00',
    );
    expect(titles).toContain('bbbbbbbb of telegraf: current, 2026-03-11 02:24 to now');
    expect(titles).toContain(
      '2026-03-11 02:24 telegraf bbbbbbbb: promoted in place of aaaaaaaa; schedule; Due',
    );
    const lefts = [...svg.matchAll(/<rect[^>]* x="(-?[\d.]+)"/g)].map(([, x]) => Number(x));
    // The room of the labels: the first token is older than what is shown.
    expect(Math.min(...lefts)).toBeGreaterThan(72);
  });

  test('has one heading of the first rank, a language, and a name for each table and figure', () => {
    expect(text).toContain('<html lang="en">');
    expect(text.match(/<h1>/g)).toHaveLength(1);
    const tables = text.match(/<table>/g) ?? [];
    expect(tables.length).toBeGreaterThan(7);
    expect(text.match(/<table><caption>[^<]/g)).toHaveLength(tables.length);
    expect(text.match(/<tr>(?:<td[^>]*>.*?<\/td>)*<th scope=|<thead>/g)?.length).toBeGreaterThan(
      10,
    );
  });
});

test('is printed without patterns, of which paper would have thousands of lines', () => {
  const [style = ''] = /<style>[\s\S]*<\/style>/.exec(pageHtml(build())) ?? [];
  const [onScreen = ''] = /@media screen \{[\s\S]*?\n\}/.exec(style) ?? [];
  expect(onScreen).toContain('url(#superseded)');
  expect(style.replace(onScreen, '')).not.toContain('url(');
});

/** In every place of the page where text comes from outside. */
function planted(string: string): Page {
  const file = parsePolicy(
    policyWith({ telegraf: { ...both, description: 'for people' } }, CLUSTER),
  );
  const findings = [
    { kind: 'Lingering', message: string, secret: SECRET },
    { kind: 'Stray', message: string },
    { kind: 'Foreign', message: string },
    { kind: 'Missing', message: string, database: string },
  ];
  const refusals = [{ hash: string, message: string, actions: [] }];
  const acceptance = { answer: string, why: string };
  const said = { by: string, why: string, subject: string, sources: [string] };
  const all = ['minted', 'promoted', 'found', 'failed: x', string].map((what, index) =>
    happening(index, what, { ...said, tokenId: string, formerId: string }),
  );
  return pageOf(
    { ...file, owner: string, cluster: { ...file.cluster, url: string } },
    statusOf(
      { policy: file },
      {
        rotate: {
          plan: { ...plan('rotate'), findings, refusals },
          entries: [{ ...entry('telegraf', string), condition: string, acceptance }],
        },
        reap: new Error(string),
        enforce: { plan: { ...plan('enforce'), findings } },
      } as unknown as Looks,
      [{ name: 'keyturn-prod-rotate', state: 'off', since: string, by: string, reason: string }],
      NOW,
    ),
    {
      ...history,
      told: [...all, happening(6, 'deleted', { secret: string, tokenId: 'x', why: string })],
      sources: [{ source: string, isWhole: false, found: string }],
    },
    { since: SINCE, sinceText: string },
    { ...origin, policyFile: string, account: string, place: string },
  );
}

test('nothing that comes from outside becomes markup, in text, in attributes or in the drawing', () => {
  const evil = `"'><script>alert(1)</script><!--</style></title></svg>&`;
  const page = planted(evil);
  const text = pageHtml(page);
  expect(text.split('alert(1)').length).toBeGreaterThan(30);
  expect(tagsOf(text)).not.toContain('script');
  const known = ['style', 'title', 'svg', 'table', 'section', 'html', 'body', 'g', 'div', 'tr'];
  for (const tag of known) {
    const opened = text.match(new RegExp(`<${tag}\\b[^>]*[^/]>|<${tag}>`, 'g'))?.length ?? 0;
    expect([tag, text.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0]).toEqual([tag, opened]);
  }
  expect(text.match(/<!--/g)).toHaveLength(1);
});

test('no control character, and none that turns the direction of text, comes onto the page', () => {
  const text = pageHtml(planted(`a\u0000b\u001b[31mc\u202ed\u2028e\ufefff`));
  expect(text).toMatch(/a b \[31mc d e f/);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
});

test('a token string that stands anywhere in what was found is not on the page', () => {
  const string = `apiv1_${'Ab3-_zY9'.repeat(11)}==`;
  const jwt =
    'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYWNoaW5lIn0.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2g';
  for (const secret of [string, jwt]) {
    const found = planted(`see ${secret} there`);
    expect(pageHtml(found)).toContain(secret.slice(0, 20));
    const text = pageHtml(found, redact);
    expect(text).toContain('[token]');
    expect(text).not.toContain(secret.slice(8, 28));
  }
});

test('a fleet has several figures, and no line of the drawing is lost', () => {
  const tokens = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`t${index}`, both]));
  const many = Object.keys(tokens).map((name, index) =>
    happening(1, 'promoted', { tokenId: `${index}-of-${name}`, secret: `keyturn/prod/${name}` }),
  );
  const text = pageHtml(
    build({
      policy: parsePolicy(policyWith(tokens, CLUSTER)),
      history: { ...history, told: many },
    }),
  );
  expect(text.match(/<svg class="timeline"/g)).toHaveLength(3);
  for (const { tokenId = '' } of many) expect(text).toContain(`>${tokenId.slice(0, 8)}</text>`);
});

describe('the place of the page', () => {
  const PAGE = pageHtml(build());

  test('is found out before anything is done, and nothing is left there', () => {
    const folder = temporaryFolder();
    const absent = join(folder, 'no/such/page.html');
    expect(() => openPlace(absent)).toThrow(/--html: found ENOENT.*; nothing was done$/);
    mkdirSync(join(folder, 'folder.html'));
    expect(() => openPlace(join(folder, 'folder.html'))).toThrow(/found a folder under/);
    openPlace(join(folder, 'page.html'));
    expect(readdirSync(folder)).toEqual(['folder.html']);
  });

  test('has the page as a whole, and only such a page is replaced', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'page.html');
    openPlace(file)(PAGE);
    openPlace(file)(`${PAGE}again`);
    expect(readFileSync(file, 'utf8')).toBe(`${PAGE}again`);
    const other = join(folder, 'keyturn.yaml');
    writeFileSync(other, 'owner: prod\n');
    expect(() => openPlace(other)).toThrow(/something else than a page of keyturn report/);
    expect(readFileSync(other, 'utf8')).toBe('owner: prod\n');
    expect(readdirSync(folder)).toEqual(['keyturn.yaml', 'page.html']);
  });

  test('is where a link leads, and the link stays', () => {
    const folder = temporaryFolder();
    openPlace(join(folder, 'page.html'))(PAGE);
    symlinkSync('page.html', join(folder, 'link.html'));
    openPlace(join(folder, 'link.html'))(`${PAGE}again`);
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe(`${PAGE}again`);
    expect(readdirSync(folder, { withFileTypes: true })[0]?.isSymbolicLink()).toBe(true);
    symlinkSync('later.html', join(folder, 'a.html'));
    openPlace(join(folder, 'a.html'))(PAGE);
    expect(readFileSync(join(folder, 'later.html'), 'utf8')).toBe(PAGE);
    expect(readdirSync(folder, { withFileTypes: true })[0]?.isSymbolicLink()).toBe(true);
  });

  test('lets nobody read what could not read the page that was there', () => {
    const file = join(temporaryFolder(), 'page.html');
    openPlace(file)(PAGE);
    for (const mode of [0o600, 0o666]) {
      chmodSync(file, mode);
      openPlace(file)(PAGE);
      expect(statSync(file).mode & 0o777).toBe(mode);
    }
  });

  test('has a name', () => {
    expect(() => openPlace('')).toThrow(/--html: .*; nothing was done$/);
  });
});
