import { expect, test } from 'vitest';
import { formatInstant } from '../../functions/time.ts';

test('writes instants as whole seconds', () => {
  expect(formatInstant(Date.UTC(2026, 0, 31, 23, 59, 59, 999))).toBe('2026-01-31T23:59:59Z');
});
