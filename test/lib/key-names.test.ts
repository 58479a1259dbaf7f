import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Alias, type CfnAlias, Key } from 'aws-cdk-lib/aws-kms';
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
