import { expect, test } from 'vitest';
import { openDeployed } from '../bin/operator.ts';
import { TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import { documented } from './documented.ts';
import { type AwsRequest, isAllowed, takeApart } from './evaluate.ts';

const OF_AWS = 'eu-west-1:111122223333';
const arnOf = (server: string, subject = '') =>
  server === 'scheduler'
    ? `arn:aws:scheduler:${OF_AWS}:schedule/${subject}`
    : `arn:aws:secretsmanager:${OF_AWS}:secret:${subject}-AbCdEf`;
const SERVICES = new Map([
  ['secrets-manager', 'secretsmanager'],
  ['scheduler', 'scheduler'],
]);

const HEADING = '### In a pull request';
test('the documented rights allow every call of a preview, and none goes unused', async () => {
  const { world, run } = await openDeployed({ deployment: { replicaRegions: ['eu-central-1'] } });
  const statements = documented(HEADING);
  await world.rotate();
  // So that it has to read the string.
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const seen = () => [world.value(TELEGRAF), world.labels(TELEGRAF), world.tags(TELEGRAF)];
  const state = () => structuredClone([world.cluster.state.tokens, ...seen()]);
  const before = state();

  const requests: AwsRequest[] = [];
  const changing: string[] = [];
  world.watch((call, effect) => {
    const service = SERVICES.get(call.server);
    const resource = call.operation === 'ListSecrets' ? '*' : arnOf(call.server, call.subject);
    if (service) requests.push({ action: `${service}:${call.operation}`, resource });
    else if (!call.operation.startsWith('GET ')) changing.push(call.operation);
    return effect();
  });
  const { code, stdout } = await run(['plan', '--local', '--markdown']);
  expect([code, stdout]).toEqual([
    2,
    expect.stringContaining('### What Keyturn would do (`prod`)'),
  ]);
  expect(state()).toEqual(before);
  expect(changing).toEqual([]);

  expect(requests).toContainEqual({
    action: 'secretsmanager:GetSecretValue',
    resource: arnOf('secrets-manager', MANAGEMENT_SECRET),
  });
  expect(requests.filter((request) => !isAllowed(statements, request))).toEqual([]);
  const unused = takeApart(statements).filter(
    (grant) => !requests.some((request) => isAllowed([grant], request)),
  );
  expect(unused).toEqual([]);
});
