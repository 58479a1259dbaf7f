import { execFileSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Imports that the linter must refuse: the file that would import, what it would take, and from where. */
const FORBIDDEN = [
  // A plan is pure: no client, no clock, no package.
  ['functions/rotation/plan/x.ts', 'createManagementApi', '../../management-api/client.ts'],
  ['functions/reaping/plan/x.ts', 'Secrets', '../../secrets-manager/client.ts'],
  ['functions/enforcement/plan/x.ts', 'Tools', '../../run/tools.ts'],
  ['functions/revocation/plan/x.ts', 'setTimeout', 'node:timers/promises'],
  ['functions/rotation/plan/x.ts', 'retry', '../../retry.ts'],
  ['functions/revocation/plan/x.ts', 'revokeSecret', '../revoke-secret.ts'],
  ['functions/rotation/plan/x.ts', 'observe', '../../tokens/observe.ts'],
  ['functions/rotation/plan/x.ts', 'pLimit', 'p-limit'],
  // A job imports no other job, but revocation rotation's minting and promotion.
  ['functions/rotation/x.ts', 'retireToken', '../reaping/retire-token.ts'],
  ['functions/rotation/x.ts', 'revokeSecret', '../revocation/revoke-secret.ts'],
  ['functions/reaping/x.ts', 'promote', '../rotation/promote.ts'],
  ['functions/reaping/x.ts', 'decideRotation', '../rotation/plan/decide-rotation.ts'],
  ['functions/enforcement/x.ts', 'retireToken', '../reaping/retire-token.ts'],
  ['functions/revocation/x.ts', 'adoptToken', '../rotation/adopt.ts'],
  ['functions/revocation/x.ts', 'changeField', '../enforcement/change-database.ts'],
  ['functions/reaping/plan/x.ts', 'decideRotation', '../../rotation/plan/decide-rotation.ts'],
  // Nobody but runtime.ts makes a client.
  ['functions/rotation/x.ts', 'createManagementApi', '../management-api/client.ts'],
  ['functions/reaping/x.ts', 'createSecrets', '../secrets-manager/client.ts'],
  ['functions/enforcement/x.ts', 'createPublisher', '../events/publisher.ts'],
  ['functions/revocation/x.ts', 'createDataPlane', '../data-plane/probe.ts'],
  ['functions/tokens/x.ts', 'createManagementApi', '../management-api/client.ts'],
  // A function's policy was checked when it was deployed.
  ['functions/tokens/x.ts', 'documentSchema', '../policy/schemas/document.ts'],
  ['functions/rotation/plan/x.ts', 'documentSchema', '../../policy/schemas/document.ts'],
  ['functions/policy/schemas/x.ts', 'Policy', '../policy.ts'],
  ['functions/run/x.ts', 'createMeter', '../metrics.ts'],
  ['functions/rotation/x.ts', 'createScheduleReader', '../schedules/reader.ts'],
  ['functions/reaping/x.ts', 'createScheduleReader', '#schedule-reader'],
  ['functions/rotation/x.ts', 'createKeyPolicyReader', '../secrets-manager/key-policy.ts'],
  ['functions/tokens/x.ts', 'createKeyPolicyReader', '#key-policy-reader'],
  ['functions/run/x.ts', 'createManagementBearers', '#identity-provider'],
  ['functions/rotation/x.ts', 'createManagementBearers', '../identity-provider/client.ts'],
  ['functions/management-access.ts', 'createManagementBearers', '#identity-provider'],
  ['functions/management-access.ts', 'createSecrets', './secrets-manager/client.ts'],
  ['functions/identity-provider/x.ts', 'createManagementApi', '../management-api/client.ts'],
  ['functions/identity-provider/x.ts', 'Policy', '../policy/policy.ts'],
  ['functions/rotation/x.ts', 'SecretsManagerClient', '@aws-sdk/client-secrets-manager'],
  ['functions/tokens/x.ts', 'Pool', 'undici'],
  // Observation imports no step.
  ['functions/tokens/observe.ts', 'changeToken', './change-token.ts'],
  ['functions/revocation/observe.ts', 'strip', './end-token.ts'],
  ['functions/revocation/ask-cluster.ts', 'freshToken', '../tokens/change-token.ts'],
  ['functions/enforcement/database-reading.ts', 'changeField', './change-database.ts'],
  // What a token is, is said without asking anybody.
  ['functions/tokens/state.ts', 'observe', './observe.ts'],
  ['functions/tokens/marker.ts', 'Tools', '../run/tools.ts'],
  // What every run shares knows no token's life and no job, nor does what serves everybody.
  ['functions/run/x.ts', 'freshToken', '../tokens/change-token.ts'],
  ['functions/run/x.ts', 'runRotation', '../rotation/run-rotation.ts'],
  ['functions/tokens/x.ts', 'promote', '../rotation/promote.ts'],
  ['functions/retry.ts', 'Policy', './policy/policy.ts'],
  ['functions/credentials.ts', 'Policy', './policy/policy.ts'],
  ['functions/policy/x.ts', 'Tools', '../run/tools.ts'],
  ['functions/policy/x.ts', 'Pool', 'undici'],
  ['functions/secrets-manager/x.ts', 'Policy', '../policy/policy.ts'],
  ['functions/management-api/x.ts', 'underHold', '../tokens/under-hold.ts'],
  ['functions/data-plane/x.ts', 'Tools', '../run/tools.ts'],
  ['functions/events/x.ts', 'promote', '../rotation/promote.ts'],
  ['functions/schedules/x.ts', 'Tools', '../run/tools.ts'],
  // Entries run their job; nobody imports them, nor runtime.ts but they and the command line.
  ['functions/rotate.ts', 'createSecrets', './secrets-manager/client.ts'],
  ['functions/runtime.ts', 'handler', './rotate.ts'],
  ['functions/rotation/x.ts', 'handler', '../rotate.ts'],
  ['functions/rotation/x.ts', 'createRuntime', '../runtime.ts'],
  ['bin/keyturn/x.ts', 'handler', '../../functions/rotate.ts'],
  // An examination only looks.
  ['functions/examination/x.ts', 'changeToken', '../tokens/change-token.ts'],
  ['functions/examination/x.ts', 'createTransport', '../management-api/transport.ts'],
  ['functions/examination/x.ts', 'RunTools', '../run/tools.ts'],
  ['functions/rotation/x.ts', 'runExamination', '../examination/run-examination.ts'],
  ['functions/runtime.ts', 'runExamination', './examination/run-examination.ts'],
  // A measurement makes its own things by its own tools, and what its samples mean is pure.
  ['functions/measurement/x.ts', 'createTransport', '../management-api/transport.ts'],
  ['functions/measurement/x.ts', 'changeToken', '../tokens/change-token.ts'],
  ['functions/measurement/samples.ts', 'MeasureTools', '../run/look-tools.ts'],
  ['functions/measurement/conclude.ts', 'openCluster', './cluster.ts'],
  ['functions/rotation/x.ts', 'runMeasurement', '../measurement/run-measurement.ts'],
  ['functions/runtime.ts', 'runMeasurement', './measurement/run-measurement.ts'],
  // The functions, what deploys them, and what stands in for the servers.
  ['functions/rotation/x.ts', 'App', 'aws-cdk-lib'],
  ['functions/rotation/x.ts', 'bundle', '../../lib/bundle.ts'],
  ['functions/rotation/x.ts', 'startSandbox', '../../sandbox/sandbox.ts'],
  ['functions/runtime.ts', 'startSandbox', '../sandbox/sandbox.ts'],
  ['functions/environment.ts', 'bundle', '../lib/bundle.ts'],
  ['lib/x.ts', 'observe', '../functions/tokens/observe.ts'],
  ['lib/x.ts', 'startSandbox', '../sandbox/sandbox.ts'],
  ['bin/app.ts', 'runRotation', '../functions/rotation/run-rotation.ts'],
  ['bin/keyturn/x.ts', 'openWorld', '../../test/world/world.ts'],
  ['bench/x.ts', 'openWorld', '../test/world/world.ts'],
  ['sandbox/x.ts', 'parseMarker', '../functions/tokens/marker.ts'],
  ['sandbox/aws/x.ts', 'bundle', '../../lib/bundle.ts'],
  ['e2e/x.ts', 'parseMarker', '../functions/tokens/marker.ts'],
] as const;

/** Other spellings of an import, and what needs none. */
const FORBIDDEN_CODE = [
  ['functions/x.ts', "import { App } from 'aws-cdk-lib';"],
  ['functions/x.ts', "import { createSecrets } from './secrets-manager/client.ts';"],
  ['functions/new-folder/x.ts', "import { promote } from '../rotation/promote.ts';"],
  ['functions/rotation/steps/x.ts', "import { retireToken } from '../../reaping/retire-token.ts';"],
  [
    'functions/rotation/steps/x.ts',
    "import { createSecrets } from '../../secrets-manager/client.ts';",
  ],
  ['functions/rotation/x.ts', "import * as client from '../management-api/client.ts';"],
  [
    'functions/rotation/x.ts',
    "import type { Retirement } from '../reaping/plan/reaping-action.ts';",
  ],
  ['functions/rotation/x.ts', "export { createCaller } from '../management-api/caller.ts';"],
  ['functions/rotation/x.ts', "const x = await import('../management-api/client.ts');"],
  ['functions/rotation/x.ts', "import { createTransport } from '../management-api/transport.ts';"],
  [
    'functions/secrets-manager/x.ts',
    "import { createManagementApi } from '../management-api/client.ts';",
  ],
  [
    'bin/keyturn/x.ts',
    "import { createManagementApi } from '../../functions/management-api/client.ts';",
  ],
  ['functions/events/x.ts', "import { promote } from './../rotation/promote.ts';"],
  ['functions/management-api/x.ts', "import { createRuntime } from './../runtime.ts';"],
  [
    'functions/data-plane/x.ts',
    "import { createManagementApi } from './../management-api/client.ts';",
  ],
  [
    'functions/events/x.ts',
    "import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';",
  ],
  ['functions/rotate.ts', "import { runRevocation } from './revocation/run-revocation.ts';"],
  ['functions/rotate.ts', "import { promote } from './rotation/promote.ts';"],
  ['functions/runtime.ts', "import { runRotation } from './rotation/run-rotation.ts';"],
  ['functions/time.ts', "import { setTimeout } from 'node:timers/promises';"],
  ['bin/keyturn/x.ts', "import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';"],
  ['bin/keyturn/x.ts', "import { App } from 'aws-cdk-lib';"],
  ['bin/app.ts', "import { createProgram } from './keyturn/program.ts';"],
  ['sandbox/x.ts', "import lib from '../lib';"],
  ['lib/x.ts', "import { createProgram } from '../bin/keyturn/program.ts';"],
  ['functions/rotation/plan/x.ts', 'setTimeout(() => {}, 1);'],
  ['functions/reaping/plan/x.ts', "await fetch('https://influxdb.example.com');"],
  ['functions/tokens/x.ts', 'globalThis.Date.now();'],
] as const;

/** Imports that the same rules must let through. */
const ALLOWED = [
  ['functions/rotation/plan/x.ts', 'provenCurrent', '../../tokens/state.ts'],
  ['functions/rotation/x.ts', 'underHold', '../tokens/under-hold.ts'],
  ['functions/rotation/x.ts', 'ManagementApi', '../management-api/management-api.ts'],
  ['functions/revocation/x.ts', 'promote', '../rotation/promote.ts'],
  ['functions/revocation/x.ts', 'mintSuccessor', '../rotation/successor.ts'],
  ['functions/tokens/observe.ts', 'sortByOwner', './observation.ts'],
  ['functions/runtime.ts', 'createSecrets', './secrets-manager/client.ts'],
  ['functions/rotate.ts', 'runRotate', './rotation/run-rotate.ts'],
  ['lib/x.ts', 'Policy', '../functions/policy/policy.ts'],
  ['functions/policy/x.ts', 'holdsCredential', '../credentials.ts'],
  ['bin/keyturn/x.ts', 'createRuntime', '../../functions/runtime.ts'],
] as const;

type Import = readonly [file: string, name: string, from: string];

const RULES = ['noRestrictedImports', 'noRestrictedGlobals'];
const folder = mkdtempSync(join(tmpdir(), 'keyturn-layers-'));
/** By place: what the linter says. */
const refused = new Map<string, string>();

type Case = readonly [file: string, code: string];

const importing = ([file, name, from]: Import): Case => [
  file,
  `import { ${name} } from '${from}';`,
];
const forbidden: readonly Case[] = [...FORBIDDEN.map(importing), ...FORBIDDEN_CODE];
const allowed = ALLOWED.map(importing);

/** Each case in a tree of its own, so that several may be about one file; all are linted at once. */
const placeOf = (index: number, file: string) => join(`case-${index}`, file);

/** The project's own configuration, for every tree. */
function configure(): void {
  const config = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  const inEveryTree = ({ includes, ...rest }: { includes: string[] }) => ({
    ...rest,
    includes: includes.map((each) =>
      each.startsWith('!') ? `!case-*/${each.slice(1)}` : `case-*/${each}`,
    ),
  });
  const { $schema, vcs, plugins, ...kept } = config;
  const overrides = config.overrides.map(inEveryTree);
  writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...kept, overrides }));
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
}

function lint(): string {
  const only = RULES.map((rule) => `--only=style/${rule}`);
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', ...only, '.'];
  try {
    const biome = join(ROOT, 'node_modules/.bin/biome');
    return execFileSync(biome, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return (error as { stdout: string }).stdout; // it exits with 1 where it found something
  }
}

beforeAll(() => {
  configure();
  for (const [index, [file, code]] of [...forbidden, ...allowed].entries()) {
    const place = join(folder, placeOf(index, file));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, `${code}\n`);
  }
  for (const { category, location, message } of JSON.parse(lint()).diagnostics) {
    if (RULES.some((rule) => category === `lint/style/${rule}`)) {
      refused.set(location.path, message);
    }
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each(forbidden.map((each, index) => [index, ...each] as const))(
  'no. %i: %s must not say: %s',
  (index, file, _code) => {
    expect(refused.get(placeOf(index, file))).toEqual(expect.any(String));
  },
);

test.each(allowed.map((each, index) => [index + forbidden.length, ...each] as const))(
  'no. %i: %s may say: %s',
  (index, file, _code) => {
    expect(refused.get(placeOf(index, file))).toBeUndefined();
  },
);

// It looks into `await import()`, as the forbidden code above shows.
test('no type is imported by import(), which the linter does not look into', () => {
  const found = globSync('functions/**/*.ts', { cwd: ROOT }).filter((file) =>
    /(?<!\bawait )(?<![.\w])import\(/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(found).toEqual([]);
});
