import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';
import { CA_FILE, POLICY_FILE } from '../functions/environment.ts';
import type { PolicyFile } from './policy-file.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
export const FUNCTIONS = join(REPOSITORY, 'functions');

/** Every kilobyte is parsed at a cold start: bytes of `index.js`. */
export const BUDGET = 550_000;

/** One CommonJS file: ES modules would load every built-in that the SDK might ever need at start. */
function build(entry: string) {
  return buildSync({
    absWorkingDir: REPOSITORY,
    entryPoints: [join(FUNCTIONS, `${entry}.ts`)],
    outfile: 'index.js',
    write: false,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    alias: {
      '@aws-sdk/credential-provider-node': join(FUNCTIONS, 'environment-credentials.ts'),
    },
    // undici's fallback for machines without SIMD, which Lambda has: 72 KB that no run would load.
    external: ['*/llhttp-wasm.js'],
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
  });
}

function packageOf(input: string): string {
  const inside = input.split('node_modules/').at(-1) ?? input;
  const [scope = '', name = ''] = inside.split('/');
  return input.includes('node_modules/') && scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function heaviest(metafile: Metafile): string {
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

/**
 * Writes what one function runs on into a folder: `index.js`, its source map, and the policy beside them.
 * @throws Error if the bundle is over its budget, naming what is heaviest in it
 */
export function bundle(entry: string, { document, ca }: PolicyFile, folder: string): void {
  const { outputFiles, metafile } = build(entry);
  for (const { path, contents } of outputFiles) {
    const name = basename(path);
    if (name === 'index.js' && contents.byteLength > BUDGET) {
      throw new Error(
        `functions/${entry}.ts bundles to ${Math.ceil(contents.byteLength / 1000)} KB, ` +
          `over its budget of ${BUDGET / 1000} KB. Heaviest: ${heaviest(metafile)}.`,
      );
    }
    writeFileSync(join(folder, name), contents);
  }
  // Wherever the asset is unpacked, a package.json above it must not turn it into an ES module.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  writeFileSync(join(folder, POLICY_FILE), JSON.stringify(document));
  if (ca !== undefined) writeFileSync(join(folder, CA_FILE), ca);
}
