import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, writeTemporary } from './cli.ts';

/** As the CDK CLI runs it. */
const synthesize = (policy: string) =>
  spawnSync(process.execPath, ['bin/app.ts'], {
    env: {
      PATH: process.env.PATH ?? '',
      CDK_OUTDIR: join(temporaryFolder(), 'cdk.out'),
      CDK_CONTEXT_JSON: JSON.stringify({ policy, 'aws:cdk:bundling-stacks': [] }),
    },
    encoding: 'utf8',
  });

const CSI = String.fromCharCode(0x9b);
const ESC = String.fromCharCode(0x1b);
const RLO = String.fromCharCode(0x202e);

test('an error of cdk synth shows nothing that a terminal obeys', () => {
  const file = writeTemporary(
    'keyturn.yaml',
    `owner: prod\n"x${CSI}2K${RLO}y": 1\ncluster: {url: "${CSI}2J"}\ntokens: {}\n`,
  );
  const { status, stderr } = synthesize(file);
  expect(status).toBe(1);
  expect(stderr).toContain('keyturn.yaml:2: ');
  expect(stderr).toContain('unknown key');
  for (const obeyed of [CSI, ESC, RLO]) expect(stderr).not.toContain(obeyed);
});

test('nor where the error is none of the policy', () => {
  const name = `${ESC}[2J${RLO}.yaml`;
  const { status, stderr } = synthesize(join(temporaryFolder(), name));
  expect(status).toBe(1);
  for (const obeyed of [CSI, ESC, RLO]) expect(stderr).not.toContain(obeyed);
});

test('nor a credential in the name of a file', () => {
  const string = `apiv1_${'q7Zr2Kx9'.repeat(11)}`;
  const { status, stderr } = synthesize(join(temporaryFolder(), `${string}.yaml`));
  expect(status).toBe(1);
  expect(stderr).toContain('.yaml');
  expect(stderr).not.toContain(string);
});
