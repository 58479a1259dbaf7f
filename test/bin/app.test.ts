import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, writeTemporary } from './cli.ts';

/** As the CDK CLI runs it. `policy`: what `-c policy=` says. */
function synthesize(policy?: string, env: Readonly<Record<string, string>> = {}) {
  const outdir = join(temporaryFolder(), 'cdk.out');
  const { status, stderr } = spawnSync(process.execPath, ['bin/app.ts'], {
    env: {
      PATH: process.env.PATH ?? '',
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ policy, 'aws:cdk:bundling-stacks': [] }),
      ...env,
    },
    encoding: 'utf8',
  });
  const made = () => readdirSync(outdir).filter((name) => name.endsWith('.template.json'));
  return { status, stderr, made };
}

const policyOf = (owner: string) =>
  writeTemporary(`${owner}.yaml`, {
    owner,
    cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
    tokens: { telegraf: { permissions: { write: ['telemetry'] } } },
  });

test('KEYTURN_POLICY names the policy files, and of several their stacks are named where CDK asks for --all', () => {
  const files = [policyOf('north'), policyOf('south')];
  const { status, stderr, made } = synthesize(undefined, { KEYTURN_POLICY: files.join(', ') });
  expect(stderr).toContain('2 policy files make 2 stacks');
  expect(stderr).toMatch(/add --all, or name one of Keyturn-north, Keyturn-south$/m);
  expect(status).toBe(0);
  expect(made()).toEqual(['Keyturn-north.template.json', 'Keyturn-south.template.json']);
});

test('-c policy= goes before KEYTURN_POLICY, and one stack asks for nothing', () => {
  const { status, stderr, made } = synthesize(policyOf('north'), { KEYTURN_POLICY: 'other.yaml' });
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('--all')]);
  expect(made()).toEqual(['Keyturn-north.template.json']);
});

test('without a policy file it is said where to begin', () => {
  const { status, stderr } = synthesize();
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^keyturn\.yaml: cannot read the policy file; write it, beginning with keyturn\.example\.yaml, which the clone and the package have, or name another file$/m,
  );
});

test('a file that is named twice is refused, and so are two files of one owner', () => {
  const file = policyOf('north');
  expect(synthesize(`${file},${file}`).stderr).toMatch(
    /north\.yaml: found twice among the policy files, expected once; take one out$/m,
  );
  const { status, stderr, made } = synthesize(`${file},${policyOf('north')}`);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /: owner: found "north", which is also the owner in .*; choose one such as north-2$/m,
  );
  expect(made()).toEqual([]);
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
