import { expect, test } from 'vitest';
import { writeTemporary } from '../bin/cli.ts';
import { openDeployed } from '../bin/operator.ts';
import { TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import { documented } from './documented.ts';
import { type AwsRequest, isAllowed, takeApart } from './evaluate.ts';

const OF_AWS = 'eu-west-1:111122223333';
const ARNS: Readonly<Record<string, (subject: string) => string>> = {
  scheduler: (name) => `arn:aws:scheduler:${OF_AWS}:schedule/${name}`,
  kms: () => `arn:aws:kms:${OF_AWS}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
};
const arnOf = (server: string, subject = '') =>
  ARNS[server]?.(subject) ?? `arn:aws:secretsmanager:${OF_AWS}:secret:${subject}-AbCdEf`;
const SERVICES = new Map([
  ['secrets-manager', 'secretsmanager'],
  ['scheduler', 'scheduler'],
  ['kms', 'kms'],
]);

const LEGACY = 'legacy/telegraf';
const HEADING = '### In a pull request';
test('the documented rights allow every call of a preview, and none goes unused', async () => {
  const { world, run } = await openDeployed({ deployment: { replicaRegions: ['eu-central-1'] } });
  const statements = documented(HEADING);
  await world.rotate();
  // Somebody made the secret of an entry before the entry.
  const tags = { 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret('keyturn/prod/premade', undefined, tags);
  // The pull request adds an entry that adopts a token of theirs, under a key of theirs.
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const old = await world.people.mint({ description: 'old', permissions });
  await world.people.createSecret(LEGACY, old.accessToken);
  world.people.makeKey({ alias: 'alias/theirs' });
  await world.people.encrypt(LEGACY, 'alias/theirs');
  // So that it has to read the string.
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const seen = () => [world.value(TELEGRAF), world.labels(TELEGRAF), world.tags(TELEGRAF)];
  const state = () => structuredClone([world.cluster.state.tokens, ...seen()]);
  const before = state();

  const premade = { permissions: { write: ['telemetry'] } };
  const legacy = { ...premade, secret: LEGACY, adopt: { tokenId: old.id } };
  const { policy } = world;
  const proposed = { ...policy, tokens: { ...Object(policy).tokens, premade, legacy } };
  const env = { KEYTURN_POLICY: writeTemporary('keyturn.yaml', proposed) };

  const requests: AwsRequest[] = [];
  const changing: string[] = [];
  world.watch((call, effect) => {
    const service = SERVICES.get(call.server);
    const resource = call.operation === 'ListSecrets' ? '*' : arnOf(call.server, call.subject);
    if (service) requests.push({ action: `${service}:${call.operation}`, resource });
    else if (!call.operation.startsWith('GET ')) changing.push(call.operation);
    return effect();
  });
  const { code, stdout } = await run(['plan', '--local', '--markdown'], undefined, env);
  expect([code, stdout]).toEqual([
    2,
    expect.stringContaining('### What Keyturn would do (`prod`)'),
  ]);
  expect(stdout).toMatch(/adopt.*legacy/s);
  expect(stdout).not.toContain('CannotAdopt');
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
