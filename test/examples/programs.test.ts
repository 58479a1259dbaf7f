import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realClock } from '../../sandbox/clock.ts';
import { isAllowed } from '../permissions/evaluate.ts';
import { environmentOf, openSystems } from '../world/systems.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-examples-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the application that was not told which secret it reads says so, and ends', () => {
  const { status, stderr } = spawnSync(process.execPath, ['examples/application/main.ts'], {
    env: { PATH: process.env.PATH, AWS_REGION: 'eu-central-1' },
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([status, stderr]).toEqual([
    1,
    'found no SECRET, expected the name of a secret: SECRET=keyturn/prod/heartbeat node main.ts\n',
  ]);
});

describe('read-token.sh', () => {
  const token = `apiv1_${'aZ+/0-_'.repeat(12)}==`;
  const value = JSON.stringify({ token, tokenId: '1f0c', url: 'https://influxdb.example.com' });

  /** Runs the script with an AWS CLI that prints a text, or fails. */
  function readToken(printed: string, exit = 0) {
    const aws = join(folder, 'aws');
    writeFileSync(join(folder, 'printed'), printed);
    writeFileSync(
      aws,
      `#!/bin/sh\necho "$@" >'${folder}/asked'\ncat '${folder}/printed'\nexit ${exit}\n`,
      { mode: 0o755 },
    );
    const file = join(folder, 'telegraf');
    const { status, stderr } = spawnSync(
      'sh',
      ['examples/telegraf/read-token.sh', 'keyturn/prod/telegraf', file],
      { env: { PATH: `${folder}:${process.env.PATH}` }, encoding: 'utf8' },
    );
    return { status, stderr, file, held: () => readFileSync(file, 'utf8') };
  }

  test.each([
    ['as Keyturn writes it', value],
    ['as a person saves it', JSON.stringify(JSON.parse(value), undefined, 2)],
    ['with other keys before it', JSON.stringify({ tokenId: 'x', note: 'token', token })],
  ])('puts the bare token of JSON into the file: %s', (_how, printed) => {
    const { status, held, file } = readToken(`${printed}\n`);
    expect(status).toBe(0);
    expect(held()).toBe(token);
    // Nobody else may read it, and nothing is left beside it.
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).not.toContain('telegraf.next');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe(
      'secretsmanager get-secret-value --secret-id keyturn/prod/telegraf --query SecretString --output text\n',
    );
  });

  test.each([
    ['the AWS CLI fails', '', 254],
    ['there is no token', '{"password": "x"}', 0],
    ['there is nothing', '', 0],
  ])('leaves the file as it is where %s', (_what, printed, exit) => {
    readToken(value);
    const { status, held } = readToken(printed, exit);
    expect(status).not.toBe(0);
    expect(held()).toBe(token);
  });

  test('says nothing of what it read', () => {
    expect(readToken(value).stderr).toBe('');
    expect(readToken(`{"password": "${token}"}`).stderr).toBe(
      'found no "token" in the secret keyturn/prod/telegraf\n',
    );
  });
});

test('the long-lived application, as its comment starts it, writes with the token of its secret', async () => {
  const systems = await openSystems(realClock);
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const { accessToken } = await systems.people.mint({ description: 'heartbeat', permissions });
  await systems.people.createSecret(
    'keyturn/prod/heartbeat',
    JSON.stringify({ token: accessToken, url: systems.cluster.url }),
  );
  const status = new Promise<number>((resolve) => {
    systems.watch((call, effect) => {
      const reply = effect();
      if (call.operation === 'POST /api/v2/write') resolve(reply.status);
      return reply;
    });
  });
  const application = spawn(process.execPath, ['examples/application/main.ts'], {
    env: { PATH: process.env.PATH, ...environmentOf(systems), SECRET: 'keyturn/prod/heartbeat' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const complaint = new Promise((_resolve, reject) => {
      application.stderr.on('data', (text) => reject(new Error(String(text))));
    });
    expect(await Promise.race([status, complaint])).toBe(204);
  } finally {
    application.kill();
    await systems.close();
  }
});

test('the app of the Lambda example is synthesized with its bundle, and its function may read its secret alone', () => {
  const outdir = join(folder, 'cdk.out');
  const context = { owner: 'prod', token: 'invoices', database: 'billing' };
  execFileSync(process.execPath, ['examples/lambda/app.ts'], {
    env: {
      PATH: process.env.PATH,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
    stdio: 'pipe',
  });
  const { Resources } = JSON.parse(
    readFileSync(join(outdir, 'keyturn-example-lambda.template.json'), 'utf8'),
  );
  const ofType = (type: string) =>
    Object.values<{ Type: string; Properties: Record<string, unknown> }>(Resources).filter(
      ({ Type }) => Type === type,
    );
  const [writer] = ofType('AWS::Lambda::Function');
  expect(writer?.Properties).toMatchObject({
    Environment: { Variables: { SECRET: 'keyturn/prod/invoices', DATABASE: 'billing' } },
    Handler: 'index.handler',
  });
  const [policy] = ofType('AWS::IAM::Policy');
  const document = JSON.stringify(policy?.Properties.PolicyDocument)
    .replaceAll(/\{"Ref":"AWS::(\w+)"\}/g, '"$1"')
    .replaceAll(/\{"Fn::Join":\["",(\[[^\]]*\])\]\}/g, (_all, parts) =>
      JSON.stringify(JSON.parse(parts).join('')),
    );
  const reads = (secret: string) =>
    isAllowed(JSON.parse(document).Statement, {
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:Partition:secretsmanager:Region:AccountId:secret:${secret}-AbCdEf`,
    });
  expect([reads('keyturn/prod/invoices'), reads('keyturn/prod/telegraf')]).toEqual([true, false]);
  const [asset = ''] = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
  const bundle = readFileSync(join(outdir, asset, 'index.js'), 'utf8');
  expect(bundle).toContain('invocation count=1i');
});

test("no example is in a function's bundle, or in the construct", () => {
  const imported = spawnSync('grep', ['-rlE', "from '.*examples/", 'functions', 'lib', 'bin'], {
    encoding: 'utf8',
  });
  expect(imported).toMatchObject({ status: 1, stdout: '' });
});
