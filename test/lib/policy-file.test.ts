import { generateKeyPairSync } from 'node:crypto';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { inFull } from '../../lib/full-policy.ts';
import { checkOwners, PolicyFileError, readPolicyFile } from '../../lib/policy-file.ts';
import { makeCertificateChain } from '../certificate-chain.ts';
import { DAY, HOUR } from '../functions/builders.ts';
import { mistakeOf, POLICY, writePolicy } from './synthesize.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const mistakeIn = (text: string): string => mistakeOf(folder, text);

test('reads the example at the root of the repository', () => {
  const { policy } = readPolicyFile('keyturn.example.yaml');
  expect(policy.tokens.map(({ secret }) => secret)).toEqual([
    'keyturn/example/telegraf',
    'monitoring/grafana',
  ]);
});

describe('a mistake names file, line, key, what was found and what was expected:', () => {
  test('a value', () => {
    expect(mistakeIn(POLICY.replace('Europe/Berlin', 'Middle/Earth'))).toBe(
      'keyturn.yaml:4: timeZone: found "Middle/Earth", expected a time zone such as Europe/Berlin or America/Los_Angeles, by its name in the IANA database',
    );
  });

  test('a misspelt key', () => {
    expect(mistakeIn(POLICY.replace('secret:', 'secert:'))).toMatch(
      /^keyturn\.yaml:8: tokens\.grafana\.secert: unknown key.*"secret"/,
    );
  });

  test('a missing key, at the closest thing around it', () => {
    expect(mistakeIn(POLICY.replace(', managementToken: influxdb/management', ''))).toMatch(
      /^keyturn\.yaml:3: cluster\.managementToken: found nothing, expected/,
    );
  });

  test('a schedule that EventBridge would refuse', () => {
    expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', 'cron(0/10 * * * *)'))).toBe(
      'keyturn.yaml:5: schedules.rotate: found "cron(0/10 * * * *)", expected six fields: minutes, hours, day of the month, month, day of the week, year',
    );
  });

  test('a rule in a list', () => {
    expect(
      mistakeIn(`${POLICY}databases:\n  - name: one\n  - name: two\n    maxTables: 0\n`),
    ).toMatch(/^keyturn\.yaml:12: databases\[1\]\.maxTables: found 0/);
  });

  test('several at once, one line each', () => {
    const text = POLICY.replace('Europe/Berlin', 'x').replace('owner: prod', 'owner: "?"');
    expect(mistakeIn(text).split('\n')).toHaveLength(2);
  });

  test('YAML that does not parse', () => {
    expect(mistakeIn(POLICY.replace('owner: prod', 'owner: [prod'))).toMatch(
      /^keyturn\.yaml:\d+: /,
    );
  });

  test('a key given twice', () => {
    expect(mistakeIn(`${POLICY}owner: other\n`)).toMatch(
      /^keyturn\.yaml:9: found owner a second time, expected each key once/,
    );
    expect(mistakeIn(`${POLICY}databases: [{ name: one, maxTables: 3, name: two }]\n`)).toMatch(
      /: found name a second time/,
    );
    // A key may be anything, and what it is may be nobody's to read.
    const key = '"https://ada:hunter2@c.example.com"';
    const twice = mistakeIn(`${POLICY}x-urls: { ${key}: 1, ${key}: 2 }\n`);
    expect(twice).toMatch(/: found this key a second time/);
    expect(twice).not.toContain('hunter2');
  });

  test.each([
    [
      'a bare *',
      POLICY.replace(/read: \[.*?\]|write: \[.*?\]/, 'read: *'),
      /^keyturn\.yaml:\d+: found a bare \*, expected "\*" in quotes[^\n]*$/,
    ],
    [
      'a bare * in a list',
      POLICY.replace(/\[telemetry\]/, '[*]'),
      /^keyturn\.yaml:\d+: found a bare \*, expected "\*" in quotes[^\n]*$/,
    ],
    [
      'a tab',
      POLICY.replace('tokens:\n  ', 'tokens:\n\t'),
      /^keyturn\.yaml:\d+: found a tab, expected spaces/,
    ],
    [
      'a bracket too few',
      POLICY.replace('owner: prod', 'owner: [prod'),
      /^keyturn\.yaml:\d+: (?!.* at line )/,
    ],
  ])('%s, with what to write, and the place once', (_what, text, said) => {
    expect(text).not.toBe(POLICY);
    expect(mistakeIn(text)).toMatch(said);
  });

  test('aliases that mean more than anybody writes', () => {
    const ten = (each: string) => `[${Array(10).fill(each).join(',')}]`;
    const bomb = [
      `x-a: &a ${ten('1')}`,
      `x-b: &b ${ten('*a')}`,
      `x-c: &c ${ten('*b')}`,
      `x-d: &d ${ten('*c')}`,
      `x-e: ${ten('*d')}`,
    ];
    expect(mistakeIn(`${bomb.join('\n')}\n${POLICY}`)).toMatch(
      /found aliases that mean more than 10,000 values, expected fewer/,
    );
  });

  test('an entry by the name __proto__, also one that a merge brings', () => {
    const said =
      /^keyturn\.yaml:\d+: tokens\.__proto__: found this name, expected a token name: letters/;
    const entry = '__proto__: { permissions: { read: [telemetry] } }';
    expect(mistakeIn(`${POLICY}  ${entry}\n`)).toMatch(said);
    expect(mistakeIn(POLICY.replace('telegraf:', '__proto__:'))).toMatch(said);
    expect(mistakeIn(`x-more: &more { ${entry} }\n${POLICY}  <<: *more\n`)).toMatch(said);
  });

  test.each([
    ['of the file', `${POLICY}__proto__: { owner: x }\n`, '__proto__'],
    ['of the cluster', POLICY.replace('{ url', '{ __proto__: 1, url'), 'cluster.__proto__'],
    ['of a token', POLICY.replace('{ perm', '{ __proto__: 1, perm'), 'tokens.telegraf.__proto__'],
    ['of a rule', `${POLICY}databases: [{ name: a, __proto__: 1 }]\n`, 'databases[0].__proto__'],
  ])('a key __proto__ %s', (_what, text, key) => {
    expect(mistakeIn(text)).toMatch(/: unknown key; known here: /);
    expect(mistakeIn(text)).toContain(`: ${key}: `);
  });

  test('an alias without an anchor above it, wherever it stands', () => {
    const entry = (value: string) => `${POLICY}  lab:\n    ${value}\n`;
    const said =
      'keyturn.yaml:10: found *nope, expected an anchor &nope above it; add it, or put text that begins with * in quotes';
    expect(mistakeIn(entry('<<: *nope'))).toBe(said);
    expect(mistakeIn(entry('permissions: *nope'))).toBe(said);
    expect(mistakeIn(`${entry('<<: *nope')}x-nope: &nope { rotateEvery: 20d }\n`)).toBe(said);
  });

  test('an alias inside of what it names', () => {
    const said = /^keyturn\.yaml:\d+: found \*a, expected it outside of what &a names$/;
    expect(mistakeIn(POLICY.replace('owner: prod', 'owner: &a [*a]'))).toMatch(said);
    expect(mistakeIn(`x-loop: &a { b: [*a] }\n${POLICY}`)).toMatch(said);
  });

  test.each([
    ['5', 11, '5'],
    ['', 11, 'null'],
    ['"x"', 11, '"x"'],
    ['[{ rotateEvery: 20d }, 7]', 11, '7'],
    ['[[{ rotateEvery: 20d }]]', 11, 'a list'],
    ['*five', 11, '*five'],
    ['[*five]', 11, '*five'],
    ['*list', 2, '5'],
  ])('a merge key with what is no mapping: %s', (value, line, found) => {
    const anchors = 'x-five: &five 5\nx-list: &list [5]';
    const entry = `  lab:\n    <<: ${value}\n    permissions: { read: [telemetry] }\n`;
    expect(mistakeIn(`${anchors}${POLICY}${entry}`)).toBe(
      `keyturn.yaml:${line}: found ${found}, expected a mapping behind "<<", or the alias of one`,
    );
  });

  test('a merge key alone', () => {
    expect(mistakeIn(`${POLICY}  lab: { <<, permissions: { read: [a] } }\n`)).toMatch(
      /^keyturn\.yaml:9: found nothing, expected a mapping behind "<<"/,
    );
  });

  test('a merge key in quotes, which is a key like others', () => {
    expect(mistakeIn(`${POLICY}  lab: { "<<": 5, permissions: { read: [a] } }\n`)).toMatch(
      /^keyturn\.yaml:9: tokens\.lab\.<<: unknown key/,
    );
  });

  test('two documents', () => {
    expect(mistakeIn(`${POLICY}---\n${POLICY}`)).toBe(
      'keyturn.yaml:9: found a second document, expected one; take out "---" and what is below it, or give it a file of its own',
    );
  });

  test('an empty file', () => {
    expect(mistakeIn('')).toMatch(/^keyturn\.yaml:1: \(the whole file\): /);
  });
});

test.each([
  [
    'a bracket that nobody closes',
    'cluster: {',
    'cluster: [{',
    /:3: found a bracket that opens here and does not close, expected a ] for each \[ .*; close/,
  ],
  [
    'text whose quotes nobody closes',
    'owner: prod',
    'owner: "prod',
    /:2: found quotes that begin here and do not end on this line, expected an end; put/,
  ],
  [
    'two keys on a line',
    'owner: prod',
    'owner: prod: x',
    /:2: found a second key on one line, .*, expected one "key: value" on each; put/,
  ],
  [
    'a line without a colon',
    'owner: prod',
    'owner prod',
    /:2: found no "key: value" here, expected a colon .*; add it/,
  ],
  [
    'text that begins with @',
    'owner: prod',
    'owner: @prod',
    /:2: found text that begins with a character which YAML keeps .*, expected it in quotes; write/,
  ],
  ['a tag', 'owner: prod', 'owner: !Ref prod', /:2: found a tag .*, expected a plain value; take/],
  [
    'a bracket too many',
    'managementToken: influxdb/management }',
    'managementToken: x }}',
    /:3: found a bracket or a comma too many, expected each .*; take/,
  ],
  [
    'an anchor without a name',
    'owner: prod',
    'owner: & prod',
    /:2: found a bare &, expected text that begins with & in quotes: .*; put/,
  ],
])(
  'YAML with %s is told as found, expected and what to do, once a line',
  (_what, before, after, told) => {
    const lines = mistakeIn(POLICY.replace(before, after)).split('\n');
    expect(lines.some((line) => told.test(line))).toBe(true);
    for (const line of lines) expect(line).toMatch(/^keyturn\.yaml:\d+: found .*, expected .*; /);
    const places = lines.map((line) => line.split(': ')[0]);
    expect(places).toEqual([...new Set(places)]);
  },
);

test('a folder is told as one, with the file to name', () => {
  expect(() => readPolicyFile(folder)).toThrow(
    `${folder}: found a folder in place of the policy file; name the file in it, such as ${join(folder, 'keyturn.yaml')}`,
  );
  expect(mistakeIn(POLICY.replace('cluster: {', 'cluster: { ca: .,'))).toMatch(
    /^keyturn\.yaml:3: cluster\.ca: found a folder in place of \S+, expected the authority's certificates in PEM; check/,
  );
});

test('a file that cannot be read is named', () => {
  expect(() => readPolicyFile(join(folder, 'absent.yaml'))).toThrow(
    /absent\.yaml: cannot read the policy file/,
  );
});

test('what never ends is not read to its end', { timeout: 20_000 }, () => {
  expect(() => readPolicyFile('/dev/zero')).toThrow(
    '/dev/zero: found more than 10 MB in the policy file; check its path and permissions',
  );
  expect(mistakeIn(POLICY.replace('cluster: {', 'cluster: { ca: /dev/zero,'))).toBe(
    "keyturn.yaml:3: cluster.ca: found more than 10 MB in /dev/zero, expected the authority's certificates in PEM; check its path and permissions",
  );
});

test.each(['utf16le', 'latin1'] as const)(
  'a file in %s is refused, and says what to do',
  (encoding) => {
    const file = join(folder, 'encoded.yaml');
    writeFileSync(file, Buffer.from(`# Zähler\n${POLICY}`, encoding));
    expect(() => readPolicyFile(file)).toThrow(
      'encoded.yaml: found text in another encoding, expected UTF-8; save it as UTF-8',
    );
  },
);

test('a file of the most bytes is read whole', () => {
  const comment = `#${'x'.repeat(10 * 2 ** 20 - POLICY.length - 1)}`;
  expect(readPolicyFile(writePolicy(folder, `${POLICY}${comment}`)).policy.owner).toBe('prod');
  expect(mistakeIn(`${POLICY}${comment}x`)).toMatch(/: found more than 10 MB in the policy file;/);
});

/** A warning's sentence, without the folder. */
const warningsOf = (text: string) =>
  readPolicyFile(writePolicy(folder, text))
    .warnings.filter(({ key }) => key !== 'deployment.alarms')
    .map(({ sentence }) => sentence.replaceAll(`${folder}/`, ''));

const UNTOLD = /: deployment\.alarms: found nobody whom alarms tell, expected a topic or e-mail/;

test.each([
  ['nothing said of alarms', '', true],
  ['an all-clear that nobody hears', 'deployment: { alarms: { ok: true } }', true],
  ['no metrics, and an all-clear', 'deployment: { metrics: none, alarms: { ok: true } }', true],
  ['alarms alone as metrics', 'deployment: { metrics: alarms }', true],
  ['no metrics', 'deployment: { metrics: none }', false],
  ['an address', 'deployment: { alarms: { emails: [on-call@example.com] } }', false],
  [
    'a topic',
    "deployment: { alarms: { topic: 'arn:aws:sns:eu-west-1:111122223333:on-call' } }",
    false,
  ],
])('with %s it is told whether nobody hears of an alarm', (_what, section, isWarned) => {
  const { warnings } = readPolicyFile(writePolicy(folder, `${POLICY}${section}\n`));
  expect(warnings).toEqual(
    isWarned ? [{ key: 'deployment.alarms', sentence: expect.stringMatching(UNTOLD) }] : [],
  );
});

test.each([
  ['rotate', POLICY.replace('cron(0/10 * * * ? *)', 'rate(1 minute)'), 'rate(1 minute)', '1m'],
  [
    'rotate',
    POLICY.replace('cron(0/10 * * * ? *)', '"cron(0,58 * * * ? *)"'),
    'cron(0,58 * * * ? *)',
    '2m',
  ],
  ['reap', POLICY.replace('rate(1 hour)', 'rate(4 minutes)'), 'rate(4 minutes)', '4m'],
])('warns of %s every few minutes, which leaves a run little time: %#', (job, text, found, gap) => {
  expect(warningsOf(text)).toEqual([
    `keyturn.yaml:5: schedules.${job}: found "${found}", with ${gap} between two firings: a run ends ten seconds before the next one and may begin a minute late, so some do nothing, and long work takes many; choose rate(5 minutes) or a rarer one`,
  ]);
});

test('says nothing of a schedule of five minutes', () => {
  expect(warningsOf(POLICY.replace('cron(0/10 * * * ? *)', 'rate(5 minutes)'))).toEqual([]);
});

describe('cluster.ca', () => {
  const [certificate = '', other = ''] = rootCertificates;
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const chain = makeCertificateChain();
  const authority = 'authority.pem';
  const withAuthority = (content?: string) => {
    if (content !== undefined) writeFileSync(join(folder, authority), content);
    return POLICY.replace('cluster: {', `cluster: { ca: ${authority},`);
  };

  test.each([
    ['one certificate', certificate],
    ['an authority below a root', chain.issuing],
    ['two, with words between them', `# root\n${certificate}\n# other\n${other}\n`],
  ])('is read beside the policy: %s', (_what, pem) => {
    expect(readPolicyFile(writePolicy(folder, withAuthority(pem))).ca).toBe(pem);
  });

  test.each([
    ['an empty file', '', 'holds no certificate, expected'],
    ['another text', 'root:x:0:0:root:/root:/bin/bash\n', 'holds no certificate, expected'],
    [
      'a request for one',
      certificate.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
      'holds a request for a certificate, expected',
    ],
    [
      'what was cut',
      `${certificate}\n${certificate.slice(0, 400)}\n-----END CERTIFICATE-----\n`,
      'of which number 2 is no certificate',
    ],
    [
      'a second one without its end',
      `${certificate}\n${other.slice(0, 500)}`,
      'holds the beginnings of 2 certificates, of which 1 go from BEGIN to END on lines',
    ],
    [
      'two without a line break between them',
      `${certificate.trimEnd()}${other}`,
      'of which 0 go from BEGIN to END on lines of their own, expected each so; copy',
    ],
    ['one within quotes', `"${certificate.trimEnd()}"`, 'of which 0 go from BEGIN to END on lines'],
    ['nothing in the frame', certificate.replace(/\n[\s\S]*\n/, '\nAAAA\n'), 'number 1 is no'],
    ['a private key', key, 'holds a private key'],
    ['a private key beside a certificate', `${certificate}\n${key}`, 'holds a private key'],
    [
      "a server's own certificate",
      chain.leaf,
      'holds no certificate of an authority, only that of a server, which is replaced within months; expected the one that issued it',
    ],
    ['no such file', undefined, 'cannot read authority.pem, expected the authority'],
  ])('is refused by line, key and file, without quoting it: %s', (_what, content, words) => {
    const mistake = mistakeIn(withAuthority(content));
    expect(mistake).toMatch(/^keyturn\.yaml:3: cluster\.ca: .*authority\.pem/);
    expect(mistake).toContain(words);
    expect(mistake).not.toContain('root:x');
    expect(mistake).not.toContain(key.split('\n')[1]);
    expect(mistake).not.toContain(chain.leaf.split('\n')[1]);
  });
});

describe('YAML', () => {
  const tokens = (text: string) => POLICY.replace(/tokens:[\s\S]*/, text);

  test('merge keys are taken, from a key that means nothing or from another token', () => {
    const { policy } = readPolicyFile(
      writePolicy(
        folder,
        tokens(
          [
            'x-writer: &writer { rotateEvery: 7d, permissions: { write: [telemetry] } }',
            'tokens:',
            '  first: &first { <<: *writer, gracePeriod: 2h }',
            '  second: { <<: *first, rotateEvery: 6d }',
          ].join('\n'),
        ),
      ),
    );
    expect(
      policy.tokens.map(({ name, rotateEvery, gracePeriod }) => [name, rotateEvery, gracePeriod]),
    ).toEqual([
      ['first', 7 * DAY, 2 * HOUR],
      ['second', 6 * DAY, 2 * HOUR],
    ]);
  });

  test('one anchor may be used by a thousand tokens', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `  t${index}: { <<: *writer }`);
    const text = tokens(
      ['x-writer: &writer { permissions: { read: "*" } }', 'tokens:', ...names].join('\n'),
    );
    expect(readPolicyFile(writePolicy(folder, text)).policy.tokens).toHaveLength(1_000);
  });

  test.each([
    ['an escape that means nothing', 'a: { description: "\\q" }', 'found a backslash in double'],
    [
      'text on the line of its |',
      'a:\n    description: | text\n      x',
      'found text on the line of |',
    ],
    [
      'text that touches its |',
      'a:\n    description: |text\n      x',
      'found text on the line of |',
    ],
    [
      'text whose first line is the deepest',
      'a:\n    description: |\n          \n      x',
      'found an empty line that is indented deeper',
    ],
    ['a brace too many', 'a: { permissions: { write: [t] } }}', 'found a bracket or a comma too'],
    ['two commas', 'a: { permissions: { write: [t,,u] } }', 'found a bracket or a comma too many'],
    ['text behind quotes', 'a: { description: "x" y }', 'found more text behind a value'],
    ['a list for a key', '? [a, b]\n  : {}', 'found a list in place of a key'],
    ['a mapping for a key', '? { a: 1 }\n  : {}', 'found a mapping in place of a key'],
    [
      'a number for a key',
      '007: { permissions: { write: [t] } }',
      'found the key 007, which YAML reads as 7',
    ],
    ['a decimal for a key', '1.10: {}', 'found the key 1.10, which YAML reads as 1.1'],
    ['a truth for a key', 'True: {}', 'found the key True, which YAML reads as true'],
    ["a template's braces", 'a: {{ x }}', 'found a mapping in place of a key'],
  ])('%s is told of in words, and where', (_what, text, words) => {
    const mistake = mistakeIn(tokens(`tokens:\n  ${text}`));
    expect(mistake).toContain(words);
    expect(mistake).toMatch(/^keyturn\.yaml:\d+: found .*, expected .*; (write|put|take) /);
  });

  test('an empty path is no file', () => {
    expect(() => readPolicyFile(' ')).toThrow(
      'found an empty path (" "), expected that of a policy file; name it, such as keyturn.yaml',
    );
  });

  test('anchors that mean gigabytes are refused', () => {
    const lines = Array.from(
      { length: 12 },
      (_, index) => `  - &a${index + 1} [${`*a${index},`.repeat(9)}]`,
    );
    expect(mistakeIn(`${POLICY}x-bomb:\n  - &a0 [x]\n${lines.join('\n')}\n`)).toMatch(/alias/i);
  });

  test('a character that a terminal obeys is shown as an escape, in keys too', () => {
    expect(mistakeIn(`${POLICY}"a\\e[2Jb": 1\n`)).toMatch(
      /^keyturn\.yaml:9: a\\u\{1b\}\[2Jb: unknown/,
    );
    expect(mistakeIn(`${POLICY}z: *a\u202eb\n`)).toContain('\\u{202e}');
  });
});

test('an approval is for a year at most', () => {
  const now = Date.UTC(2026, 10, 1);
  const text = (until: string) =>
    `${POLICY}databases:\n  - { name: a, retention: 1y, approve: { shortenRetentionUntil: ${until} } }\n`;
  for (const until of ['2020-01-01', '2026-12-24', '2027-11-02']) {
    expect(() => readPolicyFile(writePolicy(folder, text(until)), now)).not.toThrow();
  }
  for (const until of ['2027-11-03', '9999-12-31']) {
    expect(() => readPolicyFile(writePolicy(folder, text(until)), now)).toThrow(
      `keyturn.yaml:10: databases[0].approve.shortenRetentionUntil: found "${until}", expected a date within a year, 2027-11-02 at the latest`,
    );
  }
});

test('two files with one owner are refused, and both are named', () => {
  const named = (name: string, owner: string) => {
    const file = join(folder, name);
    writeFileSync(file, POLICY.replace('owner: prod', `owner: ${owner}`));
    return file;
  };
  const [a, b, c] = [named('a.yaml', 'prod'), named('b.yaml', 'test'), named('c.yaml', 'prod')];
  expect(() => checkOwners([a, b])).not.toThrow();
  expect(() => checkOwners([a, b, c])).toThrow(
    new PolicyFileError(
      `${c}: owner: found "prod", which is also the owner in ${a}, expected another one: it names the stack and marks the tokens of one cluster; choose one such as prod-2`,
    ),
  );
});

describe('keys that begin with x-', () => {
  const EXTENSIONS = 'x-note:\nx-sub: { Fn::Sub: x }\nx-ref: { Ref: AWS::Region }\n';

  test('are not in what the functions are made of, nor is the section deployment', () => {
    const plain = readPolicyFile(writePolicy(folder)).document;
    const section = 'deployment: { memory: 1024 }\n';
    const full = readPolicyFile(writePolicy(folder, `${EXTENSIONS}${POLICY}${section}`)).document;
    expect(full).toEqual(plain);
  });

  test('leave what they hold where it is used', () => {
    const text = POLICY.replace('grafana: {', 'grafana: { <<: *often,');
    const { document } = readPolicyFile(
      writePolicy(folder, `x-often: &often { rotateEvery: 7d }\n${text}`),
    );
    expect(document).toMatchObject({ tokens: { grafana: { rotateEvery: '7d' } } });
    expect(Object.keys(Object(document))).not.toContain('x-often');
  });
});

describe('a policy in full', () => {
  const files = globSync('{keyturn.example,examples/policies/*}.yaml');

  test.each(files)('%s means what the file means', (file) => {
    const { document } = readPolicyFile(file);
    const full = inFull(document);
    expect(parsePolicy(full, file)).toEqual(parsePolicy(document, file));
    expect(inFull(full)).toEqual(full);
  });

  test('says what the file leaves to this version, as a person would write it', () => {
    const { document } = readPolicyFile(writePolicy(folder));
    expect(inFull(document)).toEqual({
      owner: 'prod',
      cluster: {
        url: 'https://influxdb.example.com',
        managementToken: 'influxdb/management',
        allowPlainHttp: false,
      },
      timeZone: 'Europe/Berlin',
      schedules: {
        rotate: 'cron(0/10 * * * ? *)',
        reap: 'rate(1 hour)',
        enforce: 'rate(1 hour)',
        paused: false,
      },
      defaults: {
        rotateEvery: '30d',
        renewBefore: '14d',
        expiresAfter: '90d',
        gracePeriod: '1d',
        quarantine: '7d',
        windows: [],
      },
      tokens: {
        telegraf: { permissions: { write: ['telemetry'] } },
        grafana: { secret: 'monitoring/grafana', permissions: { read: ['telemetry'] } },
      },
      databases: [],
      onRemoval: 'report',
      expiredForeignTokens: 'report',
      limits: { percent: 30, tokens: 3 },
      activationTimeout: '5m',
      settle: '10m',
      concurrency: 10,
      secretWritesPerSecond: 20,
      allowGracePeriodUnderAnHour: false,
      trustedAccounts: [],
    });
  });
});
