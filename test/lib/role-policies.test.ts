import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyDocument, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow } from '../../lib/grants.ts';
import { KeyturnStack } from '../../lib/keyturn-stack.ts';
import { layOut } from '../../lib/role-policies.ts';
import { isAllowed, type Statement } from '../permissions/evaluate.ts';
import { resolve } from '../permissions/roles.ts';
import { POLICY, writePolicy } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ENV = { account: '111122223333', region: 'ap-southeast-1' };
const PREFIX = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

/** Names outside the owner's prefix, of one length; as a team would choose them. */
const namesOf = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) =>
    `plant/west/hall-${index}/`.padEnd(length, 'sensor-'),
  );

/** Every third is adopted, if its name is outside the owner's prefix. */
const policyOf = (names: readonly string[]) =>
  POLICY +
  names
    .map(
      (name, index) =>
        `  t${index}: { secret: ${name}, permissions: { write: [telemetry] }${
          index % 3 === 0 && !name.startsWith('keyturn/')
            ? `, adopt: { tokenId: 11111111-1111-4111-8111-${String(index).padStart(12, '0')} }`
            : ''
        } }\n`,
    )
    .join('');

let made = 0;
/** As `cdk synth` of an app with these flags, into a folder of its own. */
function stackOf(names: readonly string[], context = {}, env?: typeof ENV, tags = {}): Template {
  const own = mkdtempSync(join(folder, `${made++}-`));
  const app = new App({
    outdir: join(own, 'cdk.out'),
    context: { 'aws:cdk:bundling-stacks': [], ...context },
  });
  const policy = writePolicy(own, policyOf(names));
  return Template.fromStack(
    new KeyturnStack(app, 'Keyturn', { policy, tags, ...(env && { env }) }),
  );
}

interface Role {
  inline: number;
  readonly managed: number[];
  readonly statements: Statement[];
}

/** What IAM counts of each role: characters of JSON without white space. */
function rolesIn(template: Template): Record<string, Role> {
  const roles: Record<string, Role> = {};
  for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
    for (const { Properties } of Object.values(template.findResources(type))) {
      const document = resolve(Properties.PolicyDocument) as { Statement: Statement[] };
      const bytes = Buffer.byteLength(JSON.stringify(document));
      for (const { Ref } of Properties.Roles) {
        roles[Ref] ??= { inline: 0, managed: [], statements: [] };
        const role = roles[Ref];
        if (type === 'AWS::IAM::Policy') role.inline += bytes;
        else role.managed.push(bytes);
        role.statements.push(...document.Statement);
      }
    }
  }
  return roles;
}

const SIZES = [
  [1, 20],
  [60, 20],
  [180, 40],
  [110, 90],
  [80, 160],
  [55, 300],
  [28, 500],
] as const;

const MINIMIZED = { '@aws-cdk/aws-iam:minimizePolicies': true };
const LONG_ARNS = { '@aws-cdk/aws-iam.arnSizeEstimate': 700 };

test.each([
  ...SIZES.map(([count, length]) => [count, length, MINIMIZED, undefined] as const),
  [180, 40, MINIMIZED, ENV],
  [60, 20, {}, ENV],
  [80, 160, {}, undefined],
  [80, 160, LONG_ARNS, undefined],
] as const)(
  '%d names of %d characters are laid out as IAM takes them (%j, %j)',
  (count, length, context, env) => {
    for (const role of Object.values(rolesIn(stackOf(namesOf(count, length), context, env)))) {
      expect(role.inline).toBeLessThanOrEqual(10_240);
      expect(role.managed.length).toBeLessThanOrEqual(10);
      for (const bytes of role.managed) expect(bytes).toBeLessThanOrEqual(6_144);
    }
  },
);

const bytesOf = (statements: readonly PolicyStatement[]) =>
  JSON.stringify(new PolicyDocument({ statements: [...statements] }).toJSON()).length;

test('every policy is filled as far as IAM takes it, and CDK, which moves what is inline beyond 10,000', () => {
  const stack = new Stack();
  // Of many lengths, so that some fill a policy to the last byte.
  for (let length = 1; length <= 60; length += 1) {
    const secrets = Array.from({ length: 300 }, (_, index) =>
      `${PREFIX}${index + 100}`.padEnd(PREFIX.length + 3 + length, '-'),
    );
    const { inline, managed } = layOut(
      [allow(['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], secrets)],
      stack,
    );
    const [first = 0, ...others] = [inline, ...managed.slice(0, -1)].map(bytesOf);
    expect(first).toBeLessThanOrEqual(10_000);
    expect(first).toBeGreaterThan(9_800);
    expect(Math.max(...others)).toBeLessThanOrEqual(6_144);
    expect(Math.min(...others)).toBeGreaterThan(5_900);
  }
});

test('what only a deployment knows fits, however long it becomes', () => {
  const stack = new Stack();
  const arns = Array.from({ length: 40 }, (_, index) => new CfnLogGroup(stack, `${index}`).attrArn);
  const { inline, managed } = layOut([allow(['logs:PutLogEvents'], arns)], stack);
  // A name may have 512 characters.
  const longest = `arn:aws-us-gov:logs:us-isof-south-1:111122223333:log-group:${'n'.repeat(512)}:*`;
  const bytesDeployed = (statements: readonly PolicyStatement[]) =>
    JSON.stringify(stack.resolve(new PolicyDocument({ statements: [...statements] }))).replaceAll(
      /\{"Fn::GetAtt":[^}]*\}/g,
      JSON.stringify(longest),
    ).length;
  expect(bytesDeployed(inline)).toBeLessThanOrEqual(10_240);
  expect(managed.length).toBeGreaterThan(1);
  for (const each of managed) expect(bytesDeployed(each)).toBeLessThanOrEqual(6_144);
});

test('a role that is divided over many policies may do on every secret what it may on one', () => {
  const names = namesOf(110, 90);
  const roles = Object.entries(rolesIn(stackOf(names)));
  const rotate = roles.find(([id]) => id.startsWith('KeyturnRotateRole'))?.[1];
  const may = (verb: string, name: string, suffix = '-AbCdEf') =>
    isAllowed(rotate?.statements ?? [], {
      action: `secretsmanager:${verb}`,
      resource: `${PREFIX}${name}${suffix}`,
    });
  expect(rotate?.managed.length).toBeGreaterThan(1);
  for (const [index, name] of names.entries()) {
    expect(may('PutSecretValue', name)).toBe(true);
    expect(may('DescribeSecret', name, '')).toBe(true);
    expect(may('CreateSecret', name)).toBe(index % 3 !== 0);
  }
  expect(may('PutSecretValue', 'plant/west/hall-110/')).toBe(false);
});

test('more than a role can hold are refused in a sentence that says what to change', () => {
  expect(() => stackOf(namesOf(300, 90))).toThrow(
    /^\/\S+\/keyturn\.yaml: tokens: found 301 with a "secret" outside keyturn\/prod\/, whose names have 27,018 bytes together: the role of rotate would need \d+ managed policies of 6,144 bytes, expected at most 10, which IAM attaches to a role; leave "secret" out of some tokens \(their secrets are then under keyturn\/prod\/, which needs no more room\), choose shorter names, or divide the file into 3 with an owner each, and about as many bytes of such names$/,
  );
});

test('and where tags take room, it names them', () => {
  expect(() => stackOf(namesOf(300, 90), {}, undefined, { team: 'plant' })).toThrow(
    'choose shorter names, have fewer or shorter tags (their keys stand in every such policy of rotate), or divide the file into',
  );
});

test.each([
  [111, 200],
  [230, 90],
  [300, 90],
  [700, 150],
  [800, 60],
])('%d names of %d characters fit the files into which it says to divide them', (count, length) => {
  const names = namesOf(count, length);
  let files = 0;
  try {
    stackOf(names);
  } catch (error) {
    files = Number(/divide the file into (\d+) /.exec(String(error))?.[1]);
  }
  expect(files).toBeGreaterThan(1);
  for (let file = 0; file < files; file += 1) {
    stackOf(names.filter((_name, index) => index % files === file));
  }
});

test('names under the prefix of the owner need no room, however many they are', () => {
  const [role] = Object.values(rolesIn(stackOf([])));
  const own = namesOf(400, 90).map((name) => `keyturn/prod/${name}`);
  const [more] = Object.values(rolesIn(stackOf(own)));
  expect(more).toEqual(role);
});
