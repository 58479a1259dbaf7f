import { expect, test } from 'vitest';
import { writeTemporary } from '../bin/cli.ts';
import { openDeployed } from '../bin/operator.ts';
import { refusal } from '../world/faults.ts';
import { TELEGRAF } from '../world/policy.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { Watcher } from '../world/world.ts';
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
const permissions = { write: ['telemetry'] };

type Deployed = Awaited<ReturnType<typeof openDeployed>>;

/** What a preview of the policy with these tokens beside those that it has asks AWS for. It changes nothing. */
async function preview(
  { world, run }: Deployed,
  tokens: object,
  meet: Watcher = (_call, effect) => effect(),
) {
  const { policy } = world;
  const proposed = { ...policy, tokens: { ...Object(policy).tokens, ...tokens } };
  const env = { KEYTURN_POLICY: writeTemporary('keyturn.yaml', proposed) };
  const seen = () => [world.value(TELEGRAF), world.labels(TELEGRAF), world.tags(TELEGRAF)];
  const state = () => structuredClone([world.cluster.state.tokens, ...seen()]);
  const before = state();
  const requests: AwsRequest[] = [];
  const changing: string[] = [];
  world.watch((call, effect) => {
    const service = SERVICES.get(call.server);
    const resource = call.operation === 'ListSecrets' ? '*' : arnOf(call.server, call.subject);
    if (service) requests.push({ action: `${service}:${call.operation}`, resource });
    // Nobody needs a right to ask who they are.
    else if (!call.operation.startsWith('GET ') && call.server !== 'sts')
      changing.push(call.operation);
    return meet(call, effect);
  });
  const { code, stdout } = await run(['plan', '--local', '--markdown'], undefined, env);
  expect([code, stdout]).toEqual([
    2,
    expect.stringContaining('### What Keyturn would do (`prod`)'),
  ]);
  expect(state()).toEqual(before);
  expect(changing).toEqual([]);
  return { requests, stdout };
}

/** The pull request adds an entry that adopts a token of theirs, under a key of theirs. */
async function adopting(): Promise<readonly AwsRequest[]> {
  const deployed = await openDeployed({ deployment: { replicaRegions: ['eu-central-1'] } });
  const { world } = deployed;
  await world.rotate();
  // Somebody made the secret of an entry before the entry.
  const tags = { 'keyturn:owner': 'prod', 'keyturn:cluster': world.cluster.url };
  await world.people.createSecret('keyturn/prod/premade', undefined, tags);
  const may = [{ action: 'write', resource: 'telemetry' }];
  const old = await world.people.mint({ description: 'old', permissions: may });
  await world.people.createSecret(LEGACY, old.accessToken);
  world.people.makeKey({ alias: 'alias/theirs' });
  await world.people.encrypt(LEGACY, 'alias/theirs');
  // So that it has to read the string.
  await world.people.saveValue(TELEGRAF, 'CHANGE_ME');
  const legacy = { permissions, secret: LEGACY, adopt: { tokenId: old.id } };
  const { requests, stdout } = await preview(deployed, { premade: { permissions }, legacy });
  expect(stdout).toMatch(/adopt.*legacy/s);
  expect(stdout).not.toContain('CannotAdopt');
  return requests;
}

const LEGACY_ENTRY = { secret: LEGACY, permissions: { read: ['telemetry'], ...permissions } };

async function openLegacy(): Promise<Deployed> {
  const deployed = await openDeployed();
  const { world } = deployed;
  const tokens = { ...Object(world.policy).tokens, legacy: LEGACY_ENTRY };
  await world.deploy({ ...world.policy, tokens }).rotate();
  return deployed;
}

/** The pull request takes a permission of a token whose secret the policy names itself. */
async function narrowing(): Promise<readonly AwsRequest[]> {
  const deployed = await openLegacy();
  const { requests, stdout } = await preview(deployed, {
    legacy: { ...LEGACY_ENTRY, permissions },
  });
  expect(stdout).toContain('(PermissionsNarrowed)');
  return requests;
}

/** A person has saved another string in such a secret. */
async function saved(): Promise<readonly AwsRequest[]> {
  const deployed = await openLegacy();
  await deployed.world.people.saveValue(LEGACY, 'CHANGE_ME');
  const { requests, stdout } = await preview(deployed, { legacy: LEGACY_ENTRY });
  expect(stdout).toContain('has a string that is no token of ours');
  return requests;
}

test('the documented rights allow every call of a preview, and none goes unused', async () => {
  const statements = documented(HEADING);
  const requests = [...(await adopting()), ...(await narrowing()), ...(await saved())];
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

test('without a right on a secret that the policy names, a preview says which, on what, and that whoever runs it lacks it', async () => {
  const deployed = await openLegacy();
  const { world } = deployed;
  await world.people.saveValue(LEGACY, 'CHANGE_ME');
  const { stdout } = await preview(deployed, { legacy: LEGACY_ENTRY }, (call, effect) =>
    call.subject === LEGACY ? refusal(call) : effect(),
  );
  for (const action of ['GetSecretValue', 'ListSecretVersionIds']) {
    expect(stdout).toMatch(
      new RegExp(`allow whoever runs this .*secretsmanager:${action} on ${LEGACY}`),
    );
  }
  expect(stdout).not.toContain('put its entry back');
});
