import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { type IVpc, SecurityGroup, SubnetFilter, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountRootPrincipal, ManagedPolicy, Role, type RoleProps } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterAll, describe, expect, test } from 'vitest';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import type { KeyturnProps } from '../../lib/properties.ts';
import { SoleWriter, type SoleWriterProps } from '../../lib/sole-writer.ts';
import { CONTEXT, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-stand-ins-'));
afterAll(() => rmSync(folder, { recursive: true }));

const env = { account: '111122223333', region: 'eu-west-1' };
const parameter = (stack: Stack, byDefault?: string) =>
  StringParameter.valueFromLookup(stack, '/keyturn', byDefault);
const onCall = (stack: Stack) => Role.fromLookup(stack, 'OnCall', { roleName: 'on-call' });
const newRole = (stack: Stack, props: Partial<RoleProps> = {}) =>
  new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal(), ...props });
const newVpc = (stack: Stack) => new Vpc(stack, 'Vpc') as IVpc;
const zones = ['eu-west-1a', 'eu-west-1b'];

/** An app with a stack of its own beside Keyturn's, as the CLI runs it for the first time, or with what it has looked up. */
class Looking {
  readonly app: App;
  readonly beside: Stack;

  constructor(lookedUp: object = {}) {
    const outdir = mkdtempSync(join(folder, 'out-'));
    this.app = new App({ outdir, context: { ...CONTEXT, ...lookedUp } });
    this.beside = new Stack(this.app, 'Beside', { env });
    new Topic(this.beside, 'Topic');
  }

  open(props: Partial<KeyturnProps> = {}): KeyturnStack {
    const alarmEmails = ['on-call@example.com'];
    const policy = writePolicy(folder);
    return new KeyturnStack(this.app, 'Mine', { policy, env, alarmEmails, ...props });
  }

  protect(props: Partial<SoleWriterProps>): void {
    const stack = this.open();
    new SoleWriter(stack, 'Sole', {
      keyturn: stack.keyturn,
      secretId: 'keyturn/prod/telegraf',
      people: ['arn:aws:iam::111122223333:role/on-call'],
      ...props,
    });
  }
}

function elsewhere({ app }: Looking): Stack {
  const stack = new Stack(app, 'Elsewhere', { env: { ...env, account: '444455556666' } });
  new Topic(stack, 'Topic');
  return stack;
}

/** What the CLI is asked to look up, by its key in the context. */
const missingIn = ({ app }: Looking): string[] =>
  (app.synth().manifest.missing ?? []).map(({ key }) => key);

describe('the first synthesis asks the CLI to look up', () => {
  test.each<[string, (looking: Looking) => void]>([
    [
      'the zones of a new VPC, of whose subnets those of some zones are chosen',
      (looking) =>
        looking.open({
          vpc: newVpc(looking.beside),
          vpcSubnets: { availabilityZones: zones },
        }),
    ],
    [
      'the zones of a new VPC, of whose subnets a filter takes some',
      (looking) =>
        looking.open({
          vpc: newVpc(looking.beside),
          vpcSubnets: { subnetFilters: [SubnetFilter.availabilityZones(zones)] },
        }),
    ],
    [
      'a VPC, of which no such subnets are known yet, and two security groups',
      (looking) =>
        looking.open({
          vpc: Vpc.fromLookup(looking.beside, 'Vpc', { vpcId: 'vpc-0123456789abcdef0' }),
          vpcSubnets: { subnetGroupName: 'keyturn' },
          securityGroups: ['sg-0123456789abcdef0', 'sg-0123456789abcdef1'].map((id) =>
            SecurityGroup.fromLookupById(looking.beside, id, id),
          ),
        }),
    ],
    [
      'addresses for alarms',
      (looking) =>
        looking.open({ alarmEmails: [parameter(looking.beside), 'on-call@example.com'] }),
    ],
    [
      'an address in whose place the app has one word',
      (looking) => looking.open({ alarmEmails: [parameter(looking.beside, 'none')] }),
    ],
    [
      'a boundary in whose place the app has one of another account',
      (looking) => {
        const arn = parameter(looking.beside, 'arn:aws:iam::444455556666:policy/developers');
        looking.open({ boundary: ManagedPolicy.fromManagedPolicyArn(looking.beside, 'B', arn) });
      },
    ],
    [
      'a Region in whose place the app has its own',
      (looking) => looking.open({ replicaRegions: [parameter(looking.beside, env.region)] }),
    ],
    [
      'a Region',
      (looking) => looking.open({ replicaRegions: [{ region: parameter(looking.beside) }] }),
    ],
    [
      'a number',
      (looking) => looking.open({ memorySize: Number(parameter(looking.beside)) || Number.NaN }),
    ],
    [
      'Regions, for a consumer in one that may be among them',
      (looking) => {
        const replicaRegions = parameter(looking.beside).split(',');
        const { keyturn } = looking.open({ replicaRegions });
        const there = { env: { ...env, region: 'eu-central-1' } };
        const consumer = newRole(new Stack(looking.app, 'There', there));
        keyturn.grantRead('telegraf', consumer).assertSuccess();
      },
    ],
    [
      'which metrics are wanted',
      (looking) => {
        const metrics = parameter(looking.beside) as 'full';
        looking.open({ metrics }).keyturn.metric('runwayDays');
      },
    ],
    ['people, a role', (looking) => looking.protect({ people: [onCall(looking.beside).roleArn] })],
    ['people, a parameter', (looking) => looking.protect({ people: [parameter(looking.beside)] })],
    [
      'people, the name of a role within an ARN',
      (looking) =>
        looking.protect({ people: [`arn:aws:iam::111122223333:${parameter(looking.beside)}`] }),
    ],
    [
      'the secret of a sole writer',
      (looking) => looking.protect({ secretId: parameter(looking.beside) }),
    ],
    [
      'the secret of a sole writer, by an ARN',
      (looking) =>
        looking.protect({
          secretId: parameter(looking.beside, 'arn:aws:secretsmanager:eu-north-1:1:secret:x'),
        }),
    ],
    [
      'a role that gets rights',
      (looking) => {
        const { keyturn } = looking.open();
        const role = onCall(looking.beside);
        keyturn.grantRead('telegraf', role).assertSuccess();
        keyturn.grantRevoke(role).assertSuccess();
        keyturn.grantOperate(role).assertSuccess();
      },
    ],
    [
      'a part of the name of a role that another account makes',
      (looking) => {
        const roleName = `consumer-${parameter(looking.beside, 'dev')}`;
        const consumer = newRole(elsewhere(looking), { roleName });
        looking.open().keyturn.grantRead('telegraf', consumer).assertSuccess();
      },
    ],
    [
      'a part of the name of a role that another account has',
      (looking) => {
        const name = `consumer-${parameter(looking.beside, 'dev')}`;
        const arn = `arn:aws:iam::444455556666:role/${name}`;
        const consumer = Role.fromRoleArn(elsewhere(looking), 'Role', arn);
        looking.open().keyturn.grantRead('telegraf', consumer).assertSuccess();
      },
    ],
  ])('%s, and says nothing of it', (_what, build) => {
    const looking = new Looking();
    build(looking);
    expect(missingIn(looking).length).toBeGreaterThan(0);
    const mine = looking.app.node.findChild('Mine') as Stack;
    const ours = Match.stringLikeRegexp('expected');
    expect(Annotations.fromStack(mine).findWarning('*', ours)).toEqual([]);
  });
});

test('what is looked up is told like what is written', () => {
  const address = (looking: Looking) => looking.open({ alarmEmails: [parameter(looking.beside)] });
  const first = new Looking();
  address(first);
  const [key = ''] = missingIn(first);
  expect(() => address(new Looking({ [key]: 'nobody' }))).toThrow(
    'alarmEmails[0]: found "nobody", expected an e-mail address',
  );
  expect(() => address(new Looking({ [key]: 'on-call@example.com' }))).not.toThrow();
});

test('a role of another account is told once it is looked up', () => {
  const read = (looking: Looking) =>
    looking.open().keyturn.grantRead('telegraf', onCall(looking.beside));
  const first = new Looking();
  read(first);
  const [key = ''] = missingIn(first);
  const lookedUp = (account: string) =>
    new Looking({ [key]: [{ Arn: `arn:aws:iam::${account}:role/on-call` }] });
  expect(read(lookedUp('444455556666')).success).toBe(false);
  expect(read(lookedUp(env.account)).success).toBe(true);
});

test('a mistake beside what is not looked up yet is told at once', () => {
  const looking = new Looking();
  const vpc = newVpc(looking.beside);
  const alarmEmails = ['nobody', parameter(looking.beside)];
  expect(() => looking.open({ vpc, alarmEmails, memorySize: 1 })).toThrow(
    /^Keyturn's property alarmEmails\[0\]: found "nobody", expected .*\nKeyturn's property memorySize: found 1, expected [^\n]*$/,
  );
  const boundary = ManagedPolicy.fromManagedPolicyArn(
    looking.beside,
    'Boundary',
    'arn:aws:iam::444455556666:policy/developers',
  );
  expect(() => new Looking().open({ vpc, boundary })).toThrow('found "arn:aws:iam::444455556666');
});
