import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Alias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';
import { writePolicy } from '../lib/synthesize.ts';
import { JOBS, type Job } from '../world/jobs.ts';
import { policyWith, writer } from '../world/policy.ts';
import { isAllowed } from './evaluate.ts';
import { ACCOUNT, REGION, type Roles, rolesIn, statementsOf } from './roles.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const WRITERS: readonly Job[] = ['rotate', 'revoke', 'secrets-manager-rotation'];
const keyArn = (id: string) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
const IMPORTED = keyArn('1234abcd-12ab-34cd-56ef-1234567890ab');
const secretArn = (name: string) =>
  `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`;
const ADOPTED = { tokenId: '11111111-1111-4111-8111-111111111111' };

const CLUSTER = { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' };

const documentOf = (more: object = {}, cluster: object = {}) => ({
  ...policyWith(
    {
      telegraf: writer,
      grafana: { ...writer, secret: 'monitoring/grafana' },
      legacy: { ...writer, adopt: ADOPTED },
    },
    more,
  ),
  cluster: { ...CLUSTER, ...cluster },
});

interface Keys {
  readonly encryptionKey?: IKey;
  readonly managementTokenKey?: IKey;
}

/** The construct in an app of somebody's own, which makes or imports its keys. */
function rolesWith(makeKeys: (stack: Stack) => Keys, document: object = documentOf()): Roles {
  const own = mkdtempSync(join(folder, 'app-'));
  const app = new App({
    outdir: join(own, 'cdk.out'),
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  const stack = new Stack(app, 'Mine');
  const policy = writePolicy(own, JSON.stringify(document));
  new Keyturn(stack, 'Keyturn', { policy, ...makeKeys(stack) });
  return rolesIn(Template.fromStack(stack));
}

const THROUGH = { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` };

/** The jobs that may use a key so, as Secrets Manager asks KMS for them. */
const usersOf = (
  roles: Roles,
  action: string,
  resource: string,
  { name = 'keyturn/prod/telegraf', ...context }: Record<string, string | string[]> = {},
) =>
  JOBS.filter((job) =>
    isAllowed(roles.get(job) ?? [], {
      action: `kms:${action}`,
      resource,
      context: {
        ...THROUGH,
        'kms:EncryptionContext:SecretARN': secretArn(String(name)),
        ...context,
      },
    }),
  );

interface Kind {
  readonly title: string;
  readonly key: (stack: Stack, id: string) => IKey;
  /** The key as the template names it, and the aliases that it bears. */
  readonly arn: RegExp | string;
  readonly aliases?: string[];
}

const KINDS: readonly Kind[] = [
  { title: 'made by the app', key: (stack, id) => new Key(stack, id), arn: '<Key' },
  {
    title: 'an alias made by the app',
    key: (stack, id) =>
      new Alias(stack, `${id}Alias`, {
        aliasName: `alias/${id}`,
        targetKey: new Key(stack, id),
      }),
    arn: '<Key',
  },
  {
    title: 'an alias added to a key',
    key: (stack, id) => new Key(stack, id).addAlias(`alias/${id}`) as IKey,
    arn: '<Key',
  },
  {
    title: 'imported by its ARN',
    key: (stack, id) => Key.fromKeyArn(stack, id, IMPORTED),
    arn: IMPORTED,
  },
  {
    title: 'imported by the name of an alias',
    key: (stack, id) => Alias.fromAliasName(stack, id, 'alias/tokens') as IKey,
    arn: IMPORTED,
    aliases: ['alias/tokens'],
  },
  {
    title: 'an alias imported with its key',
    key: (stack, id) =>
      Alias.fromAliasAttributes(stack, id, {
        aliasName: 'alias/tokens',
        aliasTargetKey: Key.fromKeyArn(stack, `${id}Target`, IMPORTED),
      }) as IKey,
    arn: IMPORTED,
  },
];

describe.each(KINDS)('a key that is $title', ({ key, arn, aliases }) => {
  let roles: Roles;
  let resource: string;
  beforeAll(() => {
    let made: Stack | undefined;
    roles = rolesWith((stack) => {
      made = stack;
      return { encryptionKey: key(stack, 'Key') };
    });
    const [id = ''] = Object.keys(
      made ? Template.fromStack(made).findResources('AWS::KMS::Key') : {},
    );
    resource = String(arn).startsWith('<') ? `<${id}.Arn>` : String(arn);
  }, 120_000);

  test('encrypts the secrets of those who write them, through Secrets Manager and nobody else', () => {
    const bears = { 'kms:ResourceAliases': aliases ?? [] };
    for (const action of ['Decrypt', 'GenerateDataKey']) {
      expect(usersOf(roles, action, resource, bears)).toEqual(WRITERS);
      const elsewhere = { ...bears, 'kms:ViaService': `s3.${REGION}.amazonaws.com` };
      expect(usersOf(roles, action, resource, elsewhere)).toEqual([]);
    }
  });

  test('and no other key of the account opens what is no secret of the policy', () => {
    const other = { name: 'influxdb/management', 'kms:ResourceAliases': ['alias/other'] };
    expect(usersOf(roles, 'Decrypt', keyArn('other'), other)).toEqual([]);
    expect(usersOf(roles, 'Encrypt', resource)).toEqual([]);
  });

  test('and a secret that is still under the key named before is read and written as it was', () => {
    for (const action of ['Decrypt', 'GenerateDataKey']) {
      expect(usersOf(roles, action, keyArn('former'))).toEqual(WRITERS);
      const elsewhere = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };
      expect(usersOf(roles, action, keyArn('former'), elsewhere)).toEqual([]);
    }
  });
});

describe('secrets under keys that the policy does not name', () => {
  let roles: Roles;
  beforeAll(() => {
    roles = rolesWith(() => ({}));
  }, 120_000);

  test.each([
    'monitoring/grafana',
    'keyturn/prod/legacy',
    'keyturn/prod/telegraf',
    'keyturn/prod/of-a-removed-entry',
  ])('%s is read and written', (name) => {
    for (const action of ['Decrypt', 'GenerateDataKey']) {
      expect(usersOf(roles, action, keyArn('theirs'), { name })).toEqual(WRITERS);
    }
  });

  test('their keys open no other secret, and none to who does not ask through Secrets Manager', () => {
    for (const name of [
      'keyturn/production/telegraf',
      'monitoring/grafana/admin',
      'influxdb/management',
    ]) {
      expect(usersOf(roles, 'Decrypt', keyArn('theirs'), { name })).toEqual([]);
    }
    const name = 'monitoring/grafana';
    expect(usersOf(roles, 'Decrypt', keyArn('theirs'), { name, 'kms:ViaService': '' })).toEqual([]);
  });
});

describe.each([
  ['a key of the app', (stack: Stack) => ({ encryptionKey: new Key(stack, 'Key') })],
  ['no key', () => ({})],
])('a consumer, where the policy names %s', (_what, makeKeys) => {
  let may: (resource: string, context?: Record<string, string>, action?: string) => boolean;
  beforeAll(() => {
    const own = mkdtempSync(join(folder, 'app-'));
    const app = new App({
      outdir: join(own, 'cdk.out'),
      context: { 'aws:cdk:bundling-stacks': [] },
    });
    const stack = new Stack(app, 'Mine');
    const policy = writePolicy(own, JSON.stringify(documentOf()));
    const keyturn = new Keyturn(stack, 'Keyturn', { policy, ...makeKeys(stack) });
    const consumer = new Role(stack, 'Consumer', { assumedBy: new AccountRootPrincipal() });
    keyturn.grantRead('telegraf', consumer).assertSuccess();
    const statements = statementsOf(Template.fromStack(stack), 'Consumer');
    may = (resource, context = {}, action = 'kms:Decrypt') =>
      isAllowed(statements, {
        action,
        resource,
        context: {
          ...THROUGH,
          'kms:EncryptionContext:SecretARN': secretArn('keyturn/prod/telegraf'),
          ...context,
        },
      });
  }, 120_000);

  test('goes on reading its secret under a key that was named before', () => {
    expect(may(keyArn('former'))).toBe(true);
  });

  test('reads no other secret by it, and does nothing else with that key', () => {
    const other = { 'kms:EncryptionContext:SecretARN': secretArn('keyturn/prod/telegraf-2') };
    expect(may(keyArn('former'), other)).toBe(false);
    expect(may(keyArn('former'), { 'kms:ViaService': `s3.${REGION}.amazonaws.com` })).toBe(false);
    expect(may(keyArn('former'), {}, 'kms:GenerateDataKey')).toBe(false);
    expect(may(`arn:aws:kms:${REGION}:999922223333:key/former`)).toBe(false);
  });
});

describe("the management token's key", () => {
  const name = 'influxdb/management';

  test('is said in the policy file, as ARN or alias', () => {
    const byArn = rolesWith(() => ({}), documentOf({}, { managementTokenKey: IMPORTED }));
    expect(usersOf(byArn, 'Decrypt', IMPORTED, { name })).toEqual(JOBS);
    expect(usersOf(byArn, 'GenerateDataKey', IMPORTED, { name })).toEqual([]);
    expect(usersOf(byArn, 'Decrypt', keyArn('other'), { name })).toEqual([]);
    const byAlias = rolesWith(() => ({}), documentOf({}, { managementTokenKey: 'alias/influx' }));
    const bears = { name, 'kms:ResourceAliases': ['alias/influx'] };
    expect(usersOf(byAlias, 'Decrypt', keyArn('any'), bears)).toEqual(JOBS);
    expect(usersOf(byAlias, 'Decrypt', keyArn('any'), { name })).toEqual([]);
  }, 120_000);

  test('of another account is said as the ARN of its alias, and no key of this account is opened', () => {
    const theirs = `arn:aws:kms:${REGION}:444455556666`;
    const cluster = {
      managementToken: `arn:aws:secretsmanager:${REGION}:444455556666:secret:influxdb/management-AbCdEf`,
      managementTokenKey: `${theirs}:alias/influx`,
    };
    const roles = rolesWith(() => ({}), documentOf({}, cluster));
    const bears = { name, 'kms:ResourceAliases': ['alias/influx'] };
    expect(usersOf(roles, 'Decrypt', `${theirs}:key/any`, bears)).toEqual(JOBS);
    expect(usersOf(roles, 'Decrypt', keyArn('any'), bears)).toEqual([]);
  }, 120_000);

  test('given by the app as an alias of another account is a key of that account', () => {
    const roles = rolesWith(({ node }) => {
      const env = { account: '444455556666', region: REGION };
      const theirs = new Stack(node.root, 'Theirs', { env });
      return { managementTokenKey: Alias.fromAliasName(theirs, 'Alias', 'alias/influx') as IKey };
    });
    const bears = { name, 'kms:ResourceAliases': ['alias/influx'] };
    const theirs = `arn:aws:kms:${REGION}:444455556666:key/any`;
    expect(usersOf(roles, 'Decrypt', theirs, bears)).toEqual(JOBS);
    expect(usersOf(roles, 'Decrypt', keyArn('any'), bears)).toEqual([]);
  }, 120_000);

  test('given by the app as an alias is the key that bears it', () => {
    const roles = rolesWith((stack) => ({
      managementTokenKey: Alias.fromAliasName(stack, 'Alias', 'alias/influx') as IKey,
    }));
    const bears = { name, 'kms:ResourceAliases': ['alias/influx'] };
    expect(usersOf(roles, 'Decrypt', keyArn('any'), bears)).toEqual(JOBS);
  }, 120_000);
});

describe('a text that names no key, or no single one, is refused with what to write:', () => {
  const mistakeIn = (more: object, cluster: object = {}) => {
    try {
      readPolicyFile(writePolicy(folder, JSON.stringify(documentOf(more, cluster))));
    } catch (error) {
      return (error as Error).message;
    }
    return 'no mistake';
  };
  const ARN = 'arn:aws:kms:eu-west-1:111122223333:key';

  test.each([
    '*',
    'keyturn',
    'alias/*',
    'alias/',
    'arn:aws:s3:::bucket',
    `${ARN}/*`,
    'arn:aws:kms:*:*:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:eu-west-1:111122223333:alias/*',
    `\${Key}`,
    'alias/büro',
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'mrk-1234abcd12ab34cd56ef1234567890ab',
    // Of an AWS service, which no other service may use.
    'alias/aws/s3',
  ])('%s', (text) => {
    expect(mistakeIn({ encryptionKey: text })).toMatch(
      /: encryptionKey: found .*, expected the ARN of a KMS key \(arn:aws:kms:eu-west-1:111122223333:key\/<id>\) or an alias such as alias\/tokens; leave it out/,
    );
    expect(mistakeIn({}, { managementTokenKey: text })).toMatch(/: cluster\.managementTokenKey: /);
  });

  test.each([
    `${ARN}/1234abcd-12ab-34cd-56ef-1234567890ab`,
    'arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab',
    'alias/team/tokens',
    'arn:aws:kms:eu-west-1:111122223333:alias/team/tokens',
  ])('but not %s', (text) => {
    expect(mistakeIn({ encryptionKey: text })).toBe('no mistake');
  });

  const synthesizedIn = (
    env: object,
    more: object,
    cluster: object = {},
    makeKeys: (stack: Stack) => Keys = () => ({}),
  ) => {
    const policy = writePolicy(folder, JSON.stringify(documentOf(more, cluster)));
    const app = new App({
      outdir: join(folder, 'elsewhere'),
      context: { 'aws:cdk:bundling-stacks': [] },
    });
    return () => {
      const stack = new Stack(app, 'Mine', { env });
      new Keyturn(stack, 'Keyturn', { policy, ...makeKeys(stack) });
    };
  };

  test('a key of another account or Region than the stack is deployed to', () => {
    const encryptionKey = `${ARN}/of-another`;
    for (const env of [
      { account: '444455556666', region: 'eu-west-1' },
      { account: '111122223333', region: 'us-east-1' },
    ]) {
      const here = `arn:aws:kms:${env.region}:${env.account}:key/of-another`;
      expect(synthesizedIn(env, { encryptionKey })).toThrow(
        `keyturn.yaml: encryptionKey: found "${encryptionKey}", expected a key of this stack's account and Region`,
      );
      expect(synthesizedIn(env, { encryptionKey })).toThrow(`write a key such as ${here}`);
    }
  });

  test.each([
    {
      title: 'imported',
      key: (stack: Stack) => Key.fromKeyArn(stack, 'Key', `${ARN}/of-another`),
      found: `${ARN}/of-another`,
    },
    {
      title: 'imported with an alias',
      key: (stack: Stack) =>
        Alias.fromAliasAttributes(stack, 'Alias', {
          aliasName: 'alias/tokens',
          aliasTargetKey: Key.fromKeyArn(stack, 'Key', `${ARN}/of-another`),
        }) as IKey,
      found: `${ARN}/of-another`,
    },
    {
      title: 'imported as an alias into another stack',
      key: ({ node }: Stack) => {
        const env = { account: '111122223333', region: 'eu-west-1' };
        const theirs = new Stack(node.root, 'Theirs', { env });
        return Alias.fromAliasName(theirs, 'Alias', 'alias/tokens') as IKey;
      },
      found: 'arn:aws:kms:eu-west-1:111122223333:alias/tokens',
    },
    {
      title: 'made by another stack of the app',
      key: ({ node }: Stack) => {
        const env = { account: '111122223333', region: 'eu-west-1' };
        return new Key(new Stack(node.root, 'Theirs', { env }), 'Key');
      },
      found: `${ARN}/<id>`,
    },
  ])('also where the app gives it, $title', ({ key, found }) => {
    for (const name of ['encryptionKey', 'managementTokenKey']) {
      for (const env of [
        { account: '444455556666', region: 'eu-west-1' },
        { account: '111122223333', region: 'us-east-1' },
      ]) {
        const here = found.replace('eu-west-1:111122223333', `${env.region}:${env.account}`);
        const given = (stack: Stack) => ({ [name]: key(stack) });
        expect(synthesizedIn(env, {}, {}, given)).toThrow(
          `Keyturn's property ${name}: found "${found}", expected a key of this stack's account and Region, because Secrets Manager uses no key of another Region, and one of another account lets that account read; write a key such as ${here}`,
        );
      }
      const env = { account: '111122223333', region: 'eu-west-1' };
      expect(synthesizedIn(env, {}, {}, (stack) => ({ [name]: key(stack) }))).not.toThrow();
      expect(synthesizedIn({}, {}, {}, (stack) => ({ [name]: key(stack) }))).not.toThrow();
    }
  });

  const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:influxdb/management-AbCdEf';
  const BUS = 'arn:aws:events:eu-west-1:111122223333:event-bus/audit';

  test('a secret or a bus of another Region than the stack is deployed to', () => {
    const env = { account: '111122223333', region: 'us-east-1' };
    expect(synthesizedIn(env, {}, { managementToken: SECRET })).toThrow(
      `keyturn.yaml: cluster.managementToken: found "${SECRET}", expected a secret of this stack's Region, in which alone the functions read; write one such as ${SECRET.replace('eu-west-1', 'us-east-1')}`,
    );
    expect(synthesizedIn(env, { eventBus: BUS })).toThrow(
      `keyturn.yaml: eventBus: found "${BUS}", expected a bus of this stack's Region`,
    );
  });

  test('but neither of another account, which may let our roles use them', () => {
    const env = { account: '444455556666', region: 'eu-west-1' };
    const cluster = { managementToken: SECRET, managementTokenKey: `${ARN}/of-another` };
    expect(synthesizedIn(env, { eventBus: BUS }, cluster)).not.toThrow();
  });

  const OTHERS = { account: '444455556666', region: 'eu-west-1' };

  test("and the management token's secret of another account may be under a key of that one", () => {
    const key = `${ARN}/of-another`;
    const withKey = { managementToken: SECRET, managementTokenKey: key };
    expect(synthesizedIn(OTHERS, {}, withKey)).not.toThrow();
    const given = (stack: Stack) => ({ managementTokenKey: Key.fromKeyArn(stack, 'Key', key) });
    expect(synthesizedIn(OTHERS, {}, { managementToken: SECRET }, given)).not.toThrow();
  });

  test("as under a key of this stack's account, which may let that one encrypt with it", () => {
    const own = 'arn:aws:kms:eu-west-1:444455556666:key/own';
    const withKey = { managementToken: SECRET, managementTokenKey: own };
    expect(synthesizedIn(OTHERS, {}, withKey)).not.toThrow();
  });

  const SHARED = `the ARN of the key of that account which cluster.managementToken is under: no account shares a secret under AWS's own key, and an alias by its name is one of this stack's account; write a key such as ${ARN}/<id>`;

  test.each([
    ['no key at all', undefined, 'nothing'],
    ['an alias by its name', 'alias/influx', '"alias/influx"'],
    [
      "an alias of this stack's account",
      'arn:aws:kms:eu-west-1:444455556666:alias/influx',
      '"arn:aws:kms:eu-west-1:444455556666:alias/influx"',
    ],
  ])('or under %s, which would open nothing', (_what, managementTokenKey, found) => {
    expect(synthesizedIn(OTHERS, {}, { managementToken: SECRET, managementTokenKey })).toThrow(
      `keyturn.yaml: cluster.managementTokenKey: found ${found}, expected ${SHARED}`,
    );
    const unknown = { managementToken: SECRET, managementTokenKey };
    expect(synthesizedIn({}, {}, unknown)).not.toThrow();
  });

  test('also as an alias that the app imports into this stack, by its name', () => {
    const given = (stack: Stack) => ({
      managementTokenKey: Alias.fromAliasName(stack, 'Alias', 'alias/influx') as IKey,
    });
    const cluster = { managementToken: SECRET, managementTokenKey: `${ARN}/not-used` };
    expect(synthesizedIn(OTHERS, {}, cluster, given)).toThrow(
      `Keyturn's property managementTokenKey: found "arn:aws:kms:eu-west-1:444455556666:alias/influx", expected ${SHARED}`,
    );
  });

  test('but as one that it imports into a stack of that account', () => {
    const given = ({ node }: Stack) => {
      const env = { account: '111122223333', region: 'eu-west-1' };
      const theirs = new Stack(node.root, 'Theirs', { env });
      return { managementTokenKey: Alias.fromAliasName(theirs, 'Alias', 'alias/influx') as IKey };
    };
    expect(synthesizedIn(OTHERS, {}, { managementToken: SECRET }, given)).not.toThrow();
  });

  test('but of the same Region', () => {
    const managementTokenKey = `${ARN.replace('eu-west-1', 'us-east-1')}/of-another`;
    expect(synthesizedIn(OTHERS, {}, { managementToken: SECRET, managementTokenKey })).toThrow(
      `keyturn.yaml: cluster.managementTokenKey: found "${managementTokenKey}", expected a key of this stack's Region, because Secrets Manager uses no key of another; write a key such as ${ARN}/of-another`,
    );
  });
});
