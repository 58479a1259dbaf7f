import { expect, test } from 'vitest';
import { JOBS } from '../world/jobs.ts';
import { policyWith, writer } from '../world/policy.ts';
import { isAllowed } from './evaluate.ts';
import { ACCOUNT, REGION, rolesOf } from './roles.ts';

const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret`;

/** The functions that may read a secret with this ARN if the policy names the management token's so. */
function readersOf(secret: string, managementToken: string): readonly string[] {
  const cluster = { url: 'https://influxdb.example.com', managementToken };
  const roles = rolesOf({ ...policyWith({ telegraf: writer }), cluster });
  const request = { action: 'secretsmanager:GetSecretValue', resource: secret };
  return JOBS.filter((job) => isAllowed(roles.get(job) ?? [], request));
}

test.each([
  ['by its name', 'influxdb/management'],
  ['by its ARN', `${ARN}:influxdb/management-AbCdEf`],
  ['by its ARN without the six characters', `${ARN}:influxdb/management`],
])('every function reads the management token, named %s, and no secret beside it', (_how, text) => {
  expect(readersOf(`${ARN}:influxdb/management-AbCdEf`, text)).toEqual(JOBS);
  expect(readersOf(`${ARN}:influxdb/management-of-another-AbCdEf`, text)).toEqual([]);
});

test('where the policy names an OAuth client, every function reads its secret, and no management token', () => {
  const client = { tokenUrl: 'https://login.example.com/token', clientId: 'keyturn' };
  const oauth = { ...client, clientSecret: 'influxdb/oauth' };
  const cluster = { url: 'https://influxdb.example.com', oauth };
  const roles = rolesOf({ ...policyWith({ telegraf: writer }), cluster });
  const readers = (secret: string) =>
    JOBS.filter((job) =>
      isAllowed(roles.get(job) ?? [], {
        action: 'secretsmanager:GetSecretValue',
        resource: `${ARN}:${secret}-AbCdEf`,
      }),
    );
  expect(readers('influxdb/oauth')).toEqual(JOBS);
  expect(readers('influxdb/management')).toEqual([]);
});

test.each([
  ['by its name', 'influxdb/management-secret'],
  ['by its ARN', `${ARN}:influxdb/management-secret-AbCdEf`],
])('of a secret whose name ends as an ARN does, named %s', (_how, text) => {
  expect(readersOf(`${ARN}:influxdb/management-secret-AbCdEf`, text)).toEqual(JOBS);
});
