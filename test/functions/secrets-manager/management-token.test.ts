import { expect, test } from 'vitest';
import {
  parseManagementToken,
  readManagementToken,
} from '../../../functions/secrets-manager/management-token.ts';
import { TokenValue } from '../../../functions/token-value.ts';

const STRING = `M.V1.${'Ab3+/-_='.repeat(6)}`;
const parse = (text: string) => parseManagementToken(new TokenValue(text), 'influxdb/management');
const revealed = (text: string) => parse(text).value.reveal();

test.each([
  ['the token alone', STRING],
  ['the token and a newline', `${STRING}\n`],
  ['JSON with the key token', JSON.stringify({ token: STRING })],
  ['JSON with blanks around it all', ` ${JSON.stringify({ token: ` ${STRING} ` })}\r\n`],
])('takes %s', (_what, text) => {
  expect(revealed(text)).toBe(STRING);
});

test('reads the expiry beside it, and says that one is unreadable', () => {
  const expiring = (expiresAt: unknown) =>
    parse(JSON.stringify({ token: STRING, expiresAt })).expiresAt;
  expect(expiring('2027-01-01T00:00:00Z')).toBe(Date.UTC(2027, 0));
  expect(expiring('soon')).toBeNaN();
  expect(expiring(null)).toBeNaN();
  expect(expiring(undefined)).toBeUndefined();
});

test.each([
  ['another key', JSON.stringify({ accessToken: STRING })],
  ['the key in other letters', JSON.stringify({ Token: STRING })],
  ['nothing under the key', JSON.stringify({ token: null })],
  ['an empty text under the key', JSON.stringify({ token: ' ' })],
  ['a mapping under the key', JSON.stringify({ token: { value: STRING } })],
  ['a list', JSON.stringify([STRING])],
  ['a quoted text', JSON.stringify(STRING)],
  ['null', 'null'],
  ['a number', '42'],
  ['broken JSON', `{"token": "${STRING}"`],
  ['JSON with single quotes', `{'token': '${STRING}'}`],
  ['what a shell left of JSON', `{token:${STRING}}`],
  ['a key and a token', `token: ${STRING}`],
  ['the whole header', `Bearer ${STRING}`],
  ['two lines', `${STRING}\n${STRING}`],
  ['a control character', `${STRING}\u0000`],
  ['letters that no header has', `${STRING}é`],
])('refuses %s in a sentence that names the secret and quotes nothing of it', (_what, text) => {
  let refusal = '';
  try {
    parse(text);
  } catch (error) {
    refusal = String(error);
  }
  expect(refusal).toMatch(
    /^MisshapenTokenError: there is no management token in influxdb\/management: found .*, expected the token alone, or \{"token": "…"\}/,
  );
  expect(refusal).not.toContain('Ab3');
});

test('the keys that there are instead are named, and what could be more than a name is not', () => {
  const value = JSON.stringify({ accessToken: STRING, [STRING]: 1, password: 'x' });
  expect(() => parse(value)).toThrow(
    'found JSON without the string of a token under the key "token" (its keys: accessToken, password, 1 more), expected',
  );
});

test('nothing is sent to the cluster when the secret has another shape', async () => {
  const secrets = { value: async () => new TokenValue(JSON.stringify({ password: STRING })) };
  await expect(readManagementToken(secrets, 'influxdb/management')).rejects.toThrow(
    'there is no management token in influxdb/management: found JSON',
  );
});
