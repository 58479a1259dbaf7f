import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readDeployedPolicy } from '../../functions/policy/deployed-policy.ts';
import { documentMark } from '../../functions/policy/document-mark.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { BUDGET, buildBundle, bundle } from '../../lib/bundle.ts';
import type { PolicyFile } from '../../lib/policy-file.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';

let folder: string;
let policyFile: PolicyFile;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'keyturn-')));
  policyFile = { ...readPolicyFile('keyturn.example.yaml'), ca: rootCertificates[0] ?? '' };
  bundle('rotate', policyFile, folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const text = (name: string) => readFileSync(join(folder, name), 'utf8');

test('carries all that the function reads at run time', () => {
  expect(readdirSync(folder).sort()).toEqual([
    'ca.pem',
    'identity-provider.js',
    'identity-provider.js.map',
    'index.js',
    'index.js.map',
    'key-policy-reader.js',
    'key-policy-reader.js.map',
    'measurement.js',
    'measurement.js.map',
    'package.json',
    'policy.json',
    'schedule-reader.js',
    'schedule-reader.js.map',
  ]);
  const { policy, mark } = readDeployedPolicy(text('policy.json'));
  expect(mark).toEqual(documentMark(policyFile.document, policyFile.ca));
  expect(policy).toEqual(parsePolicy(policyFile.document));
});

test('loads as CommonJS wherever it lies, and exports the handler', () => {
  vi.stubEnv('LAMBDA_TASK_ROOT', folder);
  const exported = createRequire(join(folder, 'index.js'))('./index.js');
  expect(exported.handler).toBeTypeOf('function');
});

test('an error says where it is in the source, for which the process need not have begun with maps', async () => {
  vi.stubEnv('LAMBDA_TASK_ROOT', folder);
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const { handler } = createRequire(join(folder, 'index.js'))('./index.js');
  const context = { getRemainingTimeInMillis: () => 7_000 };
  const error = await handler({ dryRun: true }, context).catch((thrown: Error) => thrown);
  expect(error.stack).toMatch(/functions\/secrets-manager\/management-token\.ts:\d+:\d+/);
  expect(error.stack).not.toContain('index.js:');
});

const sourcesOf = (name: string): readonly string[] => JSON.parse(text(`${name}.map`)).sources;

test('stays within its budget, and takes credentials from the environment alone', () => {
  expect(statSync(join(folder, 'index.js')).size).toBeLessThan(BUDGET);
  expect(sourcesOf('index.js').filter((each) => each.includes('credential-provider'))).toEqual([]);
});

test('has no more packages than a run needs', () => {
  const packages = sourcesOf('index.js').flatMap(
    (source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [],
  );
  expect([...new Set(packages)].sort()).toEqual([
    '@aws-lambda-powertools/commons',
    '@aws-lambda-powertools/logger',
    '@aws-sdk/client-eventbridge',
    '@aws-sdk/client-secrets-manager',
    '@aws-sdk/core',
    '@aws-sdk/signature-v4-multi-region',
    '@aws/lambda-invoke-store',
    '@smithy/core',
    '@smithy/node-http-handler',
    '@smithy/signature-v4',
    '@smithy/types',
    'p-limit',
    'undici',
    'yocto-queue',
    'zod',
  ]);
});

test('judges no policy at a start, which the deployment has done, and loads nothing for HTTP/2', () => {
  const judging = /policy\/(?:schemas\/|parse-policy|contradictions)/;
  expect(sourcesOf('index.js').filter((each) => judging.test(each))).toEqual([]);
  expect(text('index.js')).not.toContain('node:http2');
});

test.each([
  ['client-scheduler', 'schedule-reader', 'createScheduleReader'],
  ['client-kms', 'key-policy-reader', 'createKeyPolicyReader'],
  ['oauth4webapi', 'identity-provider', 'createManagementBearers'],
  ['functions/measurement', 'measurement', 'runMeasurement'],
])('has %s in a file of its own, which its own name finds', (client, reader, maker) => {
  const inside = (name: string) => sourcesOf(name).join();
  expect(inside('index.js')).not.toContain(client);
  expect(inside(`${reader}.js`)).toContain(client);
  expect(inside(`${reader}.js`)).not.toContain('credential-provider');
  const loaded = createRequire(join(folder, 'index.js'))(`#${reader}`);
  expect(loaded[maker]).toBeTypeOf('function');
});

test('a function has only the readers that it may need', () => {
  for (const [entry, reader] of [
    ['secrets-manager-rotation', 'key-policy-reader.js'],
    ['reap', 'schedule-reader.js'],
  ] as const) {
    const other = mkdtempSync(join(tmpdir(), 'keyturn-other-'));
    bundle(entry, policyFile, other);
    expect(readdirSync(other).filter((name) => name.endsWith('-reader.js'))).toEqual([reader]);
    rmSync(other, { recursive: true });
  }
});

test('is the same wherever the repository stands, and however its packages came there', () => {
  const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'keyturn-moved-')));
  for (const name of ['functions', 'lib', 'package.json', 'tsconfig.json']) {
    cpSync(name, join(elsewhere, name), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(elsewhere, 'node_modules'));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { createHash } from 'node:crypto';
      import { buildBundle } from './lib/bundle.ts';
      for (const { name, contents } of buildBundle('rotate')) {
        console.log(name, createHash('sha256').update(contents).digest('hex'));
      }`,
    ],
    { cwd: elsewhere, encoding: 'utf8' },
  );
  rmSync(elsewhere, { recursive: true });
  const here = buildBundle('rotate').map(
    ({ name, contents }) => `${name} ${createHash('sha256').update(contents).digest('hex')}\n`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: here.join(''), stderr: '' });
});

test('is the same from any folder, so that an unchanged function is not deployed again', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'keyturn-elsewhere-'));
  bundle('rotate', policyFile, elsewhere);
  for (const name of readdirSync(folder)) {
    expect(readFileSync(join(elsewhere, name), 'utf8')).toBe(text(name));
  }
  rmSync(elsewhere, { recursive: true });
});

test.each(['cjs', 'esm'] as const)(
  'an app that has the package inside a bundle (%s) is told to leave it out',
  (format) => {
    const app = join(folder, 'app', format === 'cjs' ? 'app.cjs' : 'app.mjs');
    buildSync({
      entryPoints: ['lib/index.ts'],
      outfile: app,
      format,
      bundle: true,
      platform: 'node',
      external: ['aws-cdk-lib', 'constructs', 'esbuild'],
      logLevel: 'silent',
    });
    symlinkSync(resolve('node_modules'), join(dirname(app), 'node_modules'));
    onTestFinished(() => rmSync(dirname(app), { recursive: true }));
    const { stderr, status } = spawnSync(process.execPath, [app], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /Error: @keyturn\/cdk: found it inside a bundle of the app, expected it in its own folder .*; have the bundler leave it out, .* --external:@keyturn\/cdk or --packages=external/,
    );
  },
);
