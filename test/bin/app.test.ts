import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
  const template = () => readFileSync(join(outdir, made()[0] ?? ''), 'utf8');
  const assembly = () =>
    readdirSync(outdir)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFileSync(join(outdir, name), 'utf8'))
      .join('\n');
  return { status, stderr, made, template, assembly };
}

const policyOf = (owner: string, more: object = {}) =>
  writeTemporary(`${owner}.yaml`, {
    ...more,
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

describe('where the CDK CLI knows the place that it deploys to', () => {
  const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:on-call';
  const HERE = { CDK_DEFAULT_ACCOUNT: '111122223333', CDK_DEFAULT_REGION: 'eu-west-1' };
  const told = (topic: string) => policyOf('north', { deployment: { alarms: { topic } } });

  test.each([
    ['Region', TOPIC.replace('eu-west-1', 'us-east-1')],
    ['partition', TOPIC.replace('aws', 'aws-cn')],
  ])('what is in another %s is refused', (_what, topic) => {
    const { status, stderr } = synthesize(told(topic), HERE);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^\/.*\/north\.yaml: deployment\.alarms\.topic: found ".*", expected a topic of this stack's Region, in which alone alarms tell; write one such as arn:aws:sns:eu-west-1:111122223333:on-call$/m,
    );
  });

  test('and the template is the same as where nobody knows it', () => {
    const file = told(TOPIC);
    const [known, unknown] = [HERE, {}].map((env) => synthesize(file, env).template());
    expect(known).toBe(unknown);
  });

  test('but without credentials it knows none: then us-east-1 is a guess', () => {
    expect(synthesize(told(TOPIC), { CDK_DEFAULT_REGION: 'us-east-1' }).status).toBe(0);
  });
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

test('two files of one name are told apart by their paths, as they were given', () => {
  const [x, y] = ['north', 'south'].map((owner) =>
    writeTemporary('keyturn.yaml', {
      owner,
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      tokens: { telegraf: { secret: 'legacy/telegraf', permissions: { write: ['telemetry'] } } },
    }),
  );
  const warned = synthesize(`${x},${y}`).assembly();
  const sentence = `${y}: tokens.telegraf.secret: found "legacy/telegraf", which is also that of "telegraf" in ${x} (Keyturn-north/Keyturn), expected another one`;
  expect(warned).toContain(JSON.stringify(sentence).slice(1, -1));
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
