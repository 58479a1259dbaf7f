import { expect, test } from 'vitest';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { PolicyError } from '../../../functions/policy/policy-error.ts';

const url = 'https://influxdb.example.com';
const oauth = {
  tokenUrl: 'https://login.example.com/realms/machines/protocol/openid-connect/token',
  clientId: 'keyturn',
  clientSecret: 'influxdb/oauth',
};
const tokens = { telegraf: { permissions: { write: ['telemetry'] } } };

function sentences(cluster: object): readonly string[] {
  try {
    parsePolicy({ owner: 'prod', cluster: { url, ...cluster }, tokens });
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
}
const withClient = (client: object) => sentences({ oauth: { ...oauth, ...client } });

test('takes a client of an identity provider in place of a management token', () => {
  expect(sentences({ oauth })).toEqual([]);
  const { cluster } = parsePolicy({ owner: 'prod', cluster: { url, oauth }, tokens });
  expect(cluster.oauth).toEqual({ ...oauth, authMethod: 'post', parameters: {} });
  const all = {
    clientSecretField: 'keycloak.secret',
    scope: 'api://influxdb/.default',
    audience: 'https://influxdb.example.com',
    parameters: { resource: 'urn:influxdb' },
    authMethod: 'basic',
  };
  expect(withClient(all)).toEqual([]);
});

test.each([
  [
    'neither',
    {},
    'cluster.managementToken: found nothing, expected the name of the secret with the management token, or cluster.oauth in its place',
  ],
  [
    'both',
    { managementToken: 'influxdb/management', oauth },
    'cluster.oauth: found beside managementToken, expected one without the other; take one out',
  ],
  [
    'a client of Cloud Dedicated',
    { url: 'https://console.influxdata.com', dataUrl: 'https://x.a.influxdb.io', oauth },
    "cluster.oauth: found with a cluster of Cloud Dedicated, whose identity provider is InfluxData's and gives nobody a client; use managementToken",
  ],
])('refuses %s', (_what, cluster, sentence) => {
  expect(sentences(cluster)).toEqual([sentence]);
});

test.each([
  [
    { tokenUrl: 'http://login.example.com/token' },
    /^cluster\.oauth\.tokenUrl: http:\/\/login.* unencrypted, which allowPlainHttp does not allow; use https$/,
  ],
  [
    { tokenUrl: 'login.example.com' },
    /^cluster\.oauth\.tokenUrl: found "login\.example\.com", expected the address of a token endpoint, such as/,
  ],
  [
    { tokenUrl: 'https://a:b@login.example.com/token' },
    /^cluster\.oauth\.tokenUrl: found .*, expected the address/,
  ],
  [{ authMethod: 'jwt' }, /^cluster\.oauth\.authMethod: found "jwt", expected "post" or "basic"$/],
  [
    { parameters: { scope: 'x' } },
    /^cluster\.oauth\.parameters\.scope: found this name, expected the name of a parameter .* that no other key gives/,
  ],
  [
    { parameters: { client_assertion: 'x' } },
    /^cluster\.oauth\.parameters\.client_assertion: found this name/,
  ],
  [
    { clientSecret: 'keyturn/prod/telegraf' },
    /^cluster\.oauth\.clientSecret: keyturn\/prod\/telegraf begins with keyturn\/prod\//,
  ],
  [{ issuer: 'https://login.example.com' }, /^cluster\.oauth\.issuer: unknown key/],
  [{ clientId: undefined }, /^cluster\.oauth\.clientId: found nothing, expected/],
])('refuses %o', (client, sentence) => {
  expect(withClient(client)[0]).toMatch(sentence);
});

test('http is taken for this machine alone, as for a cluster', () => {
  expect(withClient({ tokenUrl: 'http://127.0.0.1:8087/token' })).toEqual([]);
  expect(
    sentences({ allowPlainHttp: true, oauth: { ...oauth, tokenUrl: 'http://a.internal/token' } }),
  ).toHaveLength(1);
});

test.each([
  'Qx7Qp0ZcB4LmV9AsT2wYb8KeR5nHd6Uj',
  '8Q~Qx7~p0Zc.4LmV9-sT2wYb8Ke.Wd3RfGh5',
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
])(
  'refuses the client’s secret in place of its name, and quotes nothing of it: %#',
  (clientSecret) => {
    const said = withClient({ clientSecret });
    expect(said).toEqual([
      expect.stringMatching(/^cluster\.oauth\.clientSecret: found the string of a token/),
    ]);
    expect(said.join()).not.toContain(clientSecret.slice(0, 6));
  },
);
