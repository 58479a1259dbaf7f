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
