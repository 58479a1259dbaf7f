import { expect, test } from 'vitest';
import { readDeployedPolicy } from '../../../functions/policy/deployed-policy.ts';
import { parsePolicy } from '../../../functions/policy/parse-policy.ts';
import { policyAsset } from '../../../lib/bundle.ts';

/** Something of every kind that a policy may hold. */
const DOCUMENT = {
  owner: 'prod',
  cluster: {
    url: 'https://influxdb.example.com/',
    oauth: {
      tokenUrl: 'https://login.example.com/token',
      clientId: 'keyturn',
      clientSecret: 'keyturn/client',
      // A name that people may choose, beside the one that stands for an integer.
      parameters: { integer: '5', 'x.integer': '30n' },
    },
  },
  timeZone: 'Europe/Berlin',
  defaults: { windows: ['Mon-Fri 09:00-17:00'], gracePeriod: '2d' },
  tokens: {
    integer: {
      description: '{"$integer":"30"}',
      permissions: { read: ['telemetry'], write: ['telemetry'] },
      expiresAfter: 'never',
    },
    reader: {
      permissions: { read: '*' },
      secret: 'team/reader',
      adopt: { tokenId: '11111111-1111-4111-8111-111111111111', key: 'db.token' },
    },
  },
  databases: [
    { name: 'telemetry', retention: '9000000000000000001ns', maxTables: 500, ifMissing: 'create' },
    { match: 'raw_*', retention: { min: '30d', max: 'infinite' }, maxColumnsPerTable: { min: 5 } },
  ],
};

test('a function has the policy that the deployment checked, to the last nanosecond', () => {
  const { policy } = readDeployedPolicy(policyAsset({ document: DOCUMENT }));
  expect(policy).toEqual(parsePolicy(DOCUMENT));
  expect(policy.databases[0]).toMatchObject({ retention: 9_000_000_000_000_000_001n });
});

test.each(['{}', '{"owner":"prod"}', '{"policy":{}}', 'null'])(
  'a function does not start with %j in place of its policy',
  (text) => {
    expect(() => readDeployedPolicy(text)).toThrow(
      'policy.json: found no policy and mark, expected what the deployment writes there; deploy the stack again',
    );
  },
);
