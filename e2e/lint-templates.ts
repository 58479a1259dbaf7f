import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from './processes.ts';
import { installPackages } from './python.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const EXAMPLES = 'examples/policies';

/** The dependencies that CDK writes though a property implies them: docs/security.md. */
const EXPLAINED = ['W3005'];

/** The examples name what is in an account of nobody's: whoever has credentials would be told so. */
const NOBODY = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_PROFILE: undefined,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** The stacks of all example policies, as the CDK CLI makes them, and the examples' own templates, through cfn-lint. */
async function main(folder: string): Promise<string> {
  const programs = await installPackages('cfn-lint', ['cfn-lint==1.58.0']);
  const policies = readdirSync(join(REPOSITORY, EXAMPLES)).map((name) => join(EXAMPLES, name));
  const synth = ['cdk', 'synth', '--quiet', '--strict', '--output', folder];
  await run('npx', [...synth, '-c', `policy=${policies.join(',')}`], {
    cwd: REPOSITORY,
    env: { ...process.env, ...NOBODY },
  });
  const templates = readdirSync(folder).filter((name) => name.endsWith('.template.json'));
  if (templates.length !== policies.length) {
    throw new Error(
      `found ${templates.length} templates, expected one for each of ${policies.length} policies`,
    );
  }
  const files = templates.map((name) => join(folder, name));
  const written = globSync('examples/*/template.yaml', { cwd: REPOSITORY });
  if (written.length === 0) throw new Error('found no template in examples/');
  files.push(...written.map((name) => join(REPOSITORY, name)));
  await run(join(programs, 'cfn-lint'), ['--ignore-checks', ...EXPLAINED, '--', ...files]);
  return `cfn-lint found nothing in ${files.length} templates`;
}

const folder = mkdtempSync(join(tmpdir(), 'keyturn-templates-'));
try {
  process.stdout.write(`${await main(folder)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
