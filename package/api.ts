import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { policyJsonSchema } from '../lib/policy-schema.ts';
import { policyReference } from './policy-reference.ts';

/**
 * Writes what is made from the code: docs/api.md, the reference of the package, from its types, docs/policy.md and
 * keyturn.schema.json from the policy's schema. With `--check` it only compares.
 */

const REPOSITORY = resolve(import.meta.dirname, '..');
const REFERENCE = join(import.meta.dirname, 'reference');

const HEAD = `# The package's API

Of \`@keyturn/cdk\`, made from its types by \`npm run api\`. [How it is used](operations.md#the-package)
`;

function apiReference(): string {
  const out = mkdtempSync(join(tmpdir(), 'keyturn-api-'));
  try {
    const typedoc = join(REFERENCE, 'node_modules/.bin/typedoc');
    const words = ['--options', join(REFERENCE, 'typedoc.json'), '--out', out];
    execFileSync(process.execPath, [typedoc, ...words, '--logLevel', 'Warn'], {
      cwd: REFERENCE,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const text = readFileSync(join(out, 'api.md'), 'utf8');
    return text.replace(/^# .*\n/, HEAD);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** As `keyturn schema` prints it: what an editor finds beside the example. */
const policySchema = () => `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;

const documents = {
  'docs/api.md': apiReference,
  'docs/policy.md': policyReference,
  'keyturn.schema.json': policySchema,
};

for (const [name, generate] of Object.entries(documents)) {
  const file = join(REPOSITORY, name);
  const text = generate();
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (text !== readFileSync(file, 'utf8')) {
    throw new Error(
      `${name}: found another text than the code says; run "npm run api" and commit it`,
    );
  }
}
