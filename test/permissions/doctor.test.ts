import { expect, test } from 'vitest';
import { neededBy } from '../../bin/keyturn/doctor/permissions.ts';
import { openDeployed } from '../bin/operator.ts';
import { accountState, serveAccount } from '../bin/serve-account.ts';
import { policyOf } from '../functions/builders.ts';
import { JOBS } from '../world/jobs.ts';
import { documented } from './documented.ts';
import { isAllowed } from './evaluate.ts';
import { ACCOUNT, REGION, rolesOf } from './roles.ts';

test('the documented rights are those of the calls that doctor makes, and no others', async () => {
  const { world, run, env } = await openDeployed();
  const state = accountState(`${env.KEYTURN_POLICY}`);
  for (const each of Object.values(state.functions)) {
    Object.assign(each, { VpcConfig: { VpcId: 'vpc-1', SubnetIds: ['subnet-1'] } });
  }
  const asked = new Set<string>();
  world.watch((call, effect) => {
    if (call.server === 'scheduler' && call.caller === undefined) {
      asked.add(`scheduler:${call.operation}`);
    }
    return effect();
  });
  await run(['doctor'], undefined, await serveAccount(state, env.AWS_ENDPOINT_URL_LAMBDA ?? ''));
  const actions = documented('## Is everything well?').flatMap(({ Action }) => Action);
  expect(actions.sort()).toEqual([...asked, ...state.asked].sort());
});

const DOCUMENT = {
  owner: 'prod',
  cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
  databases: [{ name: 'telemetry' }],
  tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
};

test.each(['name', 'arn'])(
  'what doctor asks IAM of a role is what the stack gives it, with the management token by %s',
  (by) => {
    const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:influxdb/management-a1B2c3`;
    const cluster = { ...DOCUMENT.cluster, ...(by === 'arn' && { managementToken: arn }) };
    const roles = rolesOf({ ...DOCUMENT, cluster });
    const caller = { account: ACCOUNT, region: REGION, partition: 'aws' };
    for (const entry of JOBS) {
      const needed = neededBy(entry, policyOf({ cluster }), caller);
      const refused = needed.flatMap(({ actions, resource }) =>
        actions.filter((action) => !isAllowed(roles.get(entry) ?? [], { action, resource })),
      );
      expect([entry, refused]).toEqual([entry, []]);
    }
  },
);
