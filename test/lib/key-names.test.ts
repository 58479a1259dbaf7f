import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, CfnParameter, CfnResource, Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Alias, type CfnAlias, type CfnKey, Key } from 'aws-cdk-lib/aws-kms';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { CONTEXT, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const account = '111122223333';
const region = 'eu-north-1';
const FLAG = '@aws-cdk/aws-kms:aliasNameRef';

/** How an app names the alias of another Region's stack. */
const WAYS: Record<string, (alias: Alias) => string> = {
  name: ({ aliasName }) => aliasName,
  ARN: ({ aliasArn }) => aliasArn,
  reference: ({ node }) => (node.defaultChild as CfnAlias).ref,
};
/** How CDK has it there: with references or without, which it could carry to another Region. */
const MODES = [true, false].flatMap((flag) => [true, false].map((carried) => ({ flag, carried })));
const CASES = Object.keys(WAYS).flatMap((way) => MODES.map((mode) => ({ way, ...mode })));

interface Mode {
  readonly way: string;
  readonly flag: boolean;
  readonly carried: boolean;
}

function open(
  { way, flag, carried }: Mode,
  nameIn: (there: Stack) => string,
  env: object = { account, region },
) {
  const app = new App({
    outdir: mkdtempSync(join(folder, 'out-')),
    context: { ...CONTEXT, [FLAG]: flag },
  });
  const crossRegionReferences = carried;
  const there = new Stack(app, 'There', { env, crossRegionReferences });
  const aliasName = nameIn(there);
  const alias = new Alias(there, 'Alias', { aliasName, targetKey: new Key(there, 'Key') });
  const home = new Stack(app, 'Home', {
    env: { account, region: 'eu-west-1' },
    crossRegionReferences,
  });
  const keyturn = new Keyturn(home, 'Keyturn', {
    policy: writePolicy(folder),
    replicaRegions: [{ region, encryptionKey: String(WAYS[way]?.(alias)) }],
  });
  const reader = new Role(there, 'Reader', { assumedBy: new AccountRootPrincipal() });
  keyturn.grantRead('telegraf', reader);
  app.synth();
  return [home, there].map((stack) => Template.fromStack(stack));
}

/** What the roles of a template may do under a condition on an alias, and all that they name. */
function namedIn(template: Template) {
  const statements = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement,
  );
  return {
    aliases: statements
      .map(({ Condition }) => Condition?.['ForAnyValue:StringEquals']?.['kms:ResourceAliases'])
      .filter((each) => each !== undefined),
    resources: JSON.stringify(statements.map(({ Resource }) => Resource)),
  };
}

describe("an alias of another Region's stack, whose name says where that is,", () => {
  test.each(CASES)('is allowed by that name: %j', (mode) => {
    const { ACCOUNT_ID, PARTITION, REGION, STACK_NAME } = Aws;
    const nameIn = () => `alias/of-${PARTITION}/${REGION}/${ACCOUNT_ID}/${STACK_NAME}`;
    for (const template of open(mode, nameIn)) {
      const { aliases, resources } = namedIn(template);
      expect(new Set(aliases)).toEqual(new Set([`alias/of-aws/${region}/${account}/There`]));
      expect(resources).not.toMatch(/alias|GetStackOutput|There/);
    }
  });
});

test('an alias that the app writes without a class is allowed by its name', () => {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
  const home = new Stack(app, 'Home', { env: { account, region: 'eu-west-1' } });
  const properties = { AliasName: 'alias/theirs', TargetKeyId: 'their-key' };
  const alias = new CfnResource(home, 'Alias', { type: 'AWS::KMS::Alias', properties });
  new Keyturn(home, 'Keyturn', {
    policy: writePolicy(folder),
    replicaRegions: [{ region, encryptionKey: alias.ref }],
  });
  expect(new Set(namedIn(Template.fromStack(home)).aliases)).toEqual(new Set(['alias/theirs']));
});

describe('an alias whose name no other stack can know', () => {
  const NAMES: Record<string, (there: Stack) => string> = {
    'a parameter': (there) => `alias/${new CfnParameter(there, 'Name').valueAsString}`,
    "a Region that is nobody's yet": () => `alias/${Aws.REGION}-tokens`,
    'an export': () => `alias/${Fn.importValue('Team')}`,
  };
  test.each(CASES)('is refused with what to write: %j', (mode) => {
    for (const [what, nameIn] of Object.entries(NAMES)) {
      const env = what.startsWith('a Region') ? {} : { account, region };
      // CDK carries nothing between a Region and none.
      const carried = mode.carried && 'region' in env;
      expect(() => open({ ...mode, carried }, nameIn, env)).toThrow(
        /^Keyturn's property replicaRegions\[0\]\.encryptionKey: found the alias There\/Alias\S*, whose name only the deployment of the stack There knows, expected .*; give the ARN of its key, or give the alias a name that is written out/,
      );
    }
  });
});

describe("a replica's key of which a part is known only at the deployment", () => {
  const { ACCOUNT_ID, PARTITION, REGION, STACK_NAME } = Aws;
  const ID = '01234567-0123-0123-0123-0123456789ab';
  const given = (keyOf: (home: Stack, app: App) => string, env?: object, of = region) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: CONTEXT });
    const home = new Stack(app, 'Home', env && { env, crossRegionReferences: true });
    const encryptionKey = keyOf(home, app);
    const replicaRegions = [{ region: of, encryptionKey }];
    new Keyturn(home, 'Keyturn', { policy: writePolicy(folder), replicaRegions });
  };
  const known = { account, region: 'eu-west-1' };
  const keyIn = (app: App, itsRegion: string, its = account) => {
    const env = { account: its, region: itsRegion };
    return new Key(new Stack(app, 'Keys', { env, crossRegionReferences: true }), 'Key');
  };
  const dynamic = (home: Stack) =>
    StringParameter.fromStringParameterAttributes(home, 'Dynamic', {
      parameterName: '/keys',
      version: 3,
    }).stringValue;
  const OTHER_REGION =
    /^Keyturn's property replicaRegions\[0\]\.encryptionKey: found "[^$]*" in (?:\w+-\w+-1|this stack's own Region), expected a key of the same Region as the replica, which alone encrypts there$/;
  const NO_KEY =
    /^Keyturn's property replicaRegions\[0\]\.encryptionKey: found "[^$]*", expected the ARN of a KMS key /;

  test.each<[string, (home: Stack, app: App) => string]>([
    ['of a third Region', () => `arn:${PARTITION}:kms:us-east-1:${ACCOUNT_ID}:key/${ID}`],
    ["of the stack's Region", () => `arn:${PARTITION}:kms:eu-west-1:${account}:alias/t`],
    ["of the stack's Region by its token", () => `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${ID}`],
    [
      'of an alias of the app',
      (_home, app) => keyIn(app, 'us-east-1').addAlias('alias/t').aliasArn,
    ],
    ['of a key of the app', (_home, app) => keyIn(app, 'us-east-1').keyArn],
    ['of a key of the stack', (home) => new Key(home, 'Key', { multiRegion: true }).keyArn],
  ])('is refused by an ARN of another Region: %s', (_what, keyOf) => {
    expect(() => given(keyOf, known)).toThrow(OTHER_REGION);
  });

  test.each<[string, (home: Stack, app: App) => string]>([
    ['by its ARN', () => `arn:${PARTITION}:kms:${region}:999922223333:key/${ID}`],
    [
      'of an alias of the app',
      (_home, app) => keyIn(app, region, '999922223333').addAlias('alias/t').aliasArn,
    ],
    ['of a key of the app', (_home, app) => keyIn(app, region, '999922223333').keyArn],
  ])('is refused of another account: %s', (_what, keyOf) => {
    expect(() => given(keyOf, known)).toThrow(
      /^Keyturn's property replicaRegions\[0\]\.encryptionKey: found "[^$]*", expected a key of this stack's account and of the replica's Region, because one of another account lets that account read; write a key such as arn:[^$]*:111122223333:/,
    );
  });

  test("is refused in the stack's own Region, also where nobody knows which that is", () => {
    expect(() => given((home) => new Key(home, 'Key').keyArn)).toThrow(OTHER_REGION);
    const own = () => `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${ID}`;
    expect(() => given(own)).toThrow(OTHER_REGION);
    const later = (home: Stack) => {
      const { valueAsString } = new CfnParameter(home, 'Later');
      return `arn:aws:kms:eu-west-1:${account}:key/${valueAsString}`;
    };
    expect(() => given(later, known, REGION)).toThrow(OTHER_REGION);
  });

  test.each<[string, (home: Stack) => string]>([
    ['an ARN of neither', () => `arn:${PARTITION}:kms:${region}:${ACCOUNT_ID}:tokens`],
    ["AWS's own", () => `arn:${PARTITION}:kms:${region}:${ACCOUNT_ID}:alias/aws/secretsmanager`],
    ['of another service', () => `arn:${PARTITION}:sns:${region}:${ACCOUNT_ID}:key/${ID}`],
    ['a name without alias/', () => `${STACK_NAME}-tokens`],
    [
      'a name that nobody knows to its end',
      (home) => `x-${new CfnParameter(home, 'P').valueAsString}`,
    ],
  ])('is refused where it is neither key nor alias: %s', (_what, keyOf) => {
    expect(() => given(keyOf, known)).toThrow(NO_KEY);
  });

  test.each<[string, (home: Stack, app: App) => string, string]>([
    ['its reference', (home) => new Key(home, 'Key').keyId, 'Home/Key/Resource.Ref'],
    [
      'its attribute',
      (_home, app) => (keyIn(app, region).node.defaultChild as CfnKey).attrKeyId,
      'Keys/Key/Resource.KeyId',
    ],
  ])('is refused as the id of a key of the app: %s', (_what, byId, shown) => {
    expect(() => given(byId, known)).toThrow(
      `Keyturn's property replicaRegions[0].encryptionKey: found "<${shown}>", the id of a key, expected its ARN, `,
    );
    expect(() => given(byId, known)).toThrow(/; give keyArn in place of keyId$/);
  });

  test.each<[string, (home: Stack, app: App) => string]>([
    ['of the app, there', (_home, app) => keyIn(app, region).keyArn],
    [
      'by the ARN of an alias of the app',
      (_home, app) => keyIn(app, region).addAlias('alias/t').aliasArn,
    ],
    [
      'by its partition and account',
      () => `arn:${PARTITION}:kms:${region}:${ACCOUNT_ID}:key/${ID}`,
    ],
    ['by its whole ARN', (home) => new CfnParameter(home, 'P').valueAsString],
    [
      'by the end of its ARN',
      (home) => `arn:aws:kms:${region}:${account}:${new CfnParameter(home, 'P').valueAsString}`,
    ],
    [
      'by its id',
      (home) => `arn:aws:kms:${region}:${account}:key/${new CfnParameter(home, 'P').valueAsString}`,
    ],
    [
      'by its Region',
      (home) => `arn:aws:kms:${new CfnParameter(home, 'P').valueAsString}:${account}:key/${ID}`,
    ],
    ['by its alias', () => `alias/${STACK_NAME}`],
    ['by an alias that is called as a key', (home) => `alias/${new Key(home, 'Key').keyId}`],
    ['by how its name begins', (home) => `${new CfnParameter(home, 'P').valueAsString}-tokens`],
    ['by what CloudFormation looks up', dynamic],
    [
      'by an id that CloudFormation looks up',
      (home) => `arn:aws:kms:${region}:${account}:key/${dynamic(home)}`,
    ],
    ['by an alias that CloudFormation looks up', (home) => `alias/${dynamic(home)}`],
  ])('is taken %s', (_what, keyOf) => {
    expect(() => given(keyOf, known)).not.toThrow();
  });
});
