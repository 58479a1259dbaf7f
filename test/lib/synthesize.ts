import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { KeyturnStack, stackId } from '../../lib/keyturn-stack.ts';
import { readPolicyFile } from '../../lib/policy-file.ts';
import type { KeyturnProps } from '../../lib/properties.ts';

/** The flags of cdk.json. Bundles are left out, as the CDK CLI does where it only lists stacks. */
export const CONTEXT = {
  ...JSON.parse(readFileSync('cdk.json', 'utf8')).context,
  'aws:cdk:bundling-stacks': [],
};

export const POLICY = `
owner: prod
cluster: { url: https://influxdb.example.com, managementToken: influxdb/management }
timeZone: Europe/Berlin
schedules: { rotate: cron(0/10 * * * ? *), reap: rate(1 hour) }
tokens:
  telegraf: { permissions: { write: [telemetry] } }
  grafana: { secret: monitoring/grafana, permissions: { read: [telemetry] } }
`;

/** Writes a policy file into a folder and returns its path. */
export function writePolicy(folder: string, text = POLICY, name = 'keyturn.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/**
 * Synthesizes one stack into a folder as `cdk synth` would, but for the bundles.
 * @throws Error with the findings of CloudFormation's rules and cdk-nag, if there are any
 */
export function synthesize(
  folder: string,
  policy: string = POLICY,
  props: Partial<KeyturnProps> = {},
): Template {
  const app = new App({
    outdir: join(folder, 'cdk.out'),
    context: CONTEXT,
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const file = writePolicy(folder, policy);
  return Template.fromStack(
    new KeyturnStack(app, stackId(readPolicyFile(file).policy), { policy: file, ...props }),
  );
}

/** A stack of somebody's app, to import things into. */
export const anotherStack = (folder: string) =>
  new Stack(new App({ outdir: join(folder, 'another') }), 'Another');

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(asText).join('');
  return Array.isArray(attribute) ? `<${attribute.join('.')}>` : `<${String(Ref)}>`;
}

/** What one role may do, as `action on resource`, one line each and sorted. */
export function permissionsOf(template: Template, role: string): string[] {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy'));
  const statements = policies
    .filter(([id]) => id.startsWith(role))
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Statement[]);
  const lines = statements.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => {
      return [Resource].flat().map((resource) => `${action} on ${asText(resource)}`);
    }),
  );
  return lines
    .map((line) =>
      line.replace('<AWS::Partition>', 'aws').replace('<AWS::Region>:<AWS::AccountId>', 'here'),
    )
    .sort();
}

/** What is said of a policy file with this text, without its folder. */
export function mistakeOf(folder: string, text: string): string {
  try {
    readPolicyFile(writePolicy(folder, text));
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  return 'no mistake';
}
