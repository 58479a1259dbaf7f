import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { type Alias, Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { isAllowed } from '../permissions/evaluate.ts';
import { ACCOUNT, rolesIn } from '../permissions/roles.ts';
import { JOBS, type Job } from '../world/jobs.ts';
import { CONTEXT, POLICY, synthesize, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = `arn:aws:kms:eu-north-1:${ACCOUNT}:key/of-the-replicas`;
const PLACES = ['eu-central-1', { region: 'eu-north-1', encryptionKey: KEY }] as const;
const withRegions = (replicaRegions: unknown) =>
  `${POLICY}deployment: ${JSON.stringify({ replicaRegions })}\n`;
test('more than the environment of a function holds is refused before the deployment', () => {
  const arn = (n: number) =>
    `arn:aws:kms:xx-north-${n}:${ACCOUNT}:key/01234567-0123-0123-0123-0123456789ab`;
  const regions = Array.from({ length: 34 }, (_, n) => ({
    region: `xx-north-${n}`,
    encryptionKey: arn(n),
  }));
  const app = new App({ context: CONTEXT });
  const policy = writePolicy(folder, withRegions(regions));
  expect(() => new KeyturnStack(app, 'Keyturn', { policy })).toThrow(
    /deployment\.replicaRegions .*: found [\d,]+ bytes .* environment of rotate, .* expected at most 4,096.*; name fewer Regions/,
  );
});

const stackOf = (replicaRegions: unknown, props: Partial<KeyturnProps> = {}) =>
  synthesize(folder, withRegions(replicaRegions), props);

const toldBy = (template: ReturnType<typeof stackOf>) =>
  Object.fromEntries(
    Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => [
      Properties.FunctionName,
      Properties.Environment.Variables.KEYTURN_REPLICA_REGIONS,
    ]),
  );

test('the function that creates secrets is told of the Regions, and no other', () => {
  const told = toldBy(stackOf(PLACES));
  expect(Object.values(told).filter((each) => each !== undefined)).toHaveLength(1);
  expect(JSON.parse(told['keyturn-prod-rotate'])).toEqual([
    { region: 'eu-central-1' },
    { region: 'eu-north-1', encryptionKey: KEY },
  ]);
  expect(toldBy(stackOf([]))['keyturn-prod-rotate']).toBe('[]');
});

test('an app says it in place of the policy', () => {
  const told = toldBy(stackOf(PLACES, { replicaRegions: ['eu-west-3'] }));
  expect(told['keyturn-prod-rotate']).toBe('[{"region":"eu-west-3"}]');
});

describe('the roles', () => {
  const replicate = (name: string, regions: readonly string[], overwrite?: string) => ({
    action: 'secretsmanager:ReplicateSecretToRegions',
    resource: `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:${name}`,
    context: {
      'secretsmanager:AddReplicaRegions': regions,
      ...(overwrite && { 'secretsmanager:ForceOverwriteReplicaSecret': overwrite }),
    },
  });
  const OWN = 'keyturn/prod/telegraf-AbCdEf';
  const roles = () => rolesIn(stackOf(PLACES));
  const whoMay = (request: Parameters<typeof isAllowed>[1], of = roles()) =>
    JOBS.filter((job: Job) => isAllowed(of.get(job) ?? [], request));

  test('rotate alone replicates, to the Regions of the policy, what Keyturn made', () => {
    expect(whoMay(replicate(OWN, ['eu-central-1', 'eu-north-1']))).toEqual(['rotate']);
    expect(whoMay(replicate(OWN, ['eu-central-1'], 'false'))).toEqual(['rotate']);
    expect(whoMay(replicate(OWN, ['eu-central-1', 'eu-west-3']))).toEqual([]);
    expect(whoMay(replicate(OWN, ['eu-central-1'], 'true'))).toEqual([]);
    expect(whoMay(replicate('monitoring/grafana-AbCdEf', ['eu-central-1']))).toEqual([]);
    expect(whoMay(replicate(OWN, ['eu-central-1']), rolesIn(stackOf([])))).toEqual([]);
  });

  test('rotate alone encrypts with the key of a replica, through Secrets Manager', () => {
    const use = (action: string, via: string) =>
      whoMay({ action: `kms:${action}`, resource: KEY, context: { 'kms:ViaService': via } });
    for (const action of ['Encrypt', 'GenerateDataKey']) {
      expect(use(action, 'secretsmanager.eu-west-1.amazonaws.com')).toEqual(['rotate']);
      expect(use(action, 'secretsmanager.eu-north-1.amazonaws.com')).toEqual(['rotate']);
      expect(use(action, 's3.eu-north-1.amazonaws.com')).toEqual([]);
    }
    expect(use('Decrypt', 'secretsmanager.eu-north-1.amazonaws.com')).toEqual([]);
  });

  test('whoever puts a value may encrypt it for the replicas of own secrets, with the keys that these were made with', () => {
    const former = `arn:aws:kms:eu-north-1:${ACCOUNT}:key/former`;
    const secretIn = (region: string, name = OWN) =>
      `arn:aws:secretsmanager:${region}:${ACCOUNT}:secret:${name}`;
    const use = (SecretARN: string, more: object = {}, of = roles()) =>
      whoMay(
        {
          action: 'kms:GenerateDataKey',
          resource: former,
          context: {
            'kms:ViaService': 'secretsmanager.eu-north-1.amazonaws.com',
            'kms:EncryptionContext:SecretARN': SecretARN,
          },
          ...more,
        },
        of,
      );
    const writers = use(secretIn('eu-west-1'));
    expect(writers).toEqual(['rotate', 'revoke', 'secrets-manager-rotation']);
    expect(use(secretIn('eu-north-1'))).toEqual(writers);
    expect(use(secretIn('eu-north-1'), { action: 'kms:Encrypt' })).toEqual(writers);
    expect(use(secretIn('eu-north-1'), { action: 'kms:Decrypt' })).toEqual([]);
    expect(use(secretIn('eu-north-1', 'payroll-AbCdEf'))).toEqual([]);
    expect(
      use(secretIn('eu-north-1'), { resource: former.replace(ACCOUNT, '999988887777') }),
    ).toEqual([]);
    // Replicas stay when their Regions leave the list.
    expect(use(secretIn('eu-north-1'), {}, rolesIn(stackOf([])))).toEqual(writers);
    expect(use(secretIn('eu-north-1'), {}, rolesIn(synthesize(folder, POLICY)))).toEqual([]);
  });

  test('so it may for the secrets that the policy names or adopts, which others replicate, and for no other of those', () => {
    const ADOPTED = `${POLICY}  adopted: { secret: plant/hall, permissions: { read: [telemetry] }, adopt: { tokenId: 0a1b2c3d-0000-4000-8000-000000000000 } }\n`;
    const use = (name: string, deployment: string) =>
      whoMay(
        {
          action: 'kms:Encrypt',
          resource: `arn:aws:kms:eu-south-1:${ACCOUNT}:key/of-others`,
          context: {
            'kms:ViaService': 'secretsmanager.eu-south-1.amazonaws.com',
            'kms:EncryptionContext:SecretARN': `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:${name}`,
          },
        },
        rolesIn(synthesize(folder, `${ADOPTED}${deployment}`)),
      );
    const writers = ['rotate', 'revoke', 'secrets-manager-rotation'];
    for (const said of ['[]', '[eu-central-1]']) {
      const deployment = `deployment: { replicaRegions: ${said} }\n`;
      expect(use('monitoring/grafana-AbCdEf', deployment)).toEqual(writers);
      expect(use('plant/hall-AbCdEf', deployment)).toEqual(writers);
      expect(use('monitoring/grafana2-AbCdEf', deployment)).toEqual([]);
      expect(use('plant/hall/other-AbCdEf', deployment)).toEqual([]);
    }
    expect(use('plant/hall-AbCdEf', '')).toEqual([]);
  });

  test('an alias is allowed as such, in its Region alone', () => {
    const of = rolesIn(stackOf([{ region: 'eu-north-1', encryptionKey: 'alias/tokens' }]));
    const use = (region: string, alias: string) =>
      whoMay(
        {
          action: 'kms:Encrypt',
          resource: `arn:aws:kms:${region}:${ACCOUNT}:key/some`,
          context: {
            'kms:ViaService': 'secretsmanager.eu-north-1.amazonaws.com',
            'kms:ResourceAliases': [alias],
          },
        },
        of,
      );
    expect(use('eu-north-1', 'alias/tokens')).toEqual(['rotate']);
    expect(use('eu-north-1', 'alias/others')).toEqual([]);
    expect(use('eu-west-3', 'alias/tokens')).toEqual([]);
  });
});

const BY_NAME = [({ aliasName }: Alias) => aliasName, /^alias\/tokens$/] as const;
const BY_ARN = [
  ({ aliasArn }: Alias) => aliasArn,
  /^arn:.*:kms:eu-north-1:.*:alias\/tokens$/,
] as const;
const CARRIED = [true, { '@aws-cdk/aws-kms:aliasNameRef': true }] as const;

test.each([
  ['name', ...BY_NAME, false, {}],
  ['ARN', ...BY_ARN, false, {}],
  ['name, which CDK could carry between Regions', ...BY_NAME, ...CARRIED],
  ['ARN, which CDK could carry between Regions', ...BY_ARN, ...CARRIED],
] as const)(
  'an alias that the app makes is allowed as such by its %s',
  (...[, keyOf, told, crossRegionReferences, flags]) => {
    const app = new App({ context: { ...CONTEXT, ...flags } });
    const region = 'eu-north-1';
    const there = new Stack(app, 'There', {
      env: { account: ACCOUNT, region },
      crossRegionReferences,
    });
    const encryptionKey = keyOf(new Key(there, 'Key').addAlias('alias/tokens'));
    const home = new KeyturnStack(app, 'Keyturn', {
      policy: writePolicy(folder),
      env: { account: ACCOUNT, region: 'eu-west-1' },
      crossRegionReferences,
      replicaRegions: [{ region, encryptionKey }],
    });
    home.keyturn.grantRead(
      'telegraf',
      new Role(there, 'Reader', { assumedBy: new AccountRootPrincipal() }),
    );
    app.synth();
    const template = Template.fromStack(home);
    expect(JSON.parse(toldBy(template)['keyturn-prod-rotate'])).toEqual([
      { region, encryptionKey: expect.stringMatching(told) },
    ]);
    for (const each of [template, Template.fromStack(there)]) {
      const statements = Object.values(each.findResources('AWS::IAM::Policy')).flatMap(
        ({ Properties }) => Properties.PolicyDocument.Statement,
      );
      const resources = statements.map(({ Resource }) => Resource);
      expect(JSON.stringify(resources)).not.toContain('alias/tokens');
      expect(statements.map(({ Condition }) => Condition)).toContainEqual(
        expect.objectContaining({
          'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/tokens' },
        }),
      );
    }
  },
);

describe('a Region where this stack can have no replica is refused:', () => {
  const refusalOf = (replicaRegions: unknown, region: string, props: object = {}) => {
    const app = new App({ outdir: mkdtempSync(join(folder, 'place-')), context: CONTEXT });
    const policy = writePolicy(folder, withRegions(replicaRegions));
    const env = { account: ACCOUNT, region };
    try {
      new KeyturnStack(app, 'Keyturn-prod', { policy, env, ...props });
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder}/`, '');
    }
    return 'no refusal';
  };

  test('its own', () => {
    expect(refusalOf(PLACES, 'eu-central-1')).toBe(
      'keyturn.yaml: deployment.replicaRegions[0]: found "eu-central-1", which is this stack\'s own Region, expected others: its secrets are there already; take it out',
    );
    expect(refusalOf(PLACES, 'eu-west-1')).toBe('no refusal');
  });

  test('one of another partition, and a key of another', () => {
    expect(refusalOf(['cn-north-1'], 'eu-west-1')).toMatch(
      /replicaRegions\[0\]: found "cn-north-1", which is of the partition aws-cn, expected a Region of aws/,
    );
    const key = `arn:aws:kms:cn-northwest-1:${ACCOUNT}:key/x`;
    expect(refusalOf([{ region: 'cn-northwest-1', encryptionKey: key }], 'cn-north-1')).toMatch(
      /replicaRegions\[0\]\.encryptionKey: found .*expected a key of .*; write a key such as arn:aws-cn:kms:cn-northwest-1:\d+:key\/x$/,
    );
  });

  test('a key of another account, which it would let read, by the file and by the app', () => {
    const region = 'eu-north-1';
    const places = (account: string) => [
      { region, encryptionKey: `arn:aws:kms:${region}:${account}:alias/tokens` },
    ];
    const [theirs, ours] = [places('999922223333'), places(ACCOUNT)];
    const expected = `replicaRegions[0].encryptionKey: found "${theirs[0]?.encryptionKey}", expected a key of this stack's account and of the replica's Region, because one of another account lets that account read; write a key such as ${ours[0]?.encryptionKey}`;
    expect(refusalOf(theirs, 'eu-west-1')).toBe(`keyturn.yaml: deployment.${expected}`);
    expect(refusalOf(PLACES, 'eu-west-1', { replicaRegions: theirs })).toBe(
      `Keyturn's property ${expected}`,
    );
    expect(refusalOf(ours, 'eu-west-1')).toBe('no refusal');
  });

  test('no key of a partition that only the deployment knows', () => {
    const region = 'eu-central-1';
    const encryptionKey = `arn:${Aws.PARTITION}:kms:${region}:${ACCOUNT}:alias/tokens`;
    const replicaRegions = [{ region, encryptionKey }];
    expect(refusalOf(PLACES, 'eu-west-1', { replicaRegions })).toBe('no refusal');
  });

  test('as a property of the construct, which goes before the file', () => {
    const replicaRegions = ['eu-west-1'];
    expect(refusalOf(PLACES, 'eu-west-1', { replicaRegions })).toMatch(
      /^Keyturn's property replicaRegions\[0\]: found "eu-west-1", which is this stack's own Region/,
    );
    expect(refusalOf(replicaRegions, 'eu-west-1', { replicaRegions: PLACES })).toBe('no refusal');
  });
});
