import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  /** It travels inside its parent's archive, and is covered by its hash. */
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  /** A folder of this repository. */
  readonly link?: boolean;
}

const packagesOf = (file: string): Record<string, LockedPackage> =>
  JSON.parse(readFileSync(file, 'utf8')).packages;
const lock = packagesOf('package-lock.json');
const tools = Object.entries(packagesOf('test/mutation/package-lock.json')).map(
  ([path, locked]) => [path, { ...locked, dev: true }] as const,
);
const packages = [...Object.entries(lock), ...tools].filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);

/** Ask for no more than that the notice is kept, or for nothing: what is bundled may be deployed by anybody. */
const PERMISSIVE = new Set([
  '(Apache-2.0 AND BSD-3-Clause)',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT OR Apache-2.0',
  'MIT-0',
  'Unlicense',
]);

/** Only used here, as they are, and in no bundle: each with the reason why its terms are kept. */
const ONLY_TOOLS = new Map([
  ['MPL-2.0', 'lightningcss, through vitest: unchanged, and not passed on'],
  ['CC-BY-4.0', 'caniuse-lite, through Stryker: its data is unchanged, and not passed on'],
  ['Python-2.0', 'argparse, through TypeDoc: unchanged, and not passed on'],
  ['(MIT OR GPL-3.0-or-later)', 'case, within aws-cdk-lib: used under MIT'],
]);

const pathsOf = (found: typeof packages) => found.map(([path]) => path);

test('every package of the lock file is told by a hash of its content', () => {
  expect(packages.length).toBeGreaterThan(100);
  const unhashed = packages.filter(
    ([, { integrity, inBundle }]) => inBundle !== true && !integrity?.startsWith('sha512-'),
  );
  expect(pathsOf(unhashed)).toEqual([]);
});

test('what is bundled has a licence that asks for nothing but its notice', () => {
  const others = packages.filter(
    ([, { dev, license = 'none' }]) => dev !== true && !PERMISSIVE.has(license),
  );
  expect(pathsOf(others)).toEqual([]);
});

test('what is only used for development has a licence that somebody has looked at', () => {
  const others = packages.filter(
    ([, { license = 'none' }]) => !PERMISSIVE.has(license) && !ONLY_TOOLS.has(license),
  );
  expect(pathsOf(others)).toEqual([]);
});

test('only the packages that package.json names have an install script', () => {
  const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(pathsOf(scripted)).toEqual(
    Object.keys(allowScripts).map((name) => `node_modules/${name}`),
  );
});

test.runIf(process.platform === 'linux')('tests run on the Node.js of the lock file', () => {
  const path = `node_modules/node-linux-${process.arch}`;
  expect(process.version).toBe(`v${lock[path]?.version}`);
  expect(realpathSync(process.execPath)).toBe(realpathSync(`${path}/bin/node`));
});

test('the bill of materials lists every package that is deployed, or used at synthesis, and no other', () => {
  const { stdout } = spawnSync(process.execPath, ['e2e/sbom.ts'], { encoding: 'utf8' });
  const { components, dependencies } = JSON.parse(stdout);
  const listed = components.map(({ purl }: { readonly purl: string }) => decodeURIComponent(purl));
  const deployed = packages
    .filter(([, { dev, optional }]) => !dev && !optional)
    .map(([path, { version }]) => `pkg:npm/${path.replace(/^.*node_modules\//, '')}@${version}`);
  expect(deployed.some((each) => each.startsWith('pkg:npm/zod@'))).toBe(true);
  expect(listed.sort()).toEqual(deployed.sort());
  // Each of them, and the product itself.
  expect(dependencies).toHaveLength(deployed.length + 1);
});
