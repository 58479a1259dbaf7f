import { expect, test } from 'vitest';
import { redact } from '../../functions/credentials.ts';
import { redacted } from '../../functions/redacted.ts';
import { TokenValue } from '../../functions/token-value.ts';

const STRING = `apiv1_${'s3cret+/'.repeat(10)}abcdef==`;
const SECRET = /s3cret/;

test('takes credentials out of keys, values, lists and what they contain', () => {
  const value = {
    reason: `leaked ${encodeURIComponent(STRING)}`,
    [STRING]: [{ deep: `{"token":"${STRING.replaceAll('/', '\\/')}"}` }],
    kept: [1, null, true, 10n, undefined],
    value: new TokenValue(STRING),
  };
  const said = redacted(value, redact);
  expect(Object.keys(said)).toEqual(['reason', '[token]', 'kept', 'value']);
  expect(JSON.stringify([said.reason, Object.values(said)[1]])).not.toMatch(SECRET);
  expect(said.kept).toEqual(value.kept);
  expect(said.value).toBe(value.value);
  expect(value.reason).toMatch(SECRET);
});

test('takes credentials out of errors with all that they carry, which stay what they are', () => {
  class OddError extends Error {
    override readonly name = 'OddError';
    readonly report = { text: STRING };
  }
  const cause = new Error(`inner ${STRING}`);
  const error = new AggregateError([new OddError(STRING), STRING], `outer ${STRING}`, { cause });
  expect(redacted(error, redact)).toBe(error);
  const [odd] = error.errors;
  expect(odd).toBeInstanceOf(OddError);
  const said = [error.message, error.stack, cause.message, cause.stack, odd.stack, odd.report];
  expect(JSON.stringify([said, error.errors])).not.toMatch(SECRET);
  expect(error.message).toBe('outer [token]');
});

test('ends where something contains itself', () => {
  const loop: { text: string; self?: unknown } = { text: STRING };
  loop.self = loop;
  const error = Object.assign(new Error(STRING), { loop });
  error.cause = error;
  expect(redacted(loop, redact)).toHaveProperty('self.self.text', '[token]');
  expect(redacted(error, redact).message).toBe('[token]');
});
