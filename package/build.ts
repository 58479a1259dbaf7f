import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { buildBundle, ENTRIES } from '../lib/bundle.ts';
import manifest from '../package.json' with { type: 'json' };

/**
 * Builds what `npm pack` takes, into dist/: the same tree as in the repository as JavaScript with its types, and the bundles of
 * the functions. It is made anew each time, and nothing in the repository reads it.
 */

const REPOSITORY = resolve(import.meta.dirname, '..');
const DIST = join(REPOSITORY, 'dist');

/** As the repository's, for the code as it was built. */
const built = {
  version: manifest.version,
  type: manifest.type,
  imports: Object.fromEntries(
    Object.entries(manifest.imports).map(([name, file]) => [name, file.replace(/\.ts$/, '.js')]),
  ),
};

const write = (name: string, value: unknown) =>
  writeFileSync(join(DIST, name), `${JSON.stringify(value, undefined, 2)}\n`);

/** `node_modules/@xmldom/xmldom`, of a file in it. */
const packageOf = (input: string): string =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? '';

/** Whoever passes a package on passes on its notice. */
function noticeOf(folder: string): string {
  const [file] = globSync('LICEN[CS]E*', { cwd: join(REPOSITORY, folder) });
  if (file === undefined) throw new Error(`${folder}: found no licence, expected one`);
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return `${name}\n\n${readFileSync(join(REPOSITORY, folder, file), 'utf8').trim()}\n`;
}

/**
 * What draws the page of `keyturn report`, and all that it imports, as one file in the place of what was built from it: these packages
 * are 16 MB, and nobody else needs them.
 */
function bundleDrawing(): void {
  const file = join(DIST, 'bin/keyturn/report/drawing/plotting.js');
  const { metafile } = buildSync({
    absWorkingDir: REPOSITORY,
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minify: true,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const taken = Object.entries(output?.inputs ?? {}).filter(
    ([, { bytesInOutput }]) => bytesInOutput > 0,
  );
  const folders = new Set(taken.map(([input]) => packageOf(input)).filter((each) => each !== ''));
  const notices = [...folders].sort().map(noticeOf);
  writeFileSync(
    join(DIST, 'bin/keyturn/report/drawing/LICENSES'),
    notices.join(`\n${'-'.repeat(80)}\n\n`),
  );
}

rmSync(DIST, { recursive: true, force: true });
execFileSync(process.execPath, [join(REPOSITORY, 'node_modules/.bin/tsc'), '-p', 'package'], {
  cwd: REPOSITORY,
  stdio: ['ignore', 'inherit', 'inherit'],
});
write('package.json', built);
bundleDrawing();
for (const entry of ENTRIES) {
  const folder = join(DIST, 'bundles', entry);
  mkdirSync(folder, { recursive: true });
  for (const { name, contents } of buildBundle(entry)) writeFileSync(join(folder, name), contents);
}
