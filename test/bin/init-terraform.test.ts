import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readTerraform } from '../../bin/keyturn/init/read-terraform.ts';
import { formatInstant } from '../../functions/time.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';
import { keyturn, temporaryFolder, writeTemporary } from './cli.ts';
import { openLocal } from './operator.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
const CLUSTER = '11111111-1111-4111-8111-111111111111';
const idOf = (index: number) => `67cd832e-0000-4000-8000-${String(index).padStart(12, '0')}`;
const newString = () => `apiv1_${randomBytes(64).toString('base64')}`;

const grants = (action: string, ...databases: readonly string[]) =>
  databases.map((resource) => ({ action, resource }));

/** The attributes of a token, as the provider writes them. */
const token = (id: string, access_token: string, more: object = {}) => ({
  account_id: CLUSTER,
  cluster_id: CLUSTER,
  id,
  access_token,
  description: 'Grafana',
  permissions: grants('read', 'telemetry'),
  created_at: '2026-01-01T00:00:00Z',
  expires_at: null,
  revoked_at: null,
  ...more,
});

const database = {
  account_id: CLUSTER,
  cluster_id: CLUSTER,
  name: 'telemetry',
  max_tables: 500,
  max_columns_per_table: 250,
  partition_template: [
    { type: 'bucket', value: '{"tagName":"room","numberOfBuckets":10}' },
    { type: 'time', value: '%Y-%m-%d' },
  ],
};

const resource = (type: string, name: string, ...attributes: readonly object[]) => ({
  mode: 'managed',
  type,
  name,
  provider: `provider["registry.terraform.io/komminarlabs/influxdb3"]`,
  instances: attributes.map((each) => ({ attributes: each })),
});

const stateOf = (...resources: readonly object[]) => ({
  version: 4,
  terraform_version: '1.12.0',
  resources,
});

/** Terraform knows the string of each token, and of one that it is in a secret, plain or in JSON. */
const ofTwo = (
  [one, other]: readonly [string, string] = [newString(), newString()],
  ids: readonly [string, string] = [idOf(1), idOf(2)],
) => ({
  strings: [one, other],
  state: stateOf(
    resource('influxdb3_token', 'grafana', token(ids[0], one)),
    resource(
      'influxdb3_cloud_token',
      'telegraf',
      token(ids[1], other, { description: `is ${other}` }),
    ),
    resource('influxdb3_database', 'telemetry', database),
    resource('influxdb3_table', 'cpu', { name: 'cpu' }),
    resource('aws_secretsmanager_secret', 'grafana', {
      arn: `${ARN}monitoring/grafana-AbCdEf`,
      name: 'monitoring/grafana',
    }),
    resource('aws_secretsmanager_secret_version', 'grafana', {
      secret_id: `${ARN}monitoring/grafana-AbCdEf`,
      secret_string: JSON.stringify({ url: 'x', db: { token: one } }),
    }),
    resource('aws_secretsmanager_secret_version', 'telegraf', {
      secret_id: 'plant/telegraf',
      secret_string: `${other}\n`,
    }),
  ),
});

const init = (state: string, ...more: readonly string[]) =>
  keyturn([
    ...['init', join(temporaryFolder(), 'keyturn.yaml'), '--from-terraform', state, '--json'],
    ...['--url', 'https://influxdb.example.com', '--owner', 'prod', ...more],
  ]);

it('makes entries of what a state file has, with the secrets that Terraform put the strings into', async () => {
  const { state, strings } = ofTwo();
  const text = JSON.stringify(state).replace(
    '"max_tables"',
    '"retention_period":9223372036854775807,"max_tables"',
  );
  const { code, stdout, stderr } = await init(writeTemporary('terraform.tfstate', text));
  expect([code, stderr]).toEqual([0, '']);
  const { file } = JSON.parse(stdout);
  const written = readFileSync(file, 'utf8');
  const { policy } = readPolicyFile(file);
  expect(policy.cluster).toMatchObject({ accountId: CLUSTER, clusterId: CLUSTER });
  expect(policy.tokens).toMatchObject([
    {
      name: 'grafana',
      secret: 'monitoring/grafana',
      adopt: { tokenId: idOf(1), key: 'db.token' },
      permissions: grants('read', 'telemetry'),
    },
    { name: 'telegraf', secret: 'plant/telegraf', adopt: { tokenId: idOf(2) } },
  ]);
  expect(policy.databases).toMatchObject([
    {
      name: 'telemetry',
      maxTables: 500,
      maxColumnsPerTable: 250,
      retention: 9_223_372_036_854_775_807n,
      partitionTemplate: [
        { type: 'bucket', value: { tagName: 'room', numberOfBuckets: 10 } },
        { type: 'time', value: '%Y-%m-%d' },
      ],
    },
  ]);
  expect(written).toContain('Not understood, and left out: influxdb3_table.cpu\n');
  expect(written).toContain('! Terraform made these, and would undo what Keyturn does');
  for (const string of strings)
    expect(written + stdout + stderr).not.toContain(string.slice(10, 40));
});

it('reads the JSON of a state and of a plan, whose new tokens stand as comments without adopt', async () => {
  const shown = (type: string, name: string, values: object, index?: string) => ({
    address: `module.plant.${type}.${name}${index === undefined ? '' : `["${index}"]`}`,
    mode: 'managed',
    type,
    name,
    ...(index !== undefined && { index }),
    values,
  });
  const there = shown('influxdb3_token', 'grafana', token(idOf(1), newString()), 'hall 1');
  const values = (...resources: readonly object[]) => ({
    root_module: { child_modules: [{ resources }] },
  });
  const { id, access_token, created_at, ...unmade } = token('', '');
  const made = shown('influxdb3_token', 'new', unmade);
  const { permissions, ...unsaid } = unmade;
  const later = shown('influxdb3_token', 'later', unsaid);
  const known = shown('influxdb3_database', 'telemetry', database);
  const soon = shown('influxdb3_database', 'soon', { ...database, name: 'soon' });
  const changed = { ...known, values: { ...database, max_tables: 7 } };
  const plan = {
    format_version: '1.2',
    prior_state: { format_version: '1.0', values: values(there, known) },
    planned_values: values(there, made, later, changed, soon),
  };
  const state = { format_version: '1.0', values: values(there, known) };

  for (const document of [state, plan]) {
    const { stdout } = await init(writeTemporary('shown.json', document));
    const { file, waiting, rules } = JSON.parse(stdout);
    expect([waiting, rules]).toEqual([1, 1]);
    const written = readFileSync(file, 'utf8');
    expect(written).toContain('  # grafana-hall-1:\n');
    // What is there, and not what Terraform would make of it.
    expect(written).toContain('    maxTables: 500\n');
    expect(written.includes('  # new:\n  #   description: Grafana\n  #   permissions:\n')).toBe(
      document === plan,
    );
    expect(/not say enough yet: module\.plant\.influxdb3_token\.later$/m.test(written)).toBe(
      document === plan,
    );
    expect(/when they are there: module\.plant\.influxdb3_database\.soon$/m.test(written)).toBe(
      document === plan,
    );
  }
});

it.each([
  ['resource "influxdb3_token" "x" {}', /found no JSON in .*terraform show -json/],
  ['PK\u0003\u0004', /found a plan in its own format, expected terraform show -json/],
  ['{"encrypted_data": "x"}', /found an encrypted state/],
  ['{"version": 3}', /found a state in another format than 4/],
  ['[]', /found other JSON/],
  ['{"version": 4, "resources": []}', /found 0 resources and none of the types influxdb3_token,/],
])('says of %j what it is not', (text, expected) => {
  expect(() => readTerraform(writeTemporary('state', text))).toThrow(expected);
});

it('names the resource and the attribute that it does not understand, and no value', () => {
  const string = newString();
  const odd = token(idOf(1), string, { permissions: string });
  const file = writeTemporary('state', stateOf(resource('influxdb3_token', 'x', odd)));
  expect(() => readTerraform(file)).toThrow(
    /^--from-terraform: influxdb3_token\.x: permissions is not as the provider of InfluxDB 3 writes it; [^_]*$/,
  );
});

it('passes over data sources, and instances that are to be destroyed', () => {
  const { state } = ofTwo();
  const [grafana] = state.resources as readonly [ReturnType<typeof resource>];
  const data = { ...resource('influxdb3_token', 'data', token(idOf(8), '')), mode: 'data' };
  const deposed = { attributes: token(idOf(9), ''), deposed: 'abcd' };
  const both = { ...grafana, instances: [...grafana.instances, deposed] };
  const { found } = readTerraform(writeTemporary('state', stateOf(both, data)));
  expect(found.tokens.map(({ id }) => id)).toEqual([idOf(1)]);
});

it('takes what there is from the cluster, and the secrets from Terraform', async () => {
  const { systems, run } = await openLocal();
  const { people, cluster } = systems;
  const mint = (name: string) =>
    people.mint({ description: name, permissions: grants('read', 'telemetry') });
  const [one, other, gone] = [await mint('one'), await mint('other'), await mint('gone')];
  await people.deleteToken(gone.id);
  await people.createSecret('plant/telegraf', other.accessToken);
  const { state } = ofTwo([gone.accessToken, other.accessToken], [gone.id, other.id]);
  const file = join(temporaryFolder(), 'keyturn.yaml');
  const terraform = JSON.parse(JSON.stringify(state).replaceAll(`"account_id":"${CLUSTER}",`, ''));
  const { code, stderr } = await run([
    ...['init', file, '--from-cluster', '--from-terraform', writeTemporary('state', terraform)],
    ...['--url', cluster.url, '--owner', 'prod'],
  ]);
  expect([code, stderr]).toEqual([0, '']);
  const written = readFileSync(file, 'utf8');
  expect(readPolicyFile(file).policy.tokens).toMatchObject([
    { name: 'other', secret: 'plant/telegraf', adopt: { tokenId: other.id } },
  ]);
  expect(written).toContain(`adopt: { tokenId: ${one.id} }`);
  expect(written).not.toContain(gone.id);
  const plan = await run(['plan', '--local', '--json', '--policy', file]);
  const actions = JSON.parse(plan.stdout).flatMap((each: { actions: unknown[] }) => each.actions);
  expect(actions).toMatchObject([{ kind: 'adopt', token: 'other' }]);
}, 120_000);

it('takes no expired token that the cluster lists no more for a listing that was cut', async () => {
  const { systems, run } = await openLocal();
  const { people, cluster } = systems;
  const mint = (more: object) =>
    people.mint({ description: 'x', permissions: grants('read', 'telemetry'), ...more });
  const expiresAt = formatInstant(Date.now() + 2_000);
  const [one, expired] = [await mint({}), await mint({ expiresAt })];
  cluster.manners = { hidesExpired: 'from listings' };
  const ids = [one.id, expired.id] as const;
  const { state } = ofTwo([one.accessToken, expired.accessToken], ids);
  const given = JSON.stringify(state).replaceAll(`"account_id":"${CLUSTER}",`, '');
  await sleep(2_500);
  const { code, stderr } = await run([
    ...['init', '-', '--from-cluster', '--from-terraform', writeTemporary('state', given)],
    ...['--url', cluster.url, '--owner', 'prod'],
  ]);
  expect([code, stderr]).toEqual([0, '']);
}, 120_000);

it('says the number of a retention that no rule can say', async () => {
  const { state } = ofTwo();
  const text = JSON.stringify(state).replace('"max_tables"', '"retention_period":-5,"max_tables"');
  const { stdout } = await init(writeTemporary('terraform.tfstate', text));
  const written = readFileSync(JSON.parse(stdout).file, 'utf8');
  expect(written).toContain('# retention is -5ns, which no rule can say');
  expect(written).toContain('! keeps data for -5ns, less than an hour');
});

const version = (name: string, secret_id: string, text: unknown, ...version_stages: string[]) =>
  resource('aws_secretsmanager_secret_version', name, {
    secret_id,
    secret_string: typeof text === 'string' ? text : JSON.stringify(text),
    ...(version_stages.length > 0 && { version_stages }),
  });

const [ONE, OTHER] = [newString(), newString()];

it.each([
  [
    'in two secrets',
    [version('a', 'plant/a', ONE), version('b', `${ARN}plant/b-AbCdEf`, { token: ONE })],
    /is in several places \(plant\/a, plant\/b#token\)/,
  ],
  [
    'under two keys',
    [version('a', 'plant/a', { old: ONE, db: { token: ONE } })],
    /is in several places \(plant\/a#old, plant\/a#db\.token\)/,
  ],
  [
    'where no policy can name it',
    [version('a', 'plant/a', { urls: [`https://x?token=${ONE}`] })],
    /is in plant\/a, but not as its text, nor under a key/,
  ],
])('names no secret for a string that is %s, and says why', async (_what, versions, expected) => {
  const state = stateOf(
    resource('influxdb3_token', 'grafana', token(idOf(1), ONE)),
    resource('influxdb3_token', 'telegraf', token(idOf(2), OTHER)),
    version('other', 'plant/other', OTHER),
    ...versions,
  );
  const { code, stdout, stderr } = await init(writeTemporary('state', state));
  expect(code).toBe(0);
  expect(stderr).toMatch(expected);
  const { file, adopted } = JSON.parse(stdout);
  expect(adopted).toBe(1);
  const written = readFileSync(file, 'utf8');
  expect(written).toContain(`# ! The string of token ${idOf(1)} is in`);
  expect(readPolicyFile(file).policy.tokens).toMatchObject([{ secret: 'plant/other' }]);
  expect(written + stdout + stderr).not.toContain(ONE.slice(10, 40));
});

it('names no secret that has the strings of two tokens, unless a person names one of them', async () => {
  const state = writeTemporary(
    'state',
    stateOf(
      resource('influxdb3_token', 'grafana', token(idOf(1), ONE)),
      resource('influxdb3_token', 'telegraf', token(idOf(2), OTHER)),
      resource('influxdb3_token', 'third', token(idOf(3), newString())),
      version('both', 'plant/both', { a: ONE, b: OTHER }),
    ),
  );
  const alone = await init(state);
  expect(JSON.parse(alone.stdout)).toMatchObject({ adopted: 0, waiting: 3 });
  for (const [id, other] of [
    [idOf(1), idOf(2)],
    [idOf(2), idOf(1)],
  ]) {
    expect(alone.stderr).toContain(
      `! The string of token ${id} is in plant/both, which also has that of ${other}`,
    );
  }
  const named = await init(state, '--secret', `${idOf(2)}=plant/both#b`);
  const { file, adopted } = JSON.parse(named.stdout);
  expect(adopted).toBe(1);
  expect(readPolicyFile(file).policy.tokens).toMatchObject([
    { secret: 'plant/both', adopt: { tokenId: idOf(2), key: 'b' } },
  ]);
  expect(named.stderr).toContain(`! The string of token ${idOf(1)} is in plant/both`);
});

it('takes the secret whose current version has the string, not one that had it before', async () => {
  const state = stateOf(
    resource('influxdb3_token', 'grafana', token(idOf(1), ONE)),
    version('before', 'plant/before', ONE, 'AWSPREVIOUS'),
    version('now', 'plant/now', ONE, 'AWSCURRENT', 'mine'),
  );
  const { stdout, stderr } = await init(writeTemporary('state', state));
  expect(stderr).toBe('');
  const { policy } = readPolicyFile(JSON.parse(stdout).file);
  expect(policy.tokens).toMatchObject([{ secret: 'plant/now' }]);
});

it('asks what to begin with where nothing is named', async () => {
  const url = ['--url', 'https://influxdb.example.com', '--owner', 'prod'];
  const { code, stderr } = await keyturn(['init', ...url]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    'name what to begin with: --from-cluster, --from-terraform FILE, or both',
  );
});
