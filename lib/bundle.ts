import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import type { BuildOptions, Metafile, OutputFile } from 'esbuild';
import { CA_FILE, POLICY_FILE, SCHEDULED } from '../functions/environment.ts';
import { formatDeployedPolicy } from '../functions/policy/deployed-policy.ts';
import { documentMark } from '../functions/policy/document-mark.ts';
import { parsePolicy } from '../functions/policy/parse-policy.ts';
import type { PolicyFile } from './policy-file.ts';

/** A bundle of CommonJS has none. */
const OWN_FOLDER: string | undefined = import.meta.dirname;
const REPOSITORY = resolve(OWN_FOLDER ?? '', '..');
export const FUNCTIONS = join(REPOSITORY, 'functions');
/** The package has the bundles already, beside the built code, and no esbuild. The repository has no such folder. */
const PREBUILT = join(REPOSITORY, 'bundles');

const isBesideFunctions =
  OWN_FOLDER !== undefined &&
  [join(PREBUILT, 'rotate'), join(FUNCTIONS, 'rotate.ts')].some((each) => existsSync(each));
if (!isBesideFunctions) {
  throw new Error(
    '@keyturn/cdk: found it inside a bundle of the app, expected it in its own folder of node_modules, from which it takes the functions that are deployed; have the bundler leave it out, as esbuild does by --external:@keyturn/cdk or --packages=external',
  );
}

/**
 * The most bytes that `index.js` may have: a cold start parses every one. What an OAuth client adds to the largest, `rotate` and `revoke`:
 * 5 KB of the policy's keys and of what reads its secret; the client itself is a bundle of its own. What fits an answer into what
 * Lambda passes on is 2 KB in each; what reads usual listings without a schema, 2 KB.
 */
export const BUDGET = 621_000;

/** A bundle that few runs load, and the name by which they import it. */
interface Reader {
  readonly name: string;
  readonly entry: string;
  readonly file: string;
  /** The functions that may need it. */
  readonly of: readonly string[];
}

/** The files in functions/ that Lambda calls, without their suffix. */
export const ENTRIES = ['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'] as const;

const READERS: readonly Reader[] = [
  {
    name: '#identity-provider',
    entry: 'identity-provider/client',
    file: 'identity-provider.js',
    // Which policy a function gets, its bundle does not know.
    of: ENTRIES,
  },
  {
    name: '#measurement',
    entry: 'measurement/run-measurement',
    file: 'measurement.js',
    of: ['rotate'],
  },
  {
    name: '#schedule-reader',
    entry: 'schedules/reader',
    file: 'schedule-reader.js',
    // Those whose answer to a person says what schedules are like.
    of: [...SCHEDULED, 'revoke'],
  },
  {
    name: '#key-policy-reader',
    entry: 'secrets-manager/key-policy',
    file: 'key-policy-reader.js',
    // Those that put values into secrets.
    of: ['rotate', 'revoke', 'secrets-manager-rotation'],
  },
];

/** One CommonJS file: as ES modules, it would load every built-in module of the SDK at start. */
export const BUNDLING = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  alias: {
    '@aws-sdk/credential-provider-node': join(FUNCTIONS, 'environment-credentials.ts'),
    'node:http2': join(FUNCTIONS, 'no-http2.ts'),
  },
  // What undici loads when it needs it, and never does here: 72 KB for machines without SIMD, which Lambda has, and 40 KB for bodies
  // that are forms or streams of the web; ours are texts.
  external: ['*/llhttp-wasm.js', '*/web/fetch/body.js'],
  minify: true,
  logLevel: 'silent',
} satisfies BuildOptions;

function build(entry: string, outfile: string) {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  return buildSync({
    ...BUNDLING,
    absWorkingDir: REPOSITORY,
    // A link would show where the packages are, in the source maps.
    preserveSymlinks: true,
    entryPoints: [join(FUNCTIONS, `${entry}.ts`)],
    outfile,
    write: false,
    external: [...BUNDLING.external, ...READERS.map(({ name }) => name)],
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
  });
}

const built = new Map<Reader, readonly OutputFile[]>();
/** The same for all functions, so it is built once. */
function filesOf(reader: Reader): readonly OutputFile[] {
  const known = built.get(reader) ?? build(reader.entry, reader.file).outputFiles;
  built.set(reader, known);
  return known;
}

/** Without it, a package.json in a folder above could turn the bundles into ES modules. */
const PACKAGE = {
  type: 'commonjs',
  imports: Object.fromEntries(READERS.map(({ name, file }) => [name, `./${file}`])),
};

function packageOf(input: string): string {
  const inside = input.split('node_modules/').at(-1) ?? input;
  const [scope = '', name = ''] = inside.split('/');
  return input.includes('node_modules/') && scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function largest(metafile: Metafile): string {
  const sizes = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = packageOf(input);
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
    }
  }
  const top = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  return top.map(([name, bytes]) => `${name} ${Math.round(bytes / 1000)} KB`).join(', ');
}

interface BundleFile {
  readonly name: string;
  readonly contents: string | Uint8Array;
}

/**
 * What a function consists of, but for its policy: `index.js`, the readers that it may need, and their source maps.
 * @throws Error if the bundle is over its budget; it names the largest packages
 */
export function buildBundle(entry: string): readonly BundleFile[] {
  const { outputFiles, metafile } = build(entry, 'index.js');
  const readers = READERS.filter((reader) => reader.of.includes(entry)).flatMap(filesOf);
  const files = [...outputFiles, ...readers].map(({ path, contents }) => ({
    name: basename(path),
    contents,
  }));
  for (const { name, contents } of files) {
    if (name === 'index.js' && contents.byteLength > BUDGET) {
      throw new Error(
        `functions/${entry}.ts has ${Math.ceil(contents.byteLength / 1000)} KB as a bundle, ` +
          `expected at most ${BUDGET / 1000} KB. Largest packages: ${largest(metafile)}; ` +
          'import less, or raise BUDGET in lib/bundle.ts',
      );
    }
  }
  return [...files, { name: 'package.json', contents: `${JSON.stringify(PACKAGE)}\n` }];
}

function prebuilt(entry: string): readonly BundleFile[] {
  const folder = join(PREBUILT, entry);
  return readdirSync(folder).map((name) => ({ name, contents: readFileSync(join(folder, name)) }));
}

type WrittenPolicy = Pick<PolicyFile, 'document' | 'ca'>;

/**
 * The contents of a function's POLICY_FILE.
 * @throws PolicyError if no function could work with the policy
 */
export const policyAsset = ({ document, ca }: WrittenPolicy): string =>
  formatDeployedPolicy({ policy: parsePolicy(document), mark: documentMark(document, ca) });

/** Writes the files of one function into a folder, without its policy. */
export function writeBundle(entry: string, folder: string): void {
  const files = existsSync(PREBUILT) ? prebuilt(entry) : buildBundle(entry);
  for (const { name, contents } of files) writeFileSync(join(folder, name), contents);
}

/** Writes the files of one function into a folder: its bundle and, beside it, the policy. */
export function bundle(entry: string, policyFile: WrittenPolicy, folder: string): void {
  const { ca } = policyFile;
  writeBundle(entry, folder);
  writeFileSync(join(folder, POLICY_FILE), policyAsset(policyFile));
  if (ca !== undefined) writeFileSync(join(folder, CA_FILE), ca);
}
