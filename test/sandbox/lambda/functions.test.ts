// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how CloudFormation writes them
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readFunctions } from '../../../sandbox/lambda/functions.ts';

const lambda = (properties: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: { Handler: 'index.handler', Code: { S3Key: 'abc.zip' }, ...properties },
});

const stack = (stackName: string) => ({
  type: 'aws:cloudformation:stack',
  properties: { templateFile: 'Keyturn.template.json', stackName },
});

/** As `cdk synth` leaves it, as far as it is read. */
function assembly(resources: object, stacks: object = { Keyturn: stack('keyturn-prod') }): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-assembly-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const write = (file: string, content: object) =>
    writeFileSync(join(directory, file), JSON.stringify(content));
  write('manifest.json', {
    artifacts: { ...stacks, 'Keyturn.assets': { type: 'cdk:asset-manifest' } },
  });
  write('Keyturn.assets.json', {
    files: {
      t: {
        source: { path: 'Keyturn.template.json' },
        destinations: { d: { objectKey: 't.json' } },
      },
      abc: { source: { path: 'asset.abc' }, destinations: { d: { objectKey: 'abc.zip' } } },
    },
  });
  write('Keyturn.template.json', { Resources: resources });
  return directory;
}

it("finds each of Keyturn's functions by its logical id, and none of the CDK's own", () => {
  const directory = assembly({
    RotateFunction1A2B3C4D: lambda({ Timeout: 900, MemorySize: 512, FunctionName: 'kt-rotate' }),
    KeyturnReapF00: lambda(),
    SecretsManagerRotationF00: lambda(),
    LogRetentionaae0aa3c5b4d4f87: lambda(),
    RotateRoleF00: { Type: 'AWS::IAM::Role' },
  });
  const functions = readFunctions(directory);
  expect(functions.map(({ name }) => name)).toEqual(['rotate', 'reap', 'secrets-manager-rotation']);
  expect(functions[0]).toEqual({
    name: 'rotate',
    logicalId: 'RotateFunction1A2B3C4D',
    functionName: 'kt-rotate',
    assetDirectory: join(directory, 'asset.abc'),
    assetHash: 'abc',
    handler: 'index.handler',
    timeoutMs: 900_000,
    memoryMb: 512,
    retryAttempts: 2,
    maximumAgeMs: 21_600_000,
    environment: {},
  });
  expect(functions[1]).toMatchObject({ functionName: 'KeyturnReapF00', timeoutMs: 3_000 });
});

it('reads how often an event is tried again, which has defaults', () => {
  const config = (FunctionName: string, more: object) => ({
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: { FunctionName: { Ref: FunctionName }, ...more },
  });
  const directory = assembly({
    Rotate: lambda(),
    Reap: lambda(),
    Config: config('Rotate', { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }),
  });
  expect(readFunctions(directory, 'keyturn-prod')).toMatchObject([
    { name: 'rotate', retryAttempts: 0, maximumAgeMs: 60_000 },
    { name: 'reap', retryAttempts: 2, maximumAgeMs: 21_600_000 },
  ]);
});

it('resolves what is known of the environment, and leaves the rest readable', () => {
  const directory = assembly({
    Rotate: lambda({
      Environment: {
        Variables: {
          PLAIN: 'text',
          REF: { Ref: 'Bus' },
          UNKNOWN: { Ref: 'Other' },
          ATTRIBUTE: { 'Fn::GetAtt': ['Bus', 'Arn'] },
          JOINED: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':', { Ref: 'Bus' }]] },
          SUBSTITUTED: { 'Fn::Sub': '${AWS::Region}/${Bus.Arn}/${!literal}' },
          SUBSTITUTED_MORE: { 'Fn::Sub': ['${x}/${Bus}', { x: { Ref: 'AWS::Region' } }] },
          SELECTED: { 'Fn::Select': [0, []] },
        },
      },
    }),
  });
  const references = {
    Bus: 'bus',
    'Bus.Arn': 'arn:bus',
    'AWS::Region': 'eu-west-1',
    'AWS::Partition': 'aws',
  };
  expect(readFunctions(directory, 'keyturn-prod', references)[0]?.environment).toEqual({
    PLAIN: 'text',
    REF: 'bus',
    UNKNOWN: '${Other}',
    ATTRIBUTE: 'arn:bus',
    JOINED: 'arn:aws:bus',
    SUBSTITUTED: 'eu-west-1/arn:bus/${literal}',
    SUBSTITUTED_MORE: 'eu-west-1/bus',
    SELECTED: '${{"Fn::Select":[0,[]]}}',
  });
});

it('asks for a name where there are several stacks', () => {
  const directory = assembly({ Rotate: lambda() }, { A: stack('a'), Keyturn: stack('b') });
  expect(() => readFunctions(directory)).toThrow('Name one stack: there are a, b');
  expect(() => readFunctions(directory, 'c')).toThrow('Name one stack, not c: there are a, b');
  expect(readFunctions(directory, 'b')).toHaveLength(1);
});

it('says so when a stack has nothing of Keyturn in it', () => {
  expect(() => readFunctions(assembly({}))).toThrow('has no function of Keyturn');
});
