import { expect, test } from 'vitest';
import { readToken, readTokens } from '../../../functions/management-api/token-schemas.ts';

const usual = {
  id: '00000001-0000-4000-8000-000000000000',
  description: 'telegraf',
  permissions: [{ action: 'write', resource: 'telemetry' }],
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-04-01T00:00:00.5+02:00',
  revokedAt: null,
};

const { expiresAt, revokedAt, ...short } = usual;

/** What a server may say in place of each part, or beside them. */
const ODD: readonly [string, unknown][] = [
  ['as it mostly is', usual],
  ['without what may lack', short],
  [
    'with more than is read',
    { ...usual, accountId: 'a', permissions: [{ ...usual.permissions[0], more: 1 }] },
  ],
  ...[null, 1, 'a', [], [usual]].map(
    (each) => [`${JSON.stringify(each)}`, each] as [string, unknown],
  ),
  ...Object.keys(usual).flatMap((key) =>
    [
      undefined,
      null,
      '',
      0,
      1,
      true,
      [],
      {},
      'never',
      '1970-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-01',
    ].map(
      (value) =>
        [`${key}: ${JSON.stringify(value)}`, { ...usual, [key]: value }] as [string, unknown],
    ),
  ),
  ...[
    null,
    'read',
    [],
    {},
    { action: 'read' },
    { resource: 'r' },
    { action: 1, resource: 'r' },
    { action: 'read', resource: null },
  ].map(
    (each) =>
      [`a permission ${JSON.stringify(each)}`, { ...usual, permissions: [each] }] as [
        string,
        unknown,
      ],
  ),
];

test.each(ODD)('a listing takes and refuses what a single token would be: %s', (_what, token) => {
  const text = JSON.stringify(token);
  const alone = readToken(text);
  const listed = readTokens(`[${text}]`);
  if ('value' in alone) expect(listed).toEqual({ value: [alone.value] });
  else
    expect(listed).toEqual({ problem: alone.problem.replace(/ at (?:its top level)?/, ' at [0]') });
});

test('one odd token among usual ones is named by its place', () => {
  const text = JSON.stringify([usual, usual, { ...usual, createdAt: 'yesterday' }]);
  expect(readTokens(text)).toEqual({
    problem: 'its body is not as expected at [2].createdAt (custom)',
  });
});

/** A listing that is read in parts. */
const MANY = 2_500;
const idOf = (at: number) => `00000001-0000-4000-8000-${String(at).padStart(12, '0')}`;
const many = Array.from({ length: MANY }, (_, at) => ({ ...usual, id: idOf(at) }));

test('of a long listing every token is read once, in its order, whatever its texts have in them', () => {
  const nasty = '"],[{\\"id\\":1},{,[\\\\';
  const listing = many.map((token) => ({ ...token, description: `${token.id} ${nasty}` }));
  for (const text of [JSON.stringify(listing), ` \n${JSON.stringify(listing, undefined, 1)}\r\t`]) {
    const read = readTokens(text);
    const tokens = 'value' in read ? read.value : [];
    expect(tokens.map(({ id }) => id)).toEqual(listing.map(({ id }) => id));
    expect(tokens.map(({ description }) => description)).toEqual(
      listing.map(({ description }) => description),
    );
  }
});

test('one odd token is named by its place, however far behind it stands', () => {
  const text = JSON.stringify(many.with(2_400, { ...usual, createdAt: 'yesterday' }));
  expect(readTokens(text)).toEqual({
    problem: 'its body is not as expected at [2400].createdAt (custom)',
  });
});

const items = many.map((token) => JSON.stringify(token));
test.each([
  [
    'nothing between two commas where it is cut',
    `[${items.slice(0, 1_000)},,${items.slice(1_000)}]`,
  ],
  ['nothing in the last part', `[${items.slice(0, 1_000)},]`],
  ['nothing in the first part', `[${','.repeat(1_000)}${items}]`],
  ['several lists', `[${items.slice(0, 1_000)}],[${items.slice(1_000)}]`],
  ['a list that is closed twice', `[${items}]]`],
  ['a list that is not closed', `[${items}`],
  ['a list that is not opened', `${items}]`],
  ['something before it', `a[${items}]`],
  ['something behind it', `[${items}]a`],
  ['a space that JSON does not know', `[${items}]\u00a0`],
  ['brackets that do not fit', `[${items.slice(0, 1_000)}},{${items.slice(1_000)}]`],
  ['blanks alone', ' '],
  ['nothing', ''],
])('what is no JSON does not become so by being read in parts: %s', (_what, text) => {
  expect(readTokens(text)).toEqual({ problem: 'its body is not JSON' });
});

test('tokens of the same permissions share one list of them, and those of others do not', () => {
  const [read, write] = ['read', 'write'].map((action) => [{ action, resource: 'telemetry' }]);
  const listing = [read, write, read].map((permissions) => ({ ...usual, permissions }));
  const found = readTokens(JSON.stringify(listing));
  const [first, second, third] = 'value' in found ? found.value : [];
  expect(first?.permissions).toBe(third?.permissions);
  expect([first, second].map((each) => each?.permissions)).toEqual([read, write]);
});
