import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { readPolicyFile } from '../../../lib/policy-file.ts';
import { policyJsonSchema } from '../../../lib/policy-schema.ts';
import { mistakeOf, POLICY, writePolicy } from '../../lib/synthesize.ts';
import { DAY } from '../builders.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const withDeployment = (section: object) =>
  `${POLICY}deployment: ${JSON.stringify(section, undefined, 2).replaceAll('\n', '\n  ')}\n`;
const mistakeIn = (section: object) => mistakeOf(folder, withDeployment(section));
const read = (section: object) => readPolicyFile(writePolicy(folder, withDeployment(section)));

const VPC = 'vpc-0123456789abcdef0';
const SUBNETS = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];

test('a file without the section says what is deployed then', () => {
  const { deployment } = readPolicyFile(writePolicy(folder));
  expect(deployment).toEqual({
    terminationProtection: false,
    dashboard: true,
    metrics: 'full',
  });
});

test('what the functions are bundled with is the same, whatever the section says', () => {
  const bare = readPolicyFile(writePolicy(folder)).document;
  expect(read({ alarms: { emails: ['a@example.com'] }, tags: { team: 'plant' } }).document).toEqual(
    bare,
  );
});

test('Regions for replicas are names, some with a key of their own', () => {
  const key = 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const declared = [
    'eu-central-1',
    'us-gov-west-1',
    'eusc-de-east-1',
    { region: 'eu-north-1', encryptionKey: key },
    { region: 'eu-west-2', encryptionKey: 'alias/tokens' },
    { region: 'eu-west-3' },
  ];
  const { policy, deployment } = read({ replicaRegions: declared });
  expect(deployment.replicaRegions).toEqual(declared);
  expect(policy.replicaRegions).toEqual(
    declared.map((place) => (typeof place === 'string' ? { region: place } : place)),
  );
  expect(read({}).policy).not.toHaveProperty('replicaRegions');
  expect(read({ replicaRegions: [] }).policy.replicaRegions).toEqual([]);
});

test.each<[unknown, RegExp]>([
  ['eu-central-1', /deployment\.replicaRegions: found "eu-central-1", expected a list, \[eu-c/],
  [['Frankfurt'], /replicaRegions\[0\]: found "Frankfurt", expected the name of a Region/],
  [['eu-central-1a'], /replicaRegions\[0\]: found "eu-central-1a", expected the name of a Reg/],
  [[42], /replicaRegions\[0\]: found 42, expected the name of a Region/],
  [
    [{}],
    /replicaRegions\[0\]\.region: (?:is missing|found nothing|.*expected the name of a Region)/,
  ],
  [[{ region: 'x' }], /replicaRegions\[0\]\.region: found "x", expected the name of a Region/],
  [[{ region: 'eu-north-1', key: 'x' }], /replicaRegions\[0\]\.key: unknown key/],
  [
    [{ region: 'eu-north-1', encryptionKey: 'alias/aws/secretsmanager' }],
    /replicaRegions\[0\]\.encryptionKey: found .*expected the ARN of a KMS key/,
  ],
  [
    [{ region: 'eu-north-1', encryptionKey: 'arn:aws:kms:eu-west-1:111122223333:key/x' }],
    /replicaRegions\[0\]\.encryptionKey: found .*expected a key of the same Region/,
  ],
  [
    ['eu-north-1', { region: 'eu-north-1' }],
    /deployment\.replicaRegions: found .*expected each Region once/,
  ],
])('Regions for replicas are refused that can have none: %j', (replicaRegions, sentence) => {
  expect(mistakeIn({ replicaRegions })).toMatch(sentence);
});

test('retention is one that CloudWatch offers, in any unit', () => {
  for (const [written, days] of [
    ['90d', 90],
    ['1y', 365],
    ['4w2d', 30],
  ] as const) {
    const { logs } = read({ logs: { retention: written } }).deployment;
    expect(logs?.retention).toBe(days * DAY);
  }
  expect(read({ logs: { retention: 'forever' } }).deployment.logs?.retention).toBe('forever');
});

test('an editor is told of it', () => {
  // zod compiles patterns without the flag for Unicode that JSON Schema asks for.
  const text = JSON.stringify(policyJsonSchema())
    .replaceAll('\\\\p{L}', 'A-Za-z')
    .replaceAll('\\\\p{N}', '0-9');
  const schema = z.fromJSONSchema(JSON.parse(text));
  const judge = (section: object) => schema.safeParse(parse(withDeployment(section))).success;
  expect(judge({ vpc: { id: VPC, subnets: SUBNETS }, logs: { retention: 'forever' } })).toBe(true);
  expect(judge({ vpc: { tags: { Name: 'prod' } }, tags: { team: 'plant' } })).toBe(true);
  expect(judge({ vpc: { id: VPC } })).toBe(false);
  expect(judge({ tags: { 'keyturn:team': 'plant' } })).toBe(false);
  expect(judge({ metrics: 'some' })).toBe(false);
});

describe('a mistake in it names file, line, key, what was found and what was expected:', () => {
  const tags = (count: number, length = 1) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`t${index}`, 'x'.repeat(length)]),
    );

  test.each([
    [
      'a VPC by its id, without its subnets',
      { vpc: { id: VPC } },
      'keyturn.yaml:10: deployment.vpc.subnets: found nothing, expected a list of ids, such as [subnet-0123456789abcdef0]',
    ],
    [
      'a VPC by its id and by its tags',
      { vpc: { id: VPC, tags: { Name: 'prod' }, subnets: SUBNETS } },
      'keyturn.yaml:12: deployment.vpc.tags: found beside id, expected one without the other; take one out',
    ],
    [
      'a VPC by no tags',
      { vpc: { tags: {} } },
      'keyturn.yaml:11: deployment.vpc.tags: found {}, expected the tags of one VPC, {Name: prod}, or its id and subnets in place of them',
    ],
    [
      'neither an id nor tags',
      { vpc: {} },
      /deployment\.vpc\.tags: found nothing, expected the tags of one VPC, {Name: prod}, or its id and subnets in place of them$/,
    ],
    [
      'a subnet without a list',
      { vpc: { id: VPC, subnets: SUBNETS[0] } },
      'keyturn.yaml:12: deployment.vpc.subnets: found "subnet-0123456789abcdef0", expected a list of ids, such as [subnet-0123456789abcdef0]',
    ],
    [
      'a name in place of an id',
      { vpc: { id: 'prod', subnets: SUBNETS } },
      'keyturn.yaml:11: deployment.vpc.id: found "prod", expected the id of a VPC, vpc-0123456789abcdef0',
    ],
    [
      'six security groups, of which Lambda takes five',
      { vpc: { id: VPC, subnets: SUBNETS, securityGroups: Array(6).fill('sg-0123456789abcdef0') } },
      /^keyturn\.yaml:16: deployment\.vpc\.securityGroups: found \[.*expected at most 5, which is what Lambda takes$/,
    ],
    [
      'a subnet twice',
      { vpc: { id: VPC, subnets: [...SUBNETS, ...SUBNETS] } },
      /deployment\.vpc\.subnets: found .*, expected each id once$/,
    ],
    [
      'a topic by its name',
      { alarms: { topic: 'on-call' } },
      'keyturn.yaml:11: deployment.alarms.topic: found "on-call", expected the ARN of an SNS topic, arn:aws:sns:eu-west-1:111122223333:on-call, which is not FIFO',
    ],
    [
      'a FIFO topic',
      { alarms: { topic: 'arn:aws:sns:eu-west-1:111122223333:on-call.fifo' } },
      /deployment\.alarms\.topic: found .*which is not FIFO$/,
    ],
    [
      'an address that is none',
      { alarms: { emails: ['on-call'] } },
      'keyturn.yaml:12: deployment.alarms.emails[0]: found "on-call", expected an e-mail address, on-call@example.com',
    ],
    [
      'one address without a list',
      { alarms: { emails: 'on-call@example.com' } },
      'keyturn.yaml:11: deployment.alarms.emails: found "on-call@example.com", expected a list, [on-call@example.com]',
    ],
    [
      'a retention that CloudWatch does not offer',
      { logs: { retention: '100d' } },
      'keyturn.yaml:11: deployment.logs.retention: found "100d", expected a retention that CloudWatch Logs offers, of which 90d is the nearest',
    ],
    [
      'ten years, which have two days less than CloudWatch thinks',
      { logs: { retention: '10y' } },
      /of which 3653d is the nearest$/,
    ],
    [
      'no length of time',
      { logs: { retention: 90 } },
      /deployment\.logs\.retention: found 90, expected .*a duration such as 30d/,
    ],
    [
      'an alias of a key, which CloudWatch Logs does not take',
      { logs: { key: 'alias/logs' } },
      'keyturn.yaml:11: deployment.logs.key: found "alias/logs", expected the ARN of a KMS key, arn:aws:kms:eu-west-1:111122223333:key/<id>',
    ],
    [
      'the ARN of a role',
      { permissionsBoundary: 'arn:aws:iam::111122223333:role/developers' },
      /deployment\.permissionsBoundary: found .*expected the name of a managed policy of this account without "policy\/", or its ARN$/,
    ],
    [
      'the end of the ARN of a managed policy',
      { permissionsBoundary: 'policy/developers' },
      /deployment\.permissionsBoundary: found .*without "policy\/", or its ARN$/,
    ],
    [
      "a policy of AWS's own by its name, by which CDK would look for it in the account",
      { permissionsBoundary: 'PowerUserAccess' },
      'keyturn.yaml:10: deployment.permissionsBoundary: found "PowerUserAccess", expected the ARN of a policy of AWS, arn:aws:iam::aws:policy/PowerUserAccess, or of yours, arn:aws:iam::111122223333:policy/PowerUserAccess: by its name alone it would be one of this account, which AWS has none of',
    ],
    [
      'what is no id of a key',
      { logs: { key: `arn:aws:kms:eu-west-1:111122223333:key/${'-'.repeat(36)}` } },
      /deployment\.logs\.key: found .*expected the ARN of a KMS key/,
    ],
    [
      "a tag of AWS's own",
      { tags: { 'aws:team': 'x' } },
      'keyturn.yaml:11: deployment.tags.aws:team: found this name, expected at most 128 letters, digits, spaces and "_.:/=+-@", and neither "aws:" nor "keyturn:" in front',
    ],
    ['a tag of Keyturn', { tags: { 'Keyturn:owner': 'x' } }, /Keyturn:owner: found this name/],
    ['a key that is too long', { tags: { ['k'.repeat(129)]: 'x' } }, /: found this name/],
    [
      'a value with a character that IAM does not take',
      { tags: { team: 'a&b' } },
      'keyturn.yaml:11: deployment.tags.team: found "a&b", expected a text of 1 to 256 letters, digits, spaces and "_.:/=+-@"',
    ],
    [
      'a number',
      { tags: { 'cost-center': 1234 } },
      'keyturn.yaml:11: deployment.tags.cost-center: found 1234, expected a text of 1 to 256 letters, digits, spaces and "_.:/=+-@"; write it in quotes, as the file has it, such as "1234"',
    ],
    ['a value that is too long', { tags: { team: 'x'.repeat(257) } }, /1 to 256 letters/],
    ['a value that CloudWatch does not take', { tags: { team: '' } }, /1 to 256 letters/],
    [
      'more tags than a secret has room for',
      { tags: tags(46) },
      /^keyturn\.yaml:10: deployment\.tags: found .*expected at most 44 tags, because Secrets Manager takes 50 and Keyturn sets some itself$/,
    ],
    [
      'more text than the environment of a function has room for',
      { tags: tags(9, 240) },
      /deployment\.tags: found .*expected tags of at most 2,048 bytes as JSON/,
    ],
    [
      'two keys that IAM takes for one',
      { tags: { Team: 'x', team: 'y' } },
      /deployment\.tags: found .*expected keys that differ in more than capital letters/,
    ],
    [
      'less memory than is tested',
      { memory: 128 },
      /deployment\.memory: found 128, expected at least 512/,
    ],
    [
      'a text for a number',
      { memory: '1 GB' },
      /deployment\.memory: found "1 GB", expected a whole number/,
    ],
    [
      'metrics that nobody can say',
      { metrics: 'some' },
      /deployment\.metrics: found "some", expected "full" or "alarms" or "none"$/,
    ],
    ['no run at all', { reservedConcurrency: 0 }, /found 0, expected at least 1$/],
    [
      'a misspelt key',
      { terminationprotection: true },
      /deployment\.terminationprotection: unknown key; did you mean "terminationProtection"\?$/,
    ],
  ])('%s', (_what, section, expected) => {
    const mistake = mistakeIn(section);
    if (typeof expected === 'string') expect(mistake).toBe(expected);
    else expect(mistake).toMatch(expected);
  });

  const ADDRESS = 'expected an e-mail address, on-call@example.com';

  test.each(['mailto:a@b.cc', 'a@b..c', '<script>@b.c', 'a@b', '.a@b.cc', 'a..b@c.dd'])(
    'an address such as %s',
    (address) => {
      expect(mistakeIn({ alarms: { emails: [address] } })).toContain(`"${address}", ${ADDRESS}`);
    },
  );

  test.each(['a+b@c-d.example', "o'neil@example.com", 'jörg@müller.example', 'a.b@c.d.ee'])(
    'but not %s',
    (address) => {
      expect(mistakeIn({ alarms: { emails: [address] } })).toBe('no mistake');
    },
  );

  test('nothing in it', () => {
    expect(mistakeOf(folder, `${POLICY}deployment:\n`)).toBe(
      'keyturn.yaml:9: deployment: found nothing, expected a mapping; or leave the key out',
    );
  });

  test('the section itself', () => {
    expect(mistakeOf(folder, `${POLICY}deploiment: {}\n`)).toMatch(/did you mean "deployment"\?$/);
  });

  test('what belongs there and stands at the top', () => {
    expect(mistakeOf(folder, `${POLICY}permissionsBoundary: x\n`)).toMatch(
      /permissionsBoundary: unknown key; it belongs under deployment$/,
    );
  });
});
