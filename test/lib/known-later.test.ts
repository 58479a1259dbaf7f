import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, CfnParameter, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { CONTEXT, permissionsOf, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const account = '111122223333';
const THERE = 'eu-north-1';
const KEY = `arn:aws:kms:${THERE}:${account}:key/01234567-0123-0123-0123-0123456789ab`;

/** A deployment, and who reads a secret of it, where the replicas hang on a parameter of its stack. */
function open(regionsOf: (later: string) => KeyturnProps['replicaRegions']) {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const stack = new Stack(app, 'Home', { env: { account, region: 'eu-west-1' } });
  const replicaRegions = regionsOf(new CfnParameter(stack, 'Later').valueAsString);
  const given = replicaRegions && { replicaRegions };
  const keyturn = new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder), ...given });
  const readIn = (there: Stack) =>
    keyturn.grantRead(
      'telegraf',
      new Role(there, 'Consumer', { assumedBy: new AccountRootPrincipal() }),
    );
  return { app, stack, readIn };
}

const env = { account, region: THERE };

describe("a replica's Region that only the deployment knows", () => {
  const FORMS: Record<string, (region: string) => KeyturnProps['replicaRegions']> = {
    name: (region) => [region],
    'name in an object': (region) => [{ region }],
    'name beside an alias': (region) => [{ region, encryptionKey: 'alias/tokens' }],
    "name beside a key's ARN": (region) => [{ region, encryptionKey: KEY }],
    'name, and another one': (region) => [{ region: `eu-${region}` }, { region }, THERE],
  };

  test.each(Object.keys(FORMS))('is taken as a %s', (form) => {
    const template = Template.fromStack(open((later) => FORMS[form]?.(later)).stack);
    const [told] = Object.values(template.findResources('AWS::Lambda::Function'))
      .map(({ Properties }) => Properties.Environment.Variables.KEYTURN_REPLICA_REGIONS)
      .filter((each) => each !== undefined);
    expect(JSON.stringify(told)).toContain('{"Ref":"Later"}');
  });

  test('keeps no other rule of its replica from being judged', () => {
    const refused = (regionsOf: (later: string) => unknown) => () =>
      open((later) => regionsOf(later) as KeyturnProps['replicaRegions']);
    expect(refused((region) => [{ region, encryptionKey: 'tokens' }])).toThrow(
      /^Keyturn's property replicaRegions\[0\]\.encryptionKey: found "tokens", expected/,
    );
    expect(refused((region) => [{ region, kmsKey: KEY }])).toThrow(
      /^Keyturn's property replicaRegions\[0\]/,
    );
    // It can be no other than the key's.
    expect(refused((region) => [THERE, { region, encryptionKey: KEY }])).toThrow(
      /^Keyturn's property replicaRegions: .*each Region once/,
    );
    expect(refused((region) => [region, 'Frankfurt'])).toThrow(
      /^Keyturn's property replicaRegions\[1\]: found "Frankfurt"/,
    );
  });

  test.each(Object.keys(FORMS))('may be that of a consumer, who reads there: %s', (form) => {
    const { app, readIn } = open((later) => FORMS[form]?.(later));
    const there = new Stack(app, 'There', { env });
    readIn(there).assertSuccess();
    const template = Template.fromStack(there);
    expect(permissionsOf(template, 'Consumer')).toContain(
      `secretsmanager:GetSecretValue on arn:aws:secretsmanager:${THERE}:${account}:secret:keyturn/prod/telegraf-??????`,
    );
    expect(JSON.stringify(template.toJSON())).not.toMatch(/Later|GetStackOutput|ImportValue/);
  });
});

describe("replicas' Regions that only the deployment knows, with keys", () => {
  const keyIn = (region: string, name: string) =>
    `arn:${Aws.PARTITION}:kms:${region}:${account}:key/${name}`;
  /** The keys and aliases that a consumer's role names, beside any key of its account for that secret. */
  function keysOf(...keys: readonly (string | undefined)[]): string[] {
    const { app, readIn } = open((later) =>
      keys.map((encryptionKey, index) => ({
        region: `${later}-${index}`,
        ...(encryptionKey !== undefined && { encryptionKey }),
      })),
    );
    const there = new Stack(app, 'There', { env });
    readIn(there).assertSuccess();
    const policies = JSON.stringify(Template.fromStack(there).findResources('AWS::IAM::Policy'));
    return [...policies.matchAll(/(?:key|alias)\/\w+/g)].map(([name]) => name);
  }

  test('the key of the Region of the consumer is named, and no other', () => {
    expect(keysOf(keyIn('eu-west-3', 'paris'), keyIn(THERE, 'own'))).toEqual(['key/own']);
    expect(keysOf('alias/tokens', keyIn(THERE, 'own'))).toEqual(['key/own']);
  });

  test('where none is, every key that may be there', () => {
    const paris = keyIn('eu-west-3', 'paris');
    expect(keysOf(undefined, paris, 'alias/one', 'alias/other')).toEqual([
      'alias/one',
      'alias/other',
    ]);
  });

  test('a consumer is refused who is in none of their Regions', () => {
    expect(() => keysOf(keyIn('eu-west-3', 'paris'), keyIn('us-east-1', 'virginia'))).toThrow(
      /^grantRead: found There\/Consumer in eu-north-1, expected a consumer in eu-west-1, eu-west-3, us-east-1, where/,
    );
  });
});

describe("a consumer's role names nothing of Keyturn's stack, whatever a replica's key is", () => {
  const KEYS: Record<string, (later: string) => string> = {
    'known at the deployment': (later) => later,
    'an alias known at the deployment': (later) => `alias/${later}`,
    'an ARN of a partition known at the deployment': () =>
      KEY.replace(':aws:', `:${Aws.PARTITION}:`),
  };

  test.each(Object.keys(KEYS))('%s, and its stack may be one that it needs', (kind) => {
    const { app, stack, readIn } = open((later) => [
      { region: THERE, encryptionKey: KEYS[kind]?.(later) },
    ]);
    const there = new Stack(app, 'There', { env });
    stack.addStackDependency(there);
    readIn(there).assertSuccess();
    const elsewhere = new Stack(new Stage(app, 'Another'), 'There', { env });
    readIn(elsewhere).assertSuccess();
    app.synth();
    expect(permissionsOf(Template.fromStack(there), 'Consumer')).toContain(
      `kms:Decrypt on arn:aws:kms:${THERE}:${account}:key/*`,
    );
  });

  test('and a key that is written out is named', () => {
    const { app, readIn } = open(() => [
      { region: THERE, encryptionKey: KEY.replace(':aws:', `:${Aws.PARTITION}:`) },
    ]);
    const there = new Stack(app, 'There', { env });
    readIn(there);
    expect(permissionsOf(Template.fromStack(there), 'Consumer')).toContain(`kms:Decrypt on ${KEY}`);
  });
});
