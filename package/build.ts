import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildBundle, ENTRIES } from '../lib/bundle.ts';
import { policyJsonSchema } from '../lib/policy-schema.ts';
import manifest from '../package.json' with { type: 'json' };

/**
 * Builds what `npm pack` takes, into dist/: the same tree as in the repository as JavaScript with its types, the bundles of
 * the functions, and the schema of the policy file. It is made anew each time, and nothing in the repository reads it.
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

rmSync(DIST, { recursive: true, force: true });
execFileSync(process.execPath, [join(REPOSITORY, 'node_modules/.bin/tsc'), '-p', 'package'], {
  cwd: REPOSITORY,
  stdio: ['ignore', 'inherit', 'inherit'],
});
write('package.json', built);
write('policy.schema.json', policyJsonSchema());
for (const entry of ENTRIES) {
  const folder = join(DIST, 'bundles', entry);
  mkdirSync(folder, { recursive: true });
  for (const { name, contents } of buildBundle(entry)) writeFileSync(join(folder, name), contents);
}
