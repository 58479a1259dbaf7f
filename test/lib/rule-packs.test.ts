import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import {
  AwsSolutionsChecks,
  HIPAASecurityChecks,
  NIST80053R4Checks,
  NIST80053R5Checks,
  PCIDSS321Checks,
  ServerlessChecks,
} from 'cdk-nag';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { CONTEXT } from './synthesize.ts';

const PACKS = [
  AwsSolutionsChecks,
  HIPAASecurityChecks,
  NIST80053R4Checks,
  NIST80053R5Checks,
  PCIDSS321Checks,
  ServerlessChecks,
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The rules that a pack finds broken in the examples, without the pack's name: `LambdaDLQ`. */
function brokenRules(Pack: (typeof PACKS)[number]): string[] {
  const outdir = join(folder, Pack.name);
  const app = new App({ outdir, context: CONTEXT });
  Validations.of(app).addPlugins(new Pack(app));
  for (const name of readdirSync('examples/policies')) {
    new KeyturnStack(app, name.replace('.yaml', ''), { policy: join('examples/policies', name) });
  }
  try {
    app.synth();
    return [];
  } catch (error) {
    if ((error as Error).name !== 'ValidationFailed') throw error;
  }
  const { pluginReports } = JSON.parse(
    readFileSync(join(outdir, 'validation-report.json'), 'utf8'),
  );
  const violations: { ruleName: string }[] = pluginReports.flatMap(
    ({ violations }: { violations: unknown[] }) => violations,
  );
  return violations.map(({ ruleName }) => ruleName.replace(/^.*-/, ''));
}

/** The first column of the table in docs/security.md. */
function explainedRules(): string[] {
  const [, section = ''] = readFileSync('docs/security.md', 'utf8').split('## Rule packs');
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, rule = '']) => rule);
}

test('the packs of cdk-nag find what docs/security.md explains, and nothing else', () => {
  const found = new Set(PACKS.flatMap(brokenRules));
  expect([...found].sort()).toEqual(explainedRules());
});
