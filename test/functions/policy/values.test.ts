import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { PolicyError } from '../../../functions/policy/policy-error.ts';
import { policyJsonSchema } from '../../../lib/policy-schema.ts';
import { DAY, id } from '../builders.ts';

const permissions = { write: ['telemetry'] };
const cluster = { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' };
const document = (more: object = {}, entry: object = {}) => ({
  owner: 'prod',
  cluster,
  tokens: { telegraf: { permissions, ...entry } },
  ...more,
});

/** One sentence for each mistake; none: the policy is accepted. */
function sentences(value: unknown): readonly string[] {
  try {
    parsePolicy(value);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
}
const inCluster = (more: object) => sentences(document({ cluster: { ...cluster, ...more } }));
const inEntry = (entry: object) => sentences(document({}, entry));
const inRule = (rule: object) => sentences(document({ databases: [{ name: 'signals', ...rule }] }));
const granting = (read: unknown) => inEntry({ permissions: { read } });

const NAME =
  'a database name (letters, digits, "_", "-" and "/", not beginning with "_"), or "*" for all; a grant knows no other globs, so list the databases';

test.each(['telem*', 'tele?etry', '[a-z]', '_internal', 'a b', 'tele.metry', '', '* ', '**'])(
  'refuses a grant for "%s", which names no database',
  (name) => {
    expect(granting([name])).toEqual([
      `tokens.telegraf.permissions.read[0]: found "${name}", expected ${NAME}`,
    ]);
  },
);

test('refuses a grant for a name that is longer than a database can have', () => {
  expect(granting(['ü'.repeat(33)]).join()).toContain('expected at most 64 bytes');
  expect(granting(['ü'.repeat(32)])).toEqual([]);
});

test('names every database of a list that is wrong', () => {
  expect(granting(['telem*', 'signals', 'a b'])).toHaveLength(2);
});

test('takes "*" without a list, as a grant for all databases', () => {
  const all = parsePolicy(document({}, { permissions: { read: '*', write: ['*'] } }));
  expect(all.tokens[0]?.permissions).toEqual([
    { action: 'read', resource: '*' },
    { action: 'write', resource: '*' },
  ]);
});

test('shows the list that a single value was to be', () => {
  expect(granting('telemetry')).toEqual([
    'tokens.telegraf.permissions.read: found "telemetry", expected a list, ["telemetry"], or "*"',
  ]);
  expect(inEntry({ windows: 'Mon 09:00-17:00' })).toEqual([
    'tokens.telegraf.windows: found "Mon 09:00-17:00", expected a list, ["Mon 09:00-17:00"]',
  ]);
  expect(inEntry({ permissions: [{ action: 'read', resource: 'telemetry' }] }).join()).toContain(
    'expected a mapping such as {read: [telemetry], write: [telemetry]}',
  );
});

test.each([
  ['1y', 365 * DAY],
  ['3mo', 90 * DAY],
  ['2016h0m0s', 84 * DAY],
  ['1mo1d', 31 * DAY],
])('takes %s as a duration and as a retention period', (text, milliseconds) => {
  const longest = { expiresAfter: text, rotateEvery: '10d' };
  const policy = parsePolicy(
    document({ databases: [{ name: 'signals', retention: text }] }, longest),
  );
  expect(policy.tokens[0]?.expiresAfter).toBe(milliseconds);
  expect(policy.databases[0]?.retention).toBe(BigInt(milliseconds) * 1_000_000n);
});

test.each(['36501d', '999999999d', `${'9'.repeat(400)}y`, '101y'])(
  'refuses %s, after which no server has an instant',
  (duration) => {
    for (const key of ['rotateEvery', 'renewBefore', 'gracePeriod', 'quarantine']) {
      expect(inEntry({ [key]: duration }).join()).toMatch(
        /expected a duration of at most 36500d \(a hundred years\)$/,
      );
    }
    expect(inEntry({ expiresAfter: duration }).join()).toMatch(
      /expected "never", or a duration of at most 36500d \(a hundred years\)$/,
    );
    expect(sentences(document({ settle: duration }))).toHaveLength(1);
  },
);

test('takes a token that lives a hundred years', () => {
  expect(inEntry({ expiresAfter: '36500d' })).toEqual([]);
});

test.each([
  ['0s', false],
  ['9s', false],
  ['10s', true],
  ['13m', true],
  ['13m1s', false],
])('activationTimeout %s is taken: %s', (activationTimeout, isTaken) => {
  expect(sentences(document({ activationTimeout }))).toEqual(
    isTaken
      ? []
      : [
          `activationTimeout: found ${activationTimeout}, expected 10s to 13m: within less, no probe could see that a token is accepted, and a run ends after 15m`,
        ],
  );
});

const URL_WORDS =
  'expected a URL such as https://influxdb.example.com, without a user name, a password, "?", "#" or "*"';

test.each([
  'https://influxdb.example.com?x=1',
  'https://influxdb.example.com/?',
  'https://influxdb.example.com/#part',
  'https://*.example.com',
  'https:\\\\influxdb.example.com',
  'https://influxdb.example.com\\@other.example.com',
  ' https://influxdb.example.com',
  'https://influxdb.example.com:99999',
  'https://',
  'ftp://influxdb.example.com',
])('refuses the address %s, which is not a host and a path alone', (url) => {
  for (const key of ['url', 'dataUrl']) {
    expect(inCluster({ [key]: url }).join()).toContain(URL_WORDS);
  }
});

test.each([
  'https://admin:hunter2@influxdb.example.com',
  'https://admin:hunter2@influxdb.example.com:99999',
  'https://admin:hun/hunter2@influxdb.example.com',
  'https://hunter2@influxdb.example.com',
  'https://admin:hun ter"hunter2@influxdb.example.com',
])('refuses %s without quoting the password', (url) => {
  const [sentence, ...more] = inCluster({ url });
  expect(sentence).toMatch(/^cluster\.url: found "https:\/\/…@.*expected a URL/);
  expect(sentence).not.toContain('hun');
  expect(more).toEqual([]);
});

test.each([
  'https://influxdb.example.com',
  'https://Influx.Example.com:443/',
  'https://influxdb.example.com/path/to',
  'https://[2001:db8::1]:8443',
])('takes the address %s', (url) => {
  expect(inCluster({ url })).toEqual([]);
});

test('refuses an address that the tag of a secret has no room for', () => {
  expect(inCluster({ url: `https://${'a'.repeat(250)}.com` }).join()).toContain('at most 256');
});

const ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';

test.each([
  '*',
  'influx*',
  'influx?',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what people paste from a template
  '${x}',
  'influx management',
  'Bearer M.V1',
  'a'.repeat(513),
  `${ARN}*`,
  ARN,
  'arn:aws:s3:::bucket',
])('refuses %s as the name of the secret with the management token', (managementToken) => {
  expect(inCluster({ managementToken }).join()).toMatch(
    /^cluster\.managementToken: found .*, expected the name of a secret .* or its ARN, whole and without wildcards$/,
  );
});

test.each(['', 'influx_', 'Bearer-'])(
  'refuses the administrator’s token in place of its name, and quotes nothing of it: "%s"',
  (before) => {
    const [sentence, ...more] = inCluster({
      managementToken: `${before}eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc`,
    });
    expect(sentence).toMatch(/^cluster\.managementToken: found the string of a token/);
    expect(sentence).not.toContain('eyJ');
    expect(more).toEqual([]);
  },
);

test.each(['influxdb/management', `${ARN}influx`, `${ARN}influx-AbCdEf`])(
  'takes %s as the name of the secret with the management token',
  (managementToken) => {
    expect(inCluster({ managementToken })).toEqual([]);
  },
);

test.each(['team/x-AbCdEf', 'team/x'])(
  'recognises by the ARN %s the secret that a token is to be written into',
  (end) => {
    const own = document({ cluster: { ...cluster, managementToken: `${ARN}${end}` } });
    const into = (secret: string) =>
      sentences({ ...own, tokens: { telegraf: { permissions, secret } } });
    expect(into('team/x')).toEqual([
      'tokens.telegraf.secret: team/x contains the management token, which Keyturn only reads',
    ]);
    expect(into('team/y')).toEqual([]);
  },
);

test('recognises by its ARN a secret with the prefix of our own', () => {
  expect(inCluster({ managementToken: `${ARN}keyturn/prod/telegraf-AbCdEf` })[0]).toContain(
    'begins with keyturn/prod/',
  );
});

test.each([
  '1234abcd-12ab-34cd-56ef-1234567890ab',
  'mrk-1234abcd12ab34cd56ef1234567890ab',
  'keyturn',
  '*',
  'alias/*',
  'alias/aws/secretsmanager',
  'arn:aws:s3:::x',
])('refuses %s as a key', (encryptionKey) => {
  expect(sentences(document({ encryptionKey }))).toEqual([
    `encryptionKey: found "${encryptionKey}", expected the ARN of a KMS key (arn:aws:kms:eu-west-1:111122223333:key/<id>) or an alias such as alias/tokens; leave it out for AWS's own key`,
  ]);
});

const KMS = 'arn:aws:kms:eu-central-1:111122223333:';
test.each([
  'alias/keyturn',
  `${KMS}alias/keyturn`,
  `${KMS}key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  `${KMS}key/mrk-1234abcd12ab34cd56ef1234567890ab`,
])('takes %s as a key', (encryptionKey) => {
  expect(sentences(document({ encryptionKey }))).toEqual([]);
});

test.each(['*', 'bus name', 'a/b', 'x'.repeat(257), 'arn:aws:s3:::b'])(
  'refuses %s as a bus',
  (eventBus) => {
    expect(sentences(document({ eventBus })).join()).toContain(
      'expected the name of a bus (letters, digits and "._-", at most 256) or its ARN',
    );
  },
);

test.each(['default', 'arn:aws:events:eu-central-1:111122223333:event-bus/x'])(
  'takes %s as a bus',
  (eventBus) => {
    expect(sentences(document({ eventBus }))).toEqual([]);
  },
);

test('refuses what has only the length of a UUID', () => {
  const dashes = '-'.repeat(36);
  expect(inEntry({ adopt: { tokenId: dashes } }).join()).toContain('expected a UUID such as');
  expect(inCluster({ accountId: dashes, clusterId: dashes })).toHaveLength(2);
});

test.each(
  'europe/berlin EUROPE/BERLIN +02:00 utc UTC+2 PST IST JST ACT BST AST SystemV/EST5EDT Etc/Unknown Factory'.split(
    ' ',
  ),
)('refuses %s, which EventBridge does not know as a time zone', (timeZone) => {
  expect(sentences(document({ timeZone }))).toEqual([
    `timeZone: found "${timeZone}", expected a time zone such as Europe/Berlin or America/Los_Angeles, by its name in the IANA database`,
  ]);
});

/** Names that later ones have replaced, and that people still write. */
const LINKS =
  'UTC GMT GMT0 EST EST5EDT CET GB NZ-CHAT Zulu US/Pacific Etc/GMT+5 Europe/Kiev Asia/Calcutta Canada/Eastern Brazil/East'.split(
    ' ',
  );

test('takes every time zone of the IANA database, and its links', () => {
  const names = [...Intl.supportedValuesOf('timeZone'), ...LINKS];
  expect(names.filter((timeZone) => sentences(document({ timeZone })).length > 0)).toEqual([]);
});

const UNSEEN = [
  ['ESC', '\u001b[31m', '\\u001b'],
  ['a line end', '\n', '\\n'],
  ['NUL', '\u0000', '\\u0000'],
  ['DEL', '\u007f', '\\u{7f}'],
  ['a C1 control', '\u009b', '\\u{9b}'],
  ['a right-to-left override', '\u202e', '\\u{202e}'],
  ['an isolate', '\u2066', '\\u{2066}'],
  ['a zero-width space', '\u200b', '\\u{200b}'],
  ['a line separator', '\u2028', '\\u{2028}'],
  ['a tag character', '\u{e0041}', '\\u{e0041}'],
  ['half a character', '\ud800', '\\ud800'],
] as const;

test.each(UNSEEN)('refuses %s in every free text, and shows an escape', (_what, unseen, shown) => {
  const text = `a${unseen}b`;
  const refusals = [
    inEntry({ description: text }),
    inEntry({ adopt: { tokenId: id(1), key: text } }),
    inEntry({ secret: text }),
    granting([text]),
    inCluster({ ca: text }),
    inCluster({ managementToken: text }),
    inCluster({ url: `https://influxdb.example.com/${text}` }),
    inRule({ name: text }),
    inRule({ tables: [{ name: text }] }),
    inRule({ partitionTemplate: [{ type: 'tag', value: text }] }),
    inRule({ partitionTemplate: [{ type: 'time', value: `%Y${text}` }] }),
    sentences(document({ eventBus: text })),
    sentences(document({ encryptionKey: text })),
    sentences(document({ timeZone: text })),
    sentences(document({ [text]: 1 })),
  ];
  for (const [index, refusal] of refusals.entries()) {
    expect(refusal.join('\n'), `text ${index}`).not.toContain(unseen);
    expect(refusal.join('\n').replaceAll('\\u{a}', '\\n'), `text ${index}`).toMatch(/\\/);
  }
  const codePoint = `U+${unseen.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
  expect(inEntry({ description: text })).toEqual([
    expect.stringContaining(
      `expected a text, on one line and without control characters or invisible ones; take out ${codePoint}`,
    ),
  ]);
  expect(inEntry({ description: text })[0]).toContain(shown);
});

test('names the invisible character that joins two into one emoji', () => {
  expect(inEntry({ description: '👩\u200d💻 writer' }).join()).toMatch(/; take out U\+200D$/);
});

test.each([
  ['name and match', { name: 'a', match: 'a*' }, 'match: found beside name'],
  [
    'name and match, and what neither knows',
    { name: 'a', match: 'a*', nam: 1 },
    'match: found beside name',
  ],
  [
    'match and what is of one database',
    { match: 'a*', ifMissing: 'create' },
    'ifMissing: found beside match',
  ],
])('says of a rule with %s which to take out', (_what, rule, said) => {
  expect(sentences(document({ databases: [rule] }))).toContain(
    `databases[0].${said}, expected one without the other; take one out`,
  );
});

test('names each known key of a rule once', () => {
  expect(sentences(document({ databases: [{ name: 'a', retentionPeriod: '30d' }] }))).toEqual([
    'databases[0].retentionPeriod: unknown key; known here: name, retention, maxTables, maxColumnsPerTable, ifMissing, partitionTemplate, tables, mode, approve, match',
  ]);
});

test.each([
  '/api/v0',
  '/api/v0/',
  '/influx/api/v0',
  '/api/v0/accounts/1/clusters/2',
  '/api/v2/write',
  '/query',
])('refuses a URL that ends in %s, which would come twice', (path) => {
  expect(inCluster({ url: `https://influxdb.example.com${path}` })).toEqual([
    `cluster.url: found "https://influxdb.example.com${path}", expected the URL without a path of the API, such as /api/v0 or /query, which the functions add`,
  ]);
});

test('takes a host that is named like a path of the API', () => {
  expect(inCluster({ url: 'https://query' })).toEqual([]);
});

test('takes a description in any language', () => {
  for (const description of ['Prüfstand 3 – „Süd“', '製造ライン', 'قسم الإنتاج', '🏭 ok', '']) {
    expect(inEntry({ description })).toEqual([]);
  }
});

test('refuses more columns than a table can have', () => {
  expect(inRule({ maxColumnsPerTable: 5_000 })).toEqual([
    'databases[0].maxColumnsPerTable: found 5000, expected at most 1000',
  ]);
  expect(
    sentences(document({ databases: [{ match: 'a*', maxColumnsPerTable: { max: 1_001 } }] })),
  ).toEqual(['databases[0].maxColumnsPerTable.max: found 1001, expected at most 1000']);
  expect(inRule({ maxColumnsPerTable: 1_000, maxTables: 5_000 })).toEqual([]);
});

const tag = (value: string) => ({ type: 'tag', value });
const bucket = (tagName: string) => ({ type: 'bucket', value: { tagName, numberOfBuckets: 10 } });
const time = (value: string) => ({ type: 'time', value });

test.each([
  [[time('%Y'), time('%m')], 'expected one part of type time'],
  [[tag('room'), bucket('room'), time('%Y')], 'expected each tag in one part alone'],
  [[tag('room'), tag('room')], 'expected each tag in one part alone'],
  [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(tag), 'expected at most 7 parts of type tag'],
  [[tag('time'), time('%Y')], 'write a part of type time'],
  [[bucket('time'), time('%Y')], 'write a part of type time'],
  [[time('%q')], 'expected "%Y-%m-%d", "%Y-%m" or "%Y"'],
  [[time('%Y-%m-%d %H')], 'expected "%Y-%m-%d", "%Y-%m" or "%Y"'],
  [[time('%Y|%m')], 'expected "%Y-%m-%d", "%Y-%m" or "%Y"'],
  [[time('daily')], 'expected "%Y-%m-%d", "%Y-%m" or "%Y"'],
  [[time('%Y-%')], 'expected "%Y-%m-%d", "%Y-%m" or "%Y"'],
  [[{ type: 'label', value: 'room' }], 'found "label", expected "tag" or "time" or "bucket"'],
  [[{ value: 'room' }], 'found nothing, expected "tag" or "time" or "bucket"'],
])('refuses the partition template %j', (partitionTemplate, words) => {
  for (const rule of [{ partitionTemplate }, { tables: [{ name: 'cpu', partitionTemplate }] }]) {
    const [sentence, ...more] = inRule(rule);
    expect(sentence).toContain(words);
    expect(more).toEqual([]);
  }
});

test('takes a partition template with tags, buckets and a time', () => {
  const partitionTemplate = [tag('line'), tag('station'), time('%Y-%m-%d'), bucket('temperature')];
  expect(inRule({ partitionTemplate })).toEqual([]);
  expect(inRule({ partitionTemplate: [time('%d.%m.%Y')] })).toEqual([]);
});

test('refuses a table whose name InfluxDB keeps for itself', () => {
  expect(inRule({ tables: [{ name: '_t' }] }).join()).toContain('does not begin with "_"');
});

test('keys that begin with x- at the top of the file mean nothing, for YAML anchors', () => {
  expect(sentences(document({ 'x-writer': { rotateEvery: '7d' } }))).toEqual([]);
  expect(sentences(document({}, { 'x-writer': 1 }))).toHaveLength(1);
  expect(sentences(document({ anchors: 1 })).join()).toContain('x-… (for YAML anchors)');
  expect(sentences(document({ 'x-old': `apiv1_${'A'.repeat(86)}` })).join()).toContain(
    'found the string of a token',
  );
});

test('the JSON Schema takes what the policy takes, and refuses shapes that it refuses', () => {
  // zod compiles patterns without the flag for Unicode that JSON Schema asks for.
  const text = JSON.stringify(policyJsonSchema())
    .replaceAll('\\\\p{L}', 'A-Za-z')
    .replaceAll('\\\\p{N}', '0-9');
  const schema = z.fromJSONSchema(JSON.parse(text));
  const all = { permissions: { read: '*', write: ['*', 'a/b'] } };
  for (const right of [
    document({ 'x-writer': { rotateEvery: '7d' } }, all),
    document({ encryptionKey: 'alias/keyturn', eventBus: 'bus' }, { expiresAfter: '1y' }),
    document({ databases: [{ name: 'a', retention: '3mo', partitionTemplate: [time('%Y')] }] }),
  ]) {
    expect(sentences(right)).toEqual([]);
    expect(schema.safeParse(right).error).toBeUndefined();
  }
  for (const wrong of [
    document({}, { permissions: { read: 'telemetry' } }),
    document({}, { permissions: { read: ['telem*'] } }),
    document({ encryptionKey: '*' }),
    document({ eventBus: 'a/b' }),
    document({ cluster: { ...cluster, managementToken: '*' } }),
    document({ cluster: { ...cluster, url: 'https://influxdb.example.com?x=1' } }),
    document({ databases: [{ name: 'a', maxColumnsPerTable: 5_000 }] }),
    document({ databases: [{ name: 'a', partitionTemplate: [time('%q')] }] }),
  ]) {
    expect(sentences(wrong)).not.toEqual([]);
    expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});

describe('says what to write where YAML read another type than was meant:', () => {
  const trusting = (account: unknown) => sentences(document({ trustedAccounts: [account] }));
  const ZEROS =
    'the 12 digits of an AWS account, in quotes, because YAML takes zeros in front off a number';

  test.each([
    [
      trusting(444455556666),
      `${ZEROS}; write it in quotes, as the file has it, such as "444455556666"`,
    ],
    [trusting(44455556666), ZEROS],
    [trusting('44455556666'), 'the 12 digits of an AWS account'],
    [granting([2024]), 'a text; write it in quotes, as the file has it, such as "2024"'],
    [granting([true]), 'a text; write it in quotes, as the file has it, such as "true"'],
    [
      inRule({ tables: [{ name: 7 }] }),
      'a text; write it in quotes, as the file has it, such as "7"',
    ],
    [inEntry({ description: 5 }), 'a text; write it in quotes, as the file has it, such as "5"'],
    [inEntry({ description: ['a'] }), 'a text'],
    [
      inEntry({ secret: 5 }),
      'a secret name: letters, digits and /_+=.@-, at most 512; write it in quotes, as the file has it, such as "5"',
    ],
    [
      sentences({ ...document(), owner: 123 }),
      'a short name: lower-case letters, digits and "-", of which the first is a letter, at most 31',
    ],
    [inEntry({ rotateEvery: 30 }), 'a duration such as 30d, 12h or 1h30m'],
  ])('a text: %j', (said, expected) => {
    expect(said).toEqual([expect.stringMatching(/: found \S+, expected /)]);
    expect(said[0]?.replace(/.*?, expected /, '')).toBe(expected);
  });

  const numberOf = (example: number) =>
    `a whole number, without quotes and without a unit, such as ${example}`;

  test.each([
    [sentences(document({ limits: { percent: '30%' } })), numberOf(30)],
    [sentences(document({ limits: { tokens: 2.5 } })), numberOf(2)],
    [sentences(document({ concurrency: 'many' })), numberOf(30)],
    [inRule({ maxTables: '500' }), numberOf(500)],
    [inCluster({ allowPlainHttp: 'yes' }), 'true or false, without quotes'],
    [sentences(document({ trustedAccounts: 444455556666 })), 'a list'],
  ])('a number, true or false, or a list: %j', (said, expected) => {
    expect(said.map((each) => each.replace(/.*?, expected /, ''))).toEqual([expected]);
  });
});

test('says of what a limit is', () => {
  const partitionTemplate = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(tag);
  const endOf = (said: readonly string[]) => said[0]?.replace(/.*, expected /, '');
  expect(endOf(inEntry({ description: 'x'.repeat(401) }))).toBe('at most 400 characters');
  expect(endOf(inRule({ partitionTemplate }))).toBe('at most 8 elements');
  expect(endOf(inRule({ partitionTemplate: [] }))).toBe('at least 1 element');
});

describe('says what to write instead of', () => {
  test.each([
    [
      document({ gracePeriod: '1d' }),
      'gracePeriod: unknown key; it belongs under defaults, or under tokens.NAME',
    ],
    [
      document({}, { read: ['a'] }),
      'tokens.telegraf.read: unknown key; it belongs under tokens.NAME.permissions',
    ],
    [
      document({}, { settle: '5m' }),
      'tokens.telegraf.settle: unknown key; it belongs at the top of the file',
    ],
    [
      document({ defaults: { settle: '5m' } }),
      'defaults.settle: unknown key; it belongs at the top of the file',
    ],
    [document({ url: 'https://a' }), 'url: unknown key; it belongs under cluster'],
  ])('a key in another place, %#', (value, sentence) => {
    expect(sentences(value)).toEqual([sentence]);
  });

  test.each(['limits', 'schedules', 'defaults', 'databases', 'trustedAccounts'])(
    '%s, of which nothing is left',
    (key) => {
      const [sentence, ...more] = sentences(document({ [key]: null }));
      expect(sentence).toMatch(/^\w+: found nothing, expected a \w+; or leave the key out$/);
      expect(more).toEqual([]);
    },
  );

  test('a key that has nothing and may not be left out', () => {
    expect(sentences({ ...document(), owner: null }).join()).toMatch(
      /^owner: found nothing, expected [^;]*$/,
    );
  });

  test.each([['1_000'], ['1,000'], ["1'000"]])('%s', (maxTables) => {
    expect(inRule({ maxTables }).join()).toMatch(/, such as 1000$/);
  });

  test.each([{ retention: { min: '30d' } }, { maxTables: { max: 5 } }])(
    'bounds, %j, beside a name',
    (rule) => {
      expect(inRule(rule).join()).toMatch(
        /; min and max belong to a rule with match in place of name$/,
      );
    },
  );

  test('bounds of everything beside a name, which stays a rule for one database', () => {
    const said = inRule({
      ...{ retention: { min: '30d' }, maxTables: { max: 5 }, maxColumnsPerTable: { max: 5 } },
      ifMissing: 'create',
    });
    expect(said.filter((each) => each.endsWith('a rule with match in place of name'))).toEqual(
      said,
    );
    expect(said).toHaveLength(3);
  });

  test.each(['$.db.token', 'tokens[0]', 'a.b[12].c'])('the path %s', (key) => {
    const adopt = { tokenId: id(1), key };
    expect(inEntry({ secret: 'a/b', adopt })).toEqual([
      `tokens.telegraf.adopt.key: found "${key}", expected the JSON key of the token string, or a path such as db.token, without "$." and not into a list`,
    ]);
  });

  test('a name that is too long', () => {
    const long = 'a'.repeat(600);
    expect(inEntry({ secret: long }).join()).toContain('at most 512');
    expect(sentences({ ...document(), owner: long }).join()).toContain('at most 31');
    expect(sentences({ ...document(), tokens: { [long]: { permissions } } }).join()).toContain(
      'at most 64',
    );
    expect(sentences(document({ eventBus: long })).join()).toContain('at most 256');
    expect(
      sentences(document({ databases: [{ match: long, retention: '30d' }] })).join(),
    ).toContain('at most 64');
    expect(inCluster({ managementToken: long }).join()).toContain('at most 512');
  });
});
