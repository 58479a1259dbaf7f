import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { keyturn, temporaryFolder } from '../bin/cli.ts';

const BEGINNING = `# The stock app, in a private network

What the app of a clone makes of a policy file that names a VPC and somebody who is told of alarms, without an AWS account.
\`npx vitest run test/docs/stock-app-transcript.test.ts -u\` writes this page, and the test fails where a template has another number of resources of a type, or another network, recipient or hash than it shows. The same in an app of your own:
[the package](package-transcript.md). What the section says: [deployment](deployment.md).
`;

const POLICY = `owner: prod
cluster:
  url: https://influxdb.example.com
  managementToken: influxdb/management
tokens:
  telegraf:
    permissions: { read: [telemetry], write: [telemetry] }
deployment:
  vpc: { id: vpc-0123456789abcdef0, subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1] }
  alarms: { emails: [on-call@example.com] }
`;

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: as the template has it
  readonly Properties: any;
}
interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

const indented = (text: string) => text.replace(/^(?=.)/gm, '    ');
const block = (language: string, text: string) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;
const shown = (value: unknown) => block('json', JSON.stringify(value, undefined, 2));

/** Each type, and how many there are. */
function tableOf(resources: readonly Resource[]): string {
  const byType = Map.groupBy(resources, ({ Type }) => Type);
  const rows = [...byType].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    '| type | how many |',
    '|---|---|',
    ...rows.map(([type, all]) => `| \`${type}\` | ${all.length} |`),
  ]
    .join('\n')
    .concat('\n');
}

it('is as the page says, from the policy file to the template', { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'keyturn.yaml');
  writeFileSync(file, POLICY);
  const validated = await keyturn(['validate'], { env: { KEYTURN_POLICY: file } });
  expect(validated).toMatchObject({ code: 0, stderr: '' });

  const output = join(folder, 'cdk.out');
  const { status, stdout, stderr } = spawnSync(
    'node_modules/.bin/cdk',
    ['synth', '--quiet', '--output', output],
    {
      env: {
        // cdk.json has npx start the app.
        PATH: [dirname(process.execPath), process.env.PATH].join(':'),
        HOME: folder,
        KEYTURN_POLICY: file,
        CDK_DISABLE_VERSION_CHECK: 'true',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      encoding: 'utf8',
    },
  );
  expect(status, stderr).toBe(0);
  const withoutPlaces = (text: string) =>
    text.replaceAll(file, basename(file)).replaceAll(folder, '…').trimEnd().concat('\n');

  const { Resources }: Template = JSON.parse(
    readFileSync(join(output, 'Keyturn-prod.template.json'), 'utf8'),
  );
  const all = Object.values(Resources);
  const of = (type: string) =>
    all.filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
  const [rotate] = of('AWS::Lambda::Function').filter(
    ({ FunctionName }) => FunctionName === 'keyturn-prod-rotate',
  );
  const [subscription] = of('AWS::SNS::Subscription');
  const group = of('AWS::EC2::SecurityGroup');
  for (const { VpcConfig } of of('AWS::Lambda::Function'))
    expect(VpcConfig).toEqual(rotate.VpcConfig);
  const alarms = of('AWS::CloudWatch::Alarm');
  const told = [subscription.TopicArn];
  for (const { AlarmActions, OKActions } of alarms) {
    expect([AlarmActions, OKActions]).toEqual([told, told]);
  }
  expect(group).toHaveLength(1);

  const page = [
    BEGINNING,
    '`keyturn.yaml`, at the top of a clone in which `npm ci` was run:\n',
    block('yaml', POLICY),
    indented(`$ npx --no keyturn validate\n${withoutPlaces(validated.stdout)}`),
    indented(`$ npx cdk synth --quiet\n${withoutPlaces(stdout + stderr)}`),
    `The template has ${all.length} resources:\n`,
    tableOf(all),
    `**In the network.** All ${of('AWS::Lambda::Function').length} functions have the same \`VpcConfig\`, in the subnets of the policy, behind one security group:\n`,
    shown(rotate.VpcConfig),
    'that lets nobody in, and lets the functions out to whatever the network reaches:\n',
    shown({
      SecurityGroupIngress: group[0].SecurityGroupIngress ?? [],
      SecurityGroupEgress: group[0].SecurityGroupEgress,
    }),
    `**Told of alarms.** Each of the ${alarms.length} alarms tells one topic when it rings and when it is over (\`AlarmActions\`, \`OKActions\`), and that has one subscription, which waits until the person at this address confirms it:\n`,
    shown(subscription),
    `What the [section](deployment.md) says is in no function's code; \`rotate\` alone has hashes of it, by which \`keyturn\` says whether it is deployed:\n`,
    shown({ KEYTURN_DEPLOYMENT: rotate.Environment.Variables.KEYTURN_DEPLOYMENT }),
  ];
  await expect(page.join('\n')).toMatchFileSnapshot('../../docs/stock-app-transcript.md');
});
