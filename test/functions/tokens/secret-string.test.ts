import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import {
  composeSecretString,
  type FormerText,
  isOutdated,
  refuseOtherShape,
} from '../../../functions/tokens/compose-secret.ts';
import { readTokenString } from '../../../functions/tokens/secret-string.ts';
import { id, inert, NOW, policyOf, WRITE } from '../builders.ts';

const OLD = 'apiv1_old+/string==';
const NEW = 'apiv1_new+/string$&==';
const SECRET = 'team/dashboard';
const minted = { token: inert(2, { expiresAt: NOW }), value: new TokenValue(NEW) };

const fingerprintOf = (string: string) => new TokenValue(string).fingerprint();
const policyWith = (adopt?: { readonly key?: string }) =>
  policyOf({}, { secret: SECRET, ...(adopt && { adopt: { tokenId: id(1), ...adopt } }) });
/** The first is the string that the version is known to have. */
const hintsOf = (strings: readonly string[]) => {
  const known = strings.map(fingerprintOf);
  return { own: known[0], known };
};
const formerOf = (text: string, strings = [OLD], previous?: string): FormerText => ({
  text: new TokenValue(text),
  ...hintsOf(strings),
  ...(previous !== undefined && { previous: { text: new TokenValue(previous) } }),
});

/** The text of the next version after `text`; the entry adopts the secret unless told otherwise. */
function next(
  text: string | undefined,
  adopt?: { readonly key?: string },
  strings?: string[],
  previous?: string,
) {
  const policy = policyWith(adopt);
  const [entry] = policy.tokens;
  if (!entry) throw new Error('no entry');
  const former = text === undefined ? undefined : formerOf(text, strings, previous);
  return composeSecretString(entry, policy, minted, former).reveal();
}
const read = (text: string, adopt?: { readonly key?: string }, strings: string[] = []) =>
  readTokenString(
    { secret: SECRET, ...(adopt && { adopt: { tokenId: id(1), ...adopt } }) },
    new TokenValue(text),
    hintsOf(strings),
  ).reveal();

const own = {
  token: NEW,
  tokenId: id(2),
  url: 'https://influxdb.example.com',
  databases: ['telemetry'],
  expiresAt: '2026-03-02T12:00:00Z',
};

const SIBLINGS = `{
\t"big": 12345678901234567890, "ratio": 1.0,
  "huge":1e400 , "tiny": -0.0e-9, "again": 1, "again": 2,
  "escapes": "\\u00fc\\/\\ud83d\\ude00 \u2028", "__proto__": {"list": [{"influx": "not this"}]},
  "influx" :  "OLD" , "last": [ ]
}
`;

test('nothing but the one string changes in a JSON text', () => {
  const text = SIBLINGS.replace('OLD', OLD);
  expect(next(text, { key: 'influx' })).toBe(SIBLINGS.replace('OLD', () => NEW));
});

test('whatever else the JSON has, and wherever the string is in it, every other character stays', () => {
  // A policy refuses `$.a`: it looks like JSONPath, which it is not.
  const path = fc
    .array(fc.stringMatching(/^[a-z$]{1,3}$/), { minLength: 1, maxLength: 3 })
    .filter(([first]) => first !== '$');
  const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
  fc.assert(
    fc.property(path, fc.jsonValue(), blank, (keys, sibling, space) => {
      const nest = (string: string) =>
        keys.reduceRight(
          (inner, key) =>
            `${space}{"0": ${JSON.stringify(sibling)},${space}"${key}"${space}:${inner}}${space}`,
          JSON.stringify(string),
        );
      const text = nest(OLD);
      const adopt = { key: keys.join('.') };
      expect(read(text, adopt)).toBe(OLD);
      expect(next(text, adopt)).toBe(nest(NEW));
    }),
  );
});

test.each([
  ['a path', '{"db": {"user": "u", "token": "OLD"}}', 'db.token'],
  ['a name with a dot, before a path', '{"db": {"token": "other"}, "db.token": "OLD"}', 'db.token'],
  ['an escaped name', '{"in\\u0066lux": "OLD"}', 'influx'],
  ['a name that objects have anyway', '{"constructor": "OLD"}', 'constructor'],
  ['a string with white space around it', '{"influx": " OLD\\n"}', 'influx'],
])('the key may be %s', (_what, template, key) => {
  const text = template.replace('OLD', OLD);
  expect(read(text, { key })).toBe(OLD);
  expect(next(text, { key })).toBe(template.replace('OLD', () => NEW));
});

test('escapes in the string itself are read as JSON has them', () => {
  expect(read('{"influx": "apiv1_a\\/b\\u002b\\n"}', { key: 'influx' })).toBe('apiv1_a/b+');
});

test.each(['', '\n', '\r\n', '  \t'])('white space around a plain token survives: %j', (blank) => {
  expect(read(`${blank}${OLD}${blank}`, {})).toBe(OLD);
  expect(next(`${blank}${OLD}${blank}`, {})).toBe(`${blank}${NEW}${blank}`);
});

test.each(['\ufeff', '\u00a0', '\u2028', '\v', '\f'])(
  'what consumers send with a token belongs to its string, and goes with it: %j',
  (sent) => {
    for (const string of [`${sent}${OLD}`, `${OLD}${sent}`]) {
      expect(read(string, {})).toBe(string);
      expect(next(`${string}\n`, {})).toBe(`${NEW}\n`);
      expect(next(`${string}\n`)).toBe(`${NEW}\n`);
      const text = (value: string) => JSON.stringify({ influx: value });
      expect(read(text(string), { key: 'influx' })).toBe(string);
      expect(next(text(string))).toBe(text(NEW));
    }
  },
);

test.each([
  ['no JSON', OLD, 'does not contain a JSON object'],
  ['JSON with a comment', `{"influx": "${OLD}" /* c */}`, 'does not contain a JSON object'],
  ['JSON with a comma too many', `{"influx": "${OLD}",}`, 'does not contain a JSON object'],
  ['JSON behind a byte order mark', `\uFEFF{"influx": "${OLD}"}`, 'does not contain a JSON object'],
  ['a line break in a string', `{"influx": "${OLD}\n"}`, 'does not contain a JSON object'],
  ['a list', `["${OLD}"]`, 'does not contain a JSON object'],
  ['no such key', `{"other": "${OLD}"}`, 'has no string under "influx"'],
  ['a number', '{"influx": 7}', 'has no string under "influx"'],
  ['white space', '{"influx": " \\n"}', 'has no string under "influx"'],
  ['the key twice', `{"influx": "a", "influx": "${OLD}"}`, 'more than once'],
])('refuses %s, in words that quote nothing', (_what, text, message) => {
  for (const attempt of [
    () => read(text, { key: 'influx' }),
    () => next(text, { key: 'influx' }),
  ]) {
    expect(attempt).toThrow(`${SECRET} `);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow(OLD);
  }
});

test('refuses a path through a list, and JSON deeper than a parser can go', () => {
  const list = () => read(`{"dbs": [{"token": "${OLD}"}]}`, { key: 'dbs.0.token' });
  expect(list).toThrow('has a list on the way to "dbs.0.token"');
  const deep = `{"influx": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
  expect(() => read(deep, { key: 'influx' })).toThrow(SECRET);
});

test('a secret without a value gets the token and what consumers need', () => {
  expect(JSON.parse(next(undefined))).toEqual(own);
});

test.each(['CHANGE_ME', '', '{"token": "CHANGE_ME"}', '{}', '[1]'])(
  'a placeholder is replaced: %s',
  (text) => {
    expect(JSON.parse(next(text))).toEqual(own);
  },
);

test('a secret of our own shape gets all five values anew, and keeps what people added', () => {
  const text = JSON.stringify({ note: 'ours', ...own, token: OLD, tokenId: id(1), big: 1 });
  const padded = text.replace('"big":1', '"big": 12345678901234567890');
  const expected = JSON.stringify({ note: 'ours', ...own, big: 1 });
  for (const adopt of [undefined, {}, { key: 'token' }]) {
    expect(read(padded, adopt)).toBe(OLD);
    expect(next(padded, adopt)).toBe(expected.replace('"big":1', '"big": 12345678901234567890'));
  }
});

test('of a string that is in our own JSON twice, the entry says that only our key counts', () => {
  const text = JSON.stringify({ ...own, token: OLD, copy: OLD });
  for (const adopt of [undefined, { key: 'copy' }]) {
    expect(() => next(text, adopt)).toThrow('more than once, and only "token" would get');
  }
  expect(next(text, { key: 'token' })).toBe(JSON.stringify({ ...own, copy: OLD }));
  for (const token of [null, 'CHANGE_ME']) {
    const placeholder = { ...own, token, copy: token };
    expect(next(JSON.stringify(placeholder))).toBe(JSON.stringify({ ...own, copy: token }));
  }
});

test('a key that was edited in the entry loses nothing, where the token is known to be elsewhere', () => {
  const text = (other: string) => JSON.stringify({ influx: OLD, other });
  const elsewhere = 'in another place than its entry says';
  for (const other of ['hunter2', 'apiv1_hand']) {
    expect(() => next(text(other), { key: 'other' })).toThrow(elsewhere);
  }
  expect(() => next(text('hunter2'), {})).toThrow(elsewhere);
  expect(next(text(OLD), { key: 'other' })).toBe(JSON.stringify({ influx: OLD, other: NEW }));
});

test.each([
  ['a plain token', 'OLD\n'],
  ['JSON', '{"big": 12345678901234567890, "db": {"influx": "OLD"}}'],
])('after `adopt` left the entry, %s keeps its shape', (_what, template) => {
  const text = template.replace('OLD', OLD);
  expect(read(text, undefined, [OLD])).toBe(OLD);
  expect(next(text)).toBe(template.replace('OLD', () => NEW));
});

test('after `adopt` left the entry, the string is that of the likeliest token', () => {
  const text = JSON.stringify({ now: OLD, before: 'apiv1_older' });
  expect(next(text, undefined, [OLD, 'apiv1_older'])).toBe(
    JSON.stringify({ now: NEW, before: 'apiv1_older' }),
  );
});

test.each([
  ['a plain token', ' OLD\n'],
  ['JSON', '{"big": 12345678901234567890, "db": {"influx": "OLD"}}'],
  ['JSON with the key that is ours too', '{ "token": "OLD", "host": "h" }'],
])('%s that no token is known of keeps its shape, by the form of its string', (_what, template) => {
  const text = template.replace('OLD', OLD);
  expect(read(text)).toBe(OLD);
  expect(next(text, undefined, [])).toBe(template.replace('OLD', () => NEW));
});

const OWN_BEFORE = JSON.stringify({ ...own, token: OLD, note: 'of people' });
const OWN_AFTER = JSON.stringify({ ...own, note: 'of people' });

test.each([
  ['a placeholder over a plain token', 'CHANGE_ME', `${OLD}\n`, `${NEW}\n`],
  ['nothing over a plain token', '', `${OLD}\n`, `${NEW}\n`],
  ['a placeholder over JSON', 'CHANGE_ME', `{"t": "${OLD}"}`, `{"t": "${NEW}"}`],
  ['JSON as a placeholder over JSON', '{}', `{"t": "${OLD}"}`, `{"t": "${NEW}"}`],
  ['a placeholder over our own JSON', 'CHANGE_ME', OWN_BEFORE, OWN_AFTER],
  ['a token made by hand over our own JSON', 'apiv1_hand', OWN_BEFORE, OWN_AFTER],
  ['our key alone over our own JSON', '{"token": "apiv1_hand"}', OWN_BEFORE, OWN_AFTER],
  ['a token made by hand over a plain one', 'apiv1_hand', `${OLD}\n`, NEW],
])('%s: the shape is that of the text before', (_what, text, previous, expected) => {
  expect(next(text, undefined, [], previous)).toBe(expected);
});

test.each([
  ['{"dbs": [{"t": "OLD"}, {"t": 1}]}', '{"dbs": [{"t": "NEW"}, {"t": 1}]}'],
  ['{"dbs": ["a", "OLD"]}', '{"dbs": ["a", "NEW"]}'],
])('a placeholder in a list of %s gets the string back', (template, expected) => {
  const previous = template.replace('OLD', OLD);
  const text = template.replace('OLD', 'CHANGE_ME');
  expect(next(text, undefined, [], previous)).toBe(expected.replace('NEW', () => NEW));
  expect(() => next('{"dbs": []}', undefined, [], previous)).toThrow('keys of others');
});

test('a placeholder gets the string back though a person keeps a former one beside it', () => {
  const former = {
    text: new TokenValue('{"t": "CHANGE_ME", "kept": "former"}'),
    known: [fingerprintOf('former')],
    previous: { text: new TokenValue(`{"t": "${OLD}"}`) },
  };
  const policy = policyWith();
  const texts = policy.tokens.map((entry) =>
    composeSecretString(entry, policy, minted, former).reveal(),
  );
  expect(texts).toEqual([`{"t": "${NEW}", "kept": "former"}`]);
});

test('what Keyturn wrote of a token beside its string says what the next one is, and nothing else does', () => {
  const policy = policyWith();
  const written = (text: string) =>
    policy.tokens.map((entry) => {
      const former = { ...formerOf(text), tokens: [inert(1, { permissions: WRITE })] };
      return composeSecretString(entry, policy, minted, former).reveal();
    });
  const of = (string: string, ...more: string[]) => [`{"influx": "${string}", ${more.join(', ')}}`];
  const [before] = of(OLD, `"tokenId": "${id(1)}"`, '"databases": [ "telemetry" ]', '"host": "h"');
  expect(written(before ?? '')).toEqual(
    of(NEW, `"tokenId": "${id(2)}"`, '"databases": ["telemetry"]', '"host": "h"'),
  );
  for (const others of ['"tokenId": "of people"', `"tokenId": "${id(1)}", "tokenId": 2`]) {
    expect(written(of(OLD, others)[0] ?? '')).toEqual(of(NEW, others));
  }
});

test('a placeholder over the JSON of an entry with a key gets the JSON back', () => {
  const previous = `{"n": 1.0, "influx": "${OLD}"}`;
  expect(next('CHANGE_ME', { key: 'influx' }, [], previous)).toBe(`{"n": 1.0, "influx": "${NEW}"}`);
  expect(() => next('{"n": 1}', { key: 'influx' }, [], previous)).toThrow('no string under');
  expect(() => next('CHANGE_ME', { key: 'influx' }, [], OLD)).toThrow(
    'does not contain a JSON object',
  );
});

test('a string of the form of a token under another key is not ours where our key has one', () => {
  const text = '{"token": "CHANGE_ME", "admin": "apiv1_admin"}';
  expect(next(text)).toBe(`{"token": "${NEW}", "admin": "apiv1_admin"}`);
  const two = '{"a": "apiv1_one", "b": "apiv1_two"}';
  expect(() => next(two)).toThrow('a token string more than once; say which in adopt.key');
});

test('a secret without a value whose entry has a key says what to put there', () => {
  expect(() => next(undefined, { key: 'db.influx' })).toThrow(
    'save its JSON again, with any string under "db.influx"',
  );
});

test.each([
  [
    'nobody knows which string is the token',
    '{"host": "influx", "influx": "by hand"}',
    'adopt.key',
  ],
  ['the string is there twice', `{"a": "${OLD}", "b": "${OLD}"}`, 'more than once'],
])(
  'after `adopt` left the entry, nothing of others is overwritten where %s',
  (_w, text, message) => {
    expect(() => next(text)).toThrow(message);
    // Nor is a token minted that could not be stored.
    const policy = policyWith();
    for (const entry of policy.tokens) {
      expect(() => refuseOtherShape(entry, policy, formerOf(text))).toThrow(message);
    }
  },
);

test.each([
  ['another key was edited', '{"influx": "OLD", "slack": "2"}', true],
  ['nothing but the string differs', '{"influx": "OLD", "slack": "1"}', false],
  ['AWSCURRENT has our own shape', JSON.stringify({ ...own, token: 'OLD' }), false],
])('whether a pending text is outdated: %s', (_what, template, outdated) => {
  const entry = { secret: SECRET, adopt: { tokenId: id(1), key: 'influx' } };
  const pending = formerOf(`{"influx": "${NEW}", "slack": "1"}`, [NEW]);
  expect(isOutdated(entry, pending, formerOf(template.replace('OLD', OLD)))).toBe(outdated);
});

test('a pending text is not outdated where its JSON has a key like ours twice', () => {
  const text = (string: string) => `{"influx": "${string}", "url": 1, "url": 2, "tokenId": "x"}`;
  const [pending, former] = [formerOf(text(NEW), [NEW]), formerOf(text(OLD))];
  expect(isOutdated({ secret: SECRET }, pending, former)).toBe(false);
});

test.each([
  ['another key was added', { ...own, token: OLD, tokenId: id(1), host: 'h' }, true],
  ['nothing but the token differs', { ...own, token: OLD, tokenId: id(1) }, false],
])('whether a pending text of our own shape is outdated: %s', (_what, current, outdated) => {
  const pending = formerOf(JSON.stringify(own), [NEW]);
  const former = formerOf(JSON.stringify(current));
  expect(isOutdated({ secret: SECRET }, pending, former)).toBe(outdated);
});
