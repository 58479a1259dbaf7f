import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../../bin/keyturn/program.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { POLICY_KEYS } from '../../lib/policy-keys.ts';
import { type JsonSchema, policyJsonSchema, shapesOf } from '../../lib/policy-schema.ts';
import { POLICY, synthesize } from '../lib/synthesize.ts';
import { openScreen } from './screen.ts';

/** The path of every key that a policy may have. */
function pathsIn(schema: JsonSchema, path = ''): readonly string[] {
  return shapesOf(schema).flatMap(({ properties = {}, additionalProperties, items }) => [
    ...Object.entries(properties).flatMap(([key, each]) => {
      const inside = path === '' ? key : `${path}.${key}`;
      return [inside, ...pathsIn(each, inside)];
    }),
    ...(typeof additionalProperties === 'object'
      ? pathsIn(additionalProperties, `${path}.<name>`)
      : []),
    ...(items ? pathsIn(items, `${path}[]`) : []),
  ]);
}

test('every key of the policy says what it is for, and nothing is said of a key that is not there', () => {
  const paths = new Set(pathsIn(policyJsonSchema()));
  expect(paths.size).toBeGreaterThan(90);
  expect([...paths].toSorted()).toEqual(Object.keys(POLICY_KEYS).toSorted());
});

test('an editor gets the description of each key beside it', () => {
  const { properties } = policyJsonSchema();
  expect(properties?.settle).toMatchObject({ description: POLICY_KEYS.settle?.means });
  const [named, matched] = properties?.databases?.items?.anyOf ?? [];
  for (const rule of [named, matched]) {
    expect(rule?.properties?.mode).toMatchObject({
      description: POLICY_KEYS['databases[].mode']?.means,
    });
  }
});

/** Every key that a policy may leave out, with its schema. */
function optionalIn(schema: JsonSchema, path = ''): readonly (readonly [string, JsonSchema])[] {
  return shapesOf(schema).flatMap(({ properties = {}, required, additionalProperties, items }) => [
    ...Object.entries(properties).flatMap(([key, each]) => {
      const inside = path === '' ? key : `${path}.${key}`;
      const isRequired = (required as readonly string[] | undefined)?.includes(key);
      return [...(isRequired ? [] : [[inside, each] as const]), ...optionalIn(each, inside)];
    }),
    ...(typeof additionalProperties === 'object'
      ? optionalIn(additionalProperties, `${path}.<name>`)
      : []),
    ...(items ? optionalIn(items, `${path}[]`) : []),
  ]);
}

test('an editor shows of each key that may be left out what holds then: a default, or words', () => {
  const optional = optionalIn(policyJsonSchema());
  expect(optional.length).toBeGreaterThan(80);
  const untold = optional.filter(
    ([, { default: value, description }]) =>
      value === undefined && !/ Without it: .+\.$/.test(`${description}`),
  );
  expect(untold.map(([path]) => path)).toEqual([]);
  const { settle, defaults, deployment } = policyJsonSchema().properties ?? {};
  expect(settle?.default).toBe('10m');
  expect(defaults?.properties?.rotateEvery?.default).toBe('30d');
  expect(deployment?.properties?.memory?.default).toBe(512);
});

test('the schema that the example names is beside it, and is the one that keyturn prints', async () => {
  const [, named = ''] =
    /^# yaml-language-server: \$schema=(\S+)\n/.exec(
      readFileSync('keyturn.example.yaml', 'utf8'),
    ) ?? [];
  const { terminal, shown } = openScreen('', []);
  await runProgram(terminal, ['node', 'keyturn', 'schema']);
  expect(readFileSync(named, 'utf8')).toBe(`${shown()}\n`);
  const ignored = spawnSync('git', ['check-ignore', '--no-index', '-q', named]);
  expect(ignored.status, 'it comes with a clone').not.toBe(0);
});

const document = (more: object) => ({
  owner: 'prod',
  cluster: {
    url: 'https://influxdb.example.com',
    oauth: {
      tokenUrl: 'https://login.example.com/token',
      clientId: 'keyturn',
      clientSecret: 'influxdb/oauth',
    },
  },
  tokens: { telegraf: { permissions: { read: ['telemetry'] } } },
  ...more,
});

test('a default that the documents give is the one that holds', () => {
  const stated = Object.entries(POLICY_KEYS).flatMap(([path, key]) =>
    key.default === undefined ? [] : [[path, key.default] as const],
  );
  expect(stated.length).toBeGreaterThan(7);
  const plain = parsePolicy(document({}));
  for (const [path, value] of stated) {
    const [head = '', tail] = path.split('.');
    if (head === 'deployment') continue; // below
    if (path === 'cluster.oauth.clientSecretField') continue; // client-secret.test.ts
    const written = tail === undefined ? { [head]: value } : { [head]: { [tail]: value } };
    expect(parsePolicy(document(written)), path).toEqual(plain);
  }
});

test('a default of a deployment is the one that is deployed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  const memory = Number(POLICY_KEYS['deployment.memory']?.default);
  const retention = POLICY_KEYS['deployment.logs.retention']?.default;
  const deployment = JSON.stringify({ memory, logs: { retention } });
  const resourcesOf = (policy: string) => {
    // The policy stands in the metadata as it was written.
    const resources = Object.entries(synthesize(folder, policy).toJSON().Resources as object);
    return resources.map(([id, { Metadata: _, ...resource }]) => [id, resource]);
  };
  try {
    expect(resourcesOf(`${POLICY}deployment: ${deployment}\n`)).toEqual(resourcesOf(POLICY));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
