import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLING, bundle, ENTRIES } from '../lib/bundle.ts';
import { readPolicyFile } from '../lib/policy-file.ts';
import { cpuMs, leastOf, nodeCpuMs } from './one-process.ts';
import type { Row } from './table.ts';

const ROUNDS = 25;
const KB = 1_000;

const ENVIRONMENT = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
};

/** A function with one client, as most rotation functions are. */
const BOTO3 = `
import resource, boto3
boto3.client("secretsmanager", region_name="eu-west-1")
used = resource.getrusage(resource.RUSAGE_SELF)
print(int((used.ru_utime + used.ru_stime) * 1e6))`;
const hasBoto3 = () => spawnSync('python3', ['-c', 'import boto3']).status === 0;

const POOL = "import Pool from 'undici/lib/dispatcher/pool.js'; new Pool('http://127.0.0.1:1');";
/** Clients, pool, schemas and logger, made once, and nothing of ours. */
const LIBRARIES = `${POOL}
import { Logger } from '@aws-lambda-powertools/logger';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
new Logger({ serviceName: 'x' });
z.strictObject({ a: z.string() }).parse({ a: 'x' });
globalThis.used = [new SecretsManagerClient({}), GetSecretValueCommand, new EventBridgeClient({}), PutEventsCommand];`;

/** A program as the functions are bundled. */
function bundled(folder: string, name: string, contents: string): string {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const outfile = join(folder, `${name}.js`);
  buildSync({ ...BUNDLING, stdin: { contents, resolveDir: import.meta.dirname }, outfile });
  return outfile;
}

/** What a cold start of each function costs until its module is loaded, in CPU, beside a bare Node.js and Python; and how large it is. */
export function measureInit(): readonly Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-init-'));
  const policyFile = readPolicyFile('keyturn.example.yaml');
  const functions = ENTRIES.map((name) => {
    const root = join(folder, name);
    mkdirSync(root);
    bundle(name, policyFile, root);
    const env = { ...ENVIRONMENT, AWS_LAMBDA_FUNCTION_NAME: name, LAMBDA_TASK_ROOT: root };
    return { name, env, file: join(root, 'index.js') };
  });
  const undici = bundled(folder, 'undici', POOL);
  const libraries = bundled(folder, 'libraries', LIBRARIES);
  const isHere = hasBoto3();
  const requires = (file: string) => `require(${JSON.stringify(file)})`;
  const least: Readonly<Record<string, number>> = leastOf(ROUNDS, {
    bare: () => nodeCpuMs('0', {}),
    undici: () => nodeCpuMs(requires(undici), {}),
    libraries: () => nodeCpuMs(requires(libraries), ENVIRONMENT),
    https: () => nodeCpuMs(requires('node:https'), {}),
    python: () => (isHere ? cpuMs(['python3', '-c', BOTO3], process.env) : undefined),
    ...Object.fromEntries(
      functions.map(({ name, env, file }) => [name, () => nodeCpuMs(requires(file), env)]),
    ),
  });
  const { bare = 0, python = 0, undici: pool = 0, libraries: named = 0, https = 0 } = least;
  const dearest = Math.max(...functions.map(({ name }) => least[name] ?? 0));
  const rows: Row[] = [
    ...functions.map(
      ({ name }): Row => ({
        figure: `init of ${name} / bare node`,
        unit: 'ms',
        value: least[name] ?? 0,
        floor: bare,
        goal: { of: 'floor', atMost: 3, noise: 0.05 },
      }),
    ),
    {
      figure: 'init of the dearest / Python with one client',
      unit: 'ms',
      value: dearest,
      peer: isHere ? python : undefined,
      peerName: 'boto3',
      goal: { of: 'peer', atMost: 0.45, noise: 0.05 },
    },
    {
      figure: 'of these, the libraries alone, without our code / bare node',
      unit: 'ms',
      value: named,
      floor: bare,
    },
    {
      figure: "of these, loading undici's pool",
      unit: 'ms',
      value: pool - bare,
      peer: https - bare,
      peerName: 'node:https',
    },
    ...functions.map(
      ({ name, file }): Row => ({
        figure: `bundle of ${name}`,
        unit: 'KB',
        value: statSync(file).size / KB,
        goal: { of: 'this', atMost: 480, noise: 0 },
      }),
    ),
  ];
  rmSync(folder, { recursive: true });
  return rows;
}
