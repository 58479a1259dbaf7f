import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  findCredentials,
  holdsCredential,
  readingsWithoutBeginning,
  redact,
} from '../../functions/credentials.ts';

const drawn = (alphabet: 'base64' | 'base64url') => `apiv1_${randomBytes(64).toString(alphabet)}`;
/** With every character that some encoding changes, at its beginning and its end. */
const STANDARD = `apiv1_a+/b${'c'.repeat(78)}/+Zz==`;
const URL_SAFE = `apiv1_a-_b${'c'.repeat(78)}_-Zz`;
const WHOLE = [STANDARD, URL_SAFE];
const MANAGEMENT = 'M.V1.c2VjcmV0+LXN/lY3JldA==';

const entities = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, (char) => `&#${char.charCodeAt(0)};`);
const hexEntities = (text: string) =>
  text.replace(/[^A-Za-z0-9]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`);
const named = (text: string) =>
  text
    .replaceAll('+', '&plus;')
    .replaceAll('/', '&sol;')
    .replaceAll('=', '&equals;')
    .replaceAll('_', '&lowbar;');
const escapes = (text: string) =>
  text.replace(
    /[^A-Za-z0-9]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
const wrapped = (text: string, width: number, end = '\n') =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(end);
const asBase64 = (text: string) => Buffer.from(text).toString('base64');
const asUtf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').toString('utf8');

/** How people, programs and machines write a string down. */
const SURROUNDINGS: readonly (readonly [string, (text: string) => string])[] = [
  ['alone', (text) => text],
  ['a line', (text) => `${text}\r\n`],
  ['a shell', (text) => `export INFLUX_TOKEN="${text}"`],
  ['a .env file', (text) => `A=1\nINFLUX_TOKEN=${text}\nINFLUX_ORG=plant\n`],
  ['a header', (text) => `Authorization: Token ${text}`],
  ['JSON', (text) => JSON.stringify({ url: 'https://a/b', token: text })],
  ['JSON with \\/', (text) => JSON.stringify({ token: text }).replaceAll('/', '\\/')],
  ['JSON with \\u002F', (text) => `{"token":"${escapes(text)}"}`],
  [
    'JSON in JSON',
    (text) => JSON.stringify(JSON.stringify({ token: text }).replaceAll('/', '\\/')),
  ],
  ['YAML', (text) => `token: ${text} # of telegraf`],
  ['a query', (text) => `https://host/query?p=${encodeURIComponent(text)}&db=x`],
  ['a query, encoded twice', (text) => `p=${encodeURIComponent(encodeURIComponent(text))}&q=1`],
  [
    'a query, encoded thrice',
    (text) => `p=${encodeURIComponent(encodeURIComponent(encodeURIComponent(text)))}`,
  ],
  ['a query that encodes everything', (text) => `p=${text.replaceAll('_', '%5f')}`],
  [
    'an access log',
    (text) =>
      `10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /write?db=x&p=${encodeURIComponent(text)} HTTP/1.1" 204 0 "-" "curl/8"`,
  ],
  ['an access log, as it came', (text) => `"GET /write?p=${text}&db=x HTTP/1.1" 204`],
  ['an access log that decodes forms', (text) => `GET /write?p=${text.replaceAll('+', ' ')} 204`],
  ['HTML entities', (text) => `<td>${entities(text)}</td>`],
  ['hexadecimal entities', (text) => `<td>${hexEntities(text)}</td>`],
  ['named entities', (text) => `<td>${named(text)}</td>`],
  ['entities, escaped twice', (text) => `<td>${entities(text).replaceAll('&', '&amp;')}</td>`],
  ['lines of 76', (text) => `${wrapped(text, 76)}\n`],
  ['lines of 20', (text) => `token: ${wrapped(text, 20, '\r\n    ')}\nnext: line\n`],
  ['a quoted mail', (text) => `> ${wrapped(text, 40, '\n> ')}\n> Regards`],
  ['a mail with soft line ends', (text) => wrapped(text, 60, '=\n')],
  ['a shell’s continued lines', (text) => `TOKEN=${wrapped(text, 50, '\\\n')}`],
  ['JSON with a line end inside', (text) => JSON.stringify({ token: wrapped(text, 64) })],
  ['a BOM', (text) => `\uFEFF${text}`],
  ['a file in UTF-16', asUtf16],
  ['lines of 50 behind #', (text) => `# ${wrapped(text, 50, '\n# ')}\n`],
  ['lines of 50 behind //', (text) => `// ${wrapped(text, 50, '\n// ')}\n`],
  ['a table', (text) => `| ${wrapped(text, 40, ' |\n| ')} |\n`],
  ['a list of changes', (text) => `+${wrapped(text, 50, '\n+')}\n`],
  ['a list of changes, indented', (text) => `-  ${wrapped(text, 50, '\n-  ')}\n`],
  ['numbered lines', (text) => `12: ${wrapped(text, 50, '\n13: ')}\n`],
  ['cat -n', (text) => `    12\t${wrapped(text, 50, '\n    13\t')}\n`],
  ['literals put together', (text) => `"${wrapped(text, 50, '" +\n    "')}"`],
  ['literals put together on one line', (text) => `t = "${wrapped(text, 50, '" + "')}";`],
  ['literals in JSON', (text) => JSON.stringify(`"${wrapped(text, 50, '" + "')}"`)],
  ['literals beside each other', (text) => `TOKEN='${wrapped(text, 50, "''")}'`],
  ['a list of literals', (text) => JSON.stringify(text.match(/.{1,30}/g))],
  ['a pane of a terminal', (text) => `│ ${wrapped(text, 60, ' │\n│ ')} │\n`],
  ['a box', (text) => `║${wrapped(text, 60, '║\n║')}║\n`],
  ['places where a page may break', (text) => `<td>${wrapped(text, 30, '<wbr>')}</td>`],
  [
    'a page with colours',
    (text) => `<span>${wrapped(text, 40, '</span><span class="hl">')}</span>`,
  ],
  ['a line end after the beginning', (text) => text.replace('apiv1_', 'apiv1_\n')],
  ['spaces that do not break', (text) => wrapped(text, 40, '\u00A0\n\u00A0')],
  ['spaces before the line end', (text) => `${wrapped(text, 40, '  \n')}\n`],
  ['Markdown', (text) => text.replace(/[_+=-]/g, '\\$&')],
  [
    'a quoted-printable mail',
    (text) => text.replaceAll('=', '=3D').replaceAll('_', '=5F').replaceAll('+', '=2B'),
  ],
  ['a terminal’s cursor', (text) => text.replace('ccc', 'c\u001b[?25lcc')],
  ['base64', asBase64],
  ['base64 without padding', (text) => asBase64(text).replace(/=+$/, '')],
  ['base64 of the other alphabet', (text) => Buffer.from(text).toString('base64url')],
  ['wrapped base64', (text) => `${wrapped(asBase64(`${text}\n`), 76)}\n`],
  ['a Secret of Kubernetes', (text) => `data:\n  token: ${asBase64(text)}\n  url: aHR0cHM=\n`],
  ['Basic authentication', (text) => `Authorization: Basic ${asBase64(`u:${text}`)}`],
  ['Basic authentication of others', (text) => `Basic ${asBase64(`user:${text}`)}`],
  ['JSON in base64', (text) => asBase64(JSON.stringify({ a: 1, token: text, b: 2 }))],
  ['soft hyphens', (text) => wrapped(text, 30, '\u00AD')],
  ['colours', (text) => text.replace('ccc', '\u001b[1;31mccc\u001b[0m')],
  ['prose', (text) => `somebody put ${text}, which works, into the ticket.`],
  ['a path behind it', (text) => `https://host/${text}/write`],
];

describe('finds a database token’s string', () => {
  test('where a server that decodes forms took several plus signs in a row away', () => {
    const string = `apiv1_${'x+++'.repeat(21)}+z==`;
    const [found] = findCredentials(`GET /write?p=${string.replaceAll('+', ' ')} 204`).strings;
    expect(found?.whole).toBe(true);
    expect(found?.readings.map((each) => each.reveal())).toContain(string);
  });

  test.each(SURROUNDINGS)('in: %s', (_where, write) => {
    const strings = [...WHOLE, drawn('base64'), drawn('base64url')];
    for (const string of strings) {
      const { strings: found, management } = findCredentials(write(string));
      expect(management).toEqual([]);
      expect(found).toHaveLength(1);
      expect(found[0]?.whole).toBe(true);
      expect(found[0]?.readings.map((each) => each.reveal())).toContain(string);
      expect(holdsCredential(write(string))).toBe(true);
    }
  });

  test('whole as it is written, before any other reading', () => {
    for (const string of [...WHOLE, `apiv1_${'5'.repeat(64)}`]) {
      expect(findCredentials(`t=${string}`).strings[0]?.readings[0]?.reveal()).toBe(string);
    }
  });

  test('once, with its padding and without it', () => {
    for (const text of [`${STANDARD}\n${STANDARD.slice(0, -2)}`, `${URL_SAFE}\n${URL_SAFE}==`]) {
      expect(findCredentials(text).strings).toMatchObject([{ line: 1 }]);
    }
  });

  test('that lost its padding when it was copied', () => {
    const [found] = findCredentials(STANDARD.replace('==', '')).strings;
    expect(found?.readings.map((each) => each.reveal())).toContain(STANDARD);
    expect(found?.readings.length).toBeLessThan(4);
  });

  test('each of several, with its line and once', () => {
    const others = Array.from({ length: 3 }, () => drawn('base64url'));
    const text = [...others, '', others[0], encodeURIComponent(STANDARD)].join('\n');
    const { strings } = findCredentials(text);
    expect(strings.map(({ line }) => line)).toEqual([1, 2, 3, 6]);
    expect(strings.map(({ readings }) => readings[0]?.reveal())).toEqual([...others, STANDARD]);
  });
});

const JOINTS = [
  '\n',
  '|',
  ':',
  '=',
  '@',
  '/',
  '%2F',
  '%0A',
  '-',
  '_',
  '+',
  ' ',
  '',
  '/n/',
  '\nTOKEN=',
];
const ENCODINGS: readonly (readonly [string, (text: string) => string])[] = [
  ['as they are', (text) => text],
  ['percent-encoded', encodeURIComponent],
  ['in one base64 value', (text) => `data:\n  .env: ${asBase64(`A=${text}\nZ=12\n`)}\n`],
  [
    'in wrapped base64',
    (text) => `data: |\n  ${wrapped(asBase64(`ab=${text}\n${'z9'.repeat(40)}`), 64, '\n  ')}\n`,
  ],
];

test.each(ENCODINGS.flatMap(([how, write]) => JOINTS.map((joint) => [joint, how, write] as const)))(
  'finds and redacts every credential joined by %j, %s',
  (joint, _how, write) => {
    const [one, two, three] = [drawn('base64url'), drawn('base64'), drawn('base64url')];
    const admin = `M.V1.${randomBytes(60).toString('base64url')}`;
    for (const parts of [
      [one, two, three],
      [admin, one, admin, two],
      [two, admin, three],
    ]) {
      const text = write(parts.join(joint));
      const { strings, management } = findCredentials(text);
      const readings = strings.flatMap((each) => each.readings).map((each) => each.reveal());
      const wanted = parts.filter((each) => each !== admin);
      expect(readings).toEqual(expect.arrayContaining(wanted));
      expect(strings).toHaveLength(wanted.length);
      expect(management).toHaveLength(parts.length - wanted.length);
      for (const part of parts) {
        expect(redact(text)).not.toContain(part.slice(20, 50));
        expect(redact(text)).not.toContain(asBase64(part).slice(20, 50));
      }
    }
  },
);

test.each(['', '-', '/'])('takes a cut string and a whole one joined by %j for two', (joint) => {
  const whole = drawn('base64url');
  const { strings } = findCredentials(`${URL_SAFE.slice(0, 40)}${joint}${whole}`);
  expect(strings.map((each) => each.whole)).toEqual([false, true]);
  expect(strings[1]?.readings[0]?.reveal()).toBe(whole);
});

test.each(
  ['\n', '\r\n  ', '\n> ', '=\n', '\\n'].flatMap((end) =>
    Array.from({ length: 5 }, (_, place) => [end, place + 1] as const),
  ),
)('finds and redacts what %j wraps inside its beginning, at %i', (end, place) => {
  const broken = (text: string, begin: number) =>
    text.slice(0, begin + place) + end + text.slice(begin + place);
  const encoded = `${asBase64(`k=${STANDARD}`)}\n`;
  const texts = [
    `TOKEN=${broken(URL_SAFE, 0)}\n`,
    `TOKEN=${broken(encoded, 2)}`,
    ...(place < 3 ? [`t=${broken(encodeURIComponent(STANDARD), 'apiv1_a'.length)}`] : []),
  ];
  for (const text of texts) {
    const { strings } = findCredentials(text);
    const readings = strings.flatMap((each) => each.readings).map((each) => each.reveal());
    expect(WHOLE.filter((each) => readings.includes(each))).toHaveLength(1);
    expect(redact(text)).not.toMatch(/c{3}|Y2Nj/);
  }
  expect(findCredentials(broken(MANAGEMENT, 0)).management).toHaveLength(1);
});

test.each([
  ['its beginning', URL_SAFE.slice(0, 40)],
  ['almost all of it', URL_SAFE.slice(0, -1)],
  ['an ellipsis', `${URL_SAFE.slice(0, 14)}… was found`],
  ['dots', `${URL_SAFE.slice(0, 30)}... was found`],
  ['asterisks', `${URL_SAFE.slice(0, 10)}****${URL_SAFE.slice(-4)}`],
  ['a cut encoding', encodeURIComponent(STANDARD).slice(0, 60)],
  ['its first line', `${URL_SAFE.slice(0, 40)}\nother: text`],
])('says that a string is cut: %s', (_what, text) => {
  expect(findCredentials(text).strings).toMatchObject([{ whole: false }]);
});

test('takes a cut string and a whole one for two', () => {
  const { strings } = findCredentials(`${STANDARD.slice(0, 40)}\n${URL_SAFE}\n`);
  expect(strings).toMatchObject([
    { whole: false, line: 1 },
    { whole: true, line: 2 },
  ]);
});

test.each([
  ['alone', MANAGEMENT],
  ['in a .env file', `TOKEN=${MANAGEMENT}\n`],
  ['in JSON', JSON.stringify({ token: MANAGEMENT })],
  ['in a header', `Authorization: Bearer ${MANAGEMENT}`],
  ['percent-encoded', `t=${encodeURIComponent(MANAGEMENT)}`],
  ['in HTML', entities(MANAGEMENT)],
])('recognises a management token %s', (_where, text) => {
  expect(findCredentials(text)).toEqual({ strings: [], management: [1] });
  expect(holdsCredential(text)).toBe(true);
  expect(redact(text)).not.toContain('c2VjcmV0');
});

test('redacts every line of a wrapped management token, and loses no string behind it', () => {
  const token = `M.V1.${randomBytes(60).toString('base64')}`;
  for (const end of ['\n', '\n> ', '\n# ', '\\n', '\n+']) {
    const text = `ADMIN=${wrapped(token, 24, end)}\nB=${STANDARD}\n${URL_SAFE}\nRegards`;
    expect(redact(text)).toBe('ADMIN=[token]\nB=[token]\n[token]\nRegards');
    expect(findCredentials(text).strings).toHaveLength(2);
  }
  const encoded = `Basic ${asBase64(`admin:${token}`)}`;
  expect(findCredentials(encoded).management).toEqual([1]);
  expect(redact(encoded)).toMatch(/^Basic [A-Za-z0-9]{0,8}\[token\]$/);
});

describe('a JWT', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signature = randomBytes(256).toString('base64url');
  const jwt = (head: object, tail = `.${signature}`) =>
    `${part(head)}.${part({ sub: 'a', exp: 1_900_000_000 })}${tail}`;
  const heads: readonly object[] = [
    { alg: 'RS256', typ: 'JWT', kid: randomBytes(32).toString('base64url') },
    { typ: 'JWT', alg: 'ES256' },
    { kid: '1', alg: 'RS256' },
    { x5t: 'abc', alg: 'RS256' },
  ];

  test.each(heads)('is a management token, whatever its head begins with: %o', (head) => {
    for (const text of [jwt(head), `Bearer ${jwt(head)}`, JSON.stringify({ token: jwt(head) })]) {
      expect(findCredentials(text)).toEqual({ strings: [], management: [1] });
      expect(holdsCredential(text)).toBe(true);
      expect(redact(text)).not.toMatch(new RegExp(`${signature.slice(0, 20)}|eyJ`));
    }
  });

  /** Nobody says how long a JWT is, so of these only the first line is known for a part of it. */
  const UNENDING =
    /^(?:a list of literals|literals beside each other|lines of 20|lines of 50 behind \/\/|cat -n|a box)$/;
  const written = SURROUNDINGS.filter(([where]) => !UNENDING.test(where));
  test.each(written)('is redacted in %s', (_where, write) => {
    const text = write(jwt(heads[0] ?? {}));
    expect(findCredentials(text).management.length).toBeGreaterThan(0);
    const left = redact(text).replace(/[^A-Za-z0-9_-]/g, '');
    expect(left).not.toContain(signature.slice(100, 120));
    expect(left).not.toContain(signature.slice(-30, -10));
  });

  test('is redacted where its signature is cut off, and in the base64 of a Kubernetes secret', () => {
    expect(redact(`a ${jwt({ alg: 'RS256' }, '')} b`)).toBe('a [token] b');
    expect(redact(`token: ${asBase64(jwt({ alg: 'RS256', typ: 'JWT' }))}`)).toBe('token: [token]');
  });

  test('hides no string beside it, and no other JSON in base64 is one', () => {
    const { strings, management } = findCredentials(`${jwt({ alg: 'RS256' })}\n${STANDARD}\n`);
    expect([strings.length, management]).toEqual([1, [1]]);
    const cursor = part({ page: 2, after: 'telegraf' });
    expect(redact(`next=${cursor}`)).toBe(`next=${cursor}`);
  });
});

describe('512 bits without their beginning', () => {
  const bodies = [
    drawn('base64').slice(6),
    drawn('base64').slice(6, -2),
    drawn('base64url').slice(6),
  ];

  test.each(bodies)('have the form of a credential: %#', (body) => {
    expect(holdsCredential(`leaked: ${body}`)).toBe(true);
    expect(redact(`reason=${body} end`)).toBe('reason=[token] end');
    // In a text they may be anything, such as a checksum: nobody asks whose they are.
    expect(findCredentials(body).strings).toEqual([]);
  });

  const FRONTS = ['piv1_', 'iv1_', 'v1_', '1_', '_', '/', '-', '+', 'x/', 'token_', 'a/b-c/d_'];

  test.each(FRONTS)('have it behind %s, too', (front) => {
    for (const body of bodies) {
      expect(holdsCredential(front + body)).toBe(true);
      expect(redact(`a ${front}${body} b`)).toBe(`a ${front}[token] b`);
    }
  });

  test.each(bodies)('are tried as the string that lost its beginning: %#', (body) => {
    for (const lost of ['', ...FRONTS]) {
      const readings = readingsWithoutBeginning(lost + body).map((each) => each.reveal());
      expect(readings).toContain(`apiv1_${body}`);
    }
    expect(readingsWithoutBeginning(body.slice(20))).toEqual([]);
  });

  test.each([
    ['a checksum of npm', `"integrity": "sha512-${drawn('base64').slice(6)}"`],
    ['a path', `${'functions/revocation/plan/'.repeat(4).slice(0, 85)}1`],
    ['a digest in a path', `/sha512/${'0123456789abcdef'.repeat(8)}`],
    [
      'a key of AWS',
      `arn:aws:kms:eu-central-1:123456789012:key/8974cf0c-63d5-49ee-becf-3437ee948f9d/${'a/'.repeat(45)}`,
    ],
    ['a longer text in base64', `${drawn('base64').slice(6, -2)}${drawn('base64').slice(6)}`],
  ])('are not: %s', (_what, text) => {
    expect(holdsCredential(text)).toBe(false);
    expect(redact(text)).toBe(text);
  });
});

test.each(['apiv1_', 'apiv1_$TOKEN', 'M.V1.', 'telegraf', 'a 90% share & more \\ less', ''])(
  'leaves a text without a credential as it is: %s',
  (text) => {
    expect(findCredentials(text)).toEqual({ strings: [], management: [] });
    expect(holdsCredential(text)).toBe(false);
    expect(redact(text)).toBe(text);
  },
);

test('redacts every part of a string, however it is written, and no word around it', () => {
  for (const string of WHOLE) {
    for (const [, write] of SURROUNDINGS) {
      const said = redact(`before ${write(string)} behind`);
      expect(said).toContain('[token]');
      expect(said).not.toMatch(/c{3}|Zz/);
      expect(said).toMatch(/^before [\s\S]* behind$/);
    }
  }
});
