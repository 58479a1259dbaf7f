import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseRevokeRequest } from '../../../functions/revocation/request.ts';
import { TELEGRAF } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';
import { openIssued } from './issued.ts';

const fingerprintOf = (string: string) =>
  createHash('sha256').update(string).digest('hex').slice(0, 16);

type State = Readonly<Record<string, unknown>> & {
  readonly Resource: string;
  readonly Parameters: Readonly<Record<string, unknown>>;
  readonly Next: string;
};

const template = parse(
  readFileSync('examples/leak-scanner/template.yaml', 'utf8').replaceAll(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
    '${Owner}',
    'prod',
  ),
  { logLevel: 'error' },
).Resources;
const { States, StartAt } = template.Look.Properties.Definition;

/** `$.a.b` of the state machine's data. */
const at = (data: object, path: string): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce<unknown>((value, key) => Reflect.get(Object(value), key), data);

/** Fills in the keys that end in `.$`, as Step Functions does for the paths and functions that the example has. */
function filled(parameters: object, data: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => {
      if (typeof value === 'object' && value !== null) return [key, filled(value, data)];
      if (!key.endsWith('.$')) return [key, value];
      return [key.slice(0, -2), evaluated(String(value), data)];
    }),
  );
}

function evaluated(expression: string, data: object): unknown {
  const call = /^States\.(Format|JsonToString)\(([\s\S]*)\)$/.exec(expression);
  if (!call) return at(data, expression);
  const [, name, inside = ''] = call;
  if (name === 'JsonToString') return JSON.stringify(at(data, inside));
  const [, text = '', rest = ''] = /^'([^']*)',\s*([\s\S]*)$/.exec(inside) ?? [];
  const values = rest.split(/,\s*/).map((each) => String(evaluated(each, data)));
  expect(text.split('{}')).toHaveLength(values.length + 1);
  return text
    .split('{}')
    .map((part, index) => `${part}${values[index] ?? ''}`)
    .join('');
}

/** What the rule hands on of an event, and what the state machine tells people then. */
async function told(world: World, detail: object): Promise<string> {
  const { InputPathsMap, InputTemplate } = template.Found.Properties.Targets[0].InputTransformer;
  const fingerprint = JSON.stringify(at({ detail }, InputPathsMap.fingerprint));
  const data = JSON.parse(InputTemplate.replace('<fingerprint>', fingerprint));
  const first: State = States[StartAt];
  const { FunctionName, Payload } = filled(first.Parameters, data);
  expect(FunctionName).toBe('keyturn-prod-revoke');
  const { result, error } = await world.revoke(Payload as object);
  const failed = error && { Error: error.errorType, Cause: JSON.stringify(error) };
  const state: State = States[failed ? 'TellFailure' : first.Next];
  expect(state.Resource).toBe('arn:aws:states:::sns:publish');
  return String(filled(state.Parameters, { ...data, answer: result, failed }).Message);
}

let world: World;
beforeAll(async () => {
  world = await openIssued();
});
afterAll(() => world.close());

test('a scanner’s event becomes a dry run, and a person is told whose the string is', async () => {
  const before = [world.tokens(), world.labels(TELEGRAF), world.events()];
  const string = world.string(TELEGRAF);
  const said = await told(world, { fingerprint: fingerprintOf(string), where: string });
  expect(said).toContain(fingerprintOf(string));
  expect(said).toContain(world.holders(TELEGRAF).AWSCURRENT);
  expect(said).toContain('"token":"telegraf"');
  expect(said).toContain('"kind":"replace"');
  expect(said).not.toContain(string);
  expect([world.tokens(), world.labels(TELEGRAF), world.events()]).toEqual(before);
});

test('a person is told of the candidates for a string that nobody knows', async () => {
  const permissions = [{ action: 'read', resource: 'logs' }];
  const minted = await world.people.mint({ description: 'a notebook', permissions });
  const said = await told(world, { fingerprint: fingerprintOf(minted.accessToken) });
  expect(said).toMatch(new RegExp(`"candidates":\\[\\{"tokenId":"${minted.id}"`));
});

test('a scanner that sends the string in place of its fingerprint spreads it no further', async () => {
  const string = world.string(TELEGRAF);
  const said = await told(world, { fingerprint: string });
  expect(said).toContain('RequestError');
  expect(JSON.stringify([said, world.lines(), world.events()])).not.toContain(string);
});

test('the example may invoke that one function and tell its own topic, and nothing else', () => {
  const statements = ['LookRole', 'RuleRole'].flatMap((role) =>
    template[role].Properties.Policies.flatMap(
      (policy: { PolicyDocument: { Statement: object[] } }) => policy.PolicyDocument.Statement,
    ),
  );
  expect(statements.map(({ Action }) => Action)).toEqual([
    'lambda:InvokeFunction',
    'sns:Publish',
    'states:StartExecution',
  ]);
  expect(statements[0].Resource).toMatch(/:function:keyturn-prod-revoke$/);
  expect(template.Found.Properties.EventPattern.detail).toEqual({
    fingerprint: [{ exists: true }],
  });
});

const page = readFileSync('docs/operations.md', 'utf8');

test('the page’s payloads are orders by fingerprint', () => {
  const payloads = [...page.matchAll(/'(\{"way": "\w+", "fingerprint": [^']*\})'/g)];
  expect(payloads.length).toBeGreaterThan(1);
  for (const [, json = ''] of payloads) {
    const request = parseRevokeRequest(JSON.parse(json));
    expect(request.selector.kind).toBe('fingerprint');
  }
});

test('the page’s command computes the fingerprint', () => {
  const command = /^ {4}(.*sha256sum.*)$/m.exec(page)?.[1] ?? '';
  const string = 'apiv1_a+/b==';
  const input = `${string}\n`;
  const computed = execFileSync('bash', ['-c', command], { input, encoding: 'utf8' });
  expect(computed.trim()).toBe(fingerprintOf(string));
});
