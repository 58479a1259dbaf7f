import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Writes docs/api.md, the reference of the package, from its types. With `--check` it only compares. */

const REPOSITORY = resolve(import.meta.dirname, '..');
const REFERENCE = join(import.meta.dirname, 'reference');
const DOCUMENT = join(REPOSITORY, 'docs/api.md');

const HEAD = `# The package's API

Of \`@keyturn/cdk\`, made from its types by \`npm run api\`. [How it is used](operations.md#the-package)
`;

function generated(): string {
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

const text = generated();
if (!process.argv.includes('--check')) {
  writeFileSync(DOCUMENT, text);
} else if (text !== readFileSync(DOCUMENT, 'utf8')) {
  throw new Error(
    'docs/api.md: found another text than the types say; run "npm run api" and commit it',
  );
}
