import { expect, test } from 'vitest';
import { readClientSecret } from '../../../functions/secrets-manager/management-token.ts';
import { TokenValue } from '../../../functions/token-value.ts';

const SECRET = 'Qx7~p0Zc.4LmV9-sT2wYb8Ke';
const read = async (text: string, field?: string) => {
  const secrets = { value: () => Promise.resolve(new TokenValue(text)) };
  return (await readClientSecret(secrets, 'influxdb/oauth', field)).reveal();
};

test.each([
  ['the secret alone', `${SECRET}\n`, undefined],
  ['JSON with the key clientSecret', JSON.stringify({ clientSecret: SECRET }), undefined],
  ['a key of its own', JSON.stringify({ client_id: 'x', client_secret: SECRET }), 'client_secret'],
  ['a path of keys', JSON.stringify({ keycloak: { secret: ` ${SECRET} ` } }), 'keycloak.secret'],
])('takes %s', async (_what, text, field) => {
  expect(await read(text, field)).toBe(SECRET);
});

test('a secret of digits alone is no JSON to anybody but a parser', async () => {
  expect(await read('12345678901234567890')).toBe('12345678901234567890');
});

test.each([
  [
    'another key',
    JSON.stringify({ client_id: 'x', client_secret: SECRET }),
    undefined,
    'found JSON without a string under the key "clientSecret" (its keys: client_id, client_secret), expected the client\'s secret alone, or {"clientSecret": "…"}',
  ],
  [
    'no such key',
    JSON.stringify({ clientSecret: SECRET }),
    'client_secret',
    'found JSON without a string under the key "client_secret" (its keys: clientSecret), expected JSON with it under the key "client_secret" (cluster.oauth.clientSecretField)',
  ],
  ['no JSON where a key is named', SECRET, 'a.b', 'found a text that is no JSON, expected JSON'],
  ['nothing', ' \n', undefined, "found nothing, expected the client's secret alone"],
  ['what everybody has', '{}', 'constructor.name', 'found JSON without a string under the key'],
])(
  'refuses %s in a sentence that names the secret and its keys, and quotes no value',
  async (_what, text, field, said) => {
    const error = await read(text, field).catch((each: Error) => each);
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining('there is no client secret in influxdb/oauth: '),
    );
    expect(error).toHaveProperty('message', expect.stringContaining(said));
    expect(String(error)).not.toContain(SECRET.slice(0, 8));
  },
);

test('a key that is itself a secret is not shown', async () => {
  const error = await read(JSON.stringify({ [SECRET]: 'x', other: 1 })).catch(
    (each: Error) => each,
  );
  expect(String(error)).toContain('(its keys: other, 1 more)');
});
