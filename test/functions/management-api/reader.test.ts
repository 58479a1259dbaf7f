import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { reader } from '../../../functions/management-api/reader.ts';

const parsed: string[] = [];
const read = reader(
  () => z.any(),
  (text) => parsed.push(text),
);

test.each([
  ['values', `[${'{},'.repeat(4_000_000)}{}]`],
  ['lists within each other', '['.repeat(65)],
  ['objects within each other', '{"a":'.repeat(65)],
])('an answer of too many %s is not parsed, whatever memory that would take', (_what, text) => {
  expect(read(text)).toEqual({
    problem: 'its body has more values, or more of them within each other, than are read',
  });
  expect(parsed).toEqual([]);
});

test('what brackets and commas stand in a text count nothing', () => {
  for (const text of [`["${'[{,'.repeat(4_000_000)}"]`, `["\\"${'['.repeat(100)}"]`, '[[],{}]'])
    expect(read(text)).toHaveProperty('value');
});

test('a hundred thousand tokens of ten permissions are read', () => {
  const token = {
    id: '00000000-0000-4000-8000-000000000000',
    accountId: '00000000-0000-4000-8000-000000000000',
    clusterId: '00000000-0000-4000-8000-000000000000',
    description: 'telegraf, of the shop [keyturn:2]',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: '2027-01-01T00:00:00Z',
    revokedAt: null,
    permissions: Array.from({ length: 10 }, (_, n) => ({ action: 'write', resource: `db${n}` })),
  };
  expect(read(`[${`${JSON.stringify(token)},`.repeat(100_000)}0]`)).toHaveProperty('value');
});
