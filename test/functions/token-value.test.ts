import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { TokenValue } from '../../functions/token-value.ts';

test('prints a token value nowhere', () => {
  const value = new TokenValue('apiv1_secret');
  const error = new Error('failed', { cause: value });
  const shown = [
    `${value}`,
    String(value),
    JSON.stringify({ value }),
    inspect({ value }, { showHidden: true, depth: 9 }),
    inspect(error, { showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(value)),
  ].join();
  expect(shown).not.toContain('apiv1_secret');
  expect(shown).toContain('[token]');
  expect(value.reveal()).toBe('apiv1_secret');
  expect(value.fingerprint()).toBe('51b7e40d2632661c');
});
