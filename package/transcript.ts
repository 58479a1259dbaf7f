import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs the command line of CDK, or of Keyturn, in the folder of the app; what it prints. */
export type Run = (command: 'cdk' | 'keyturn', ...args: string[]) => string;

interface Resource {
  readonly Type: string;
  readonly Properties: { readonly PolicyDocument?: { readonly Statement: readonly object[] } };
  readonly Metadata?: { readonly policy?: object };
}

/** `docs/package-transcript.md` counts so. */
const WORDS: Readonly<Record<number, string>> = { 1: 'a', 3: 'three', 5: 'five', 8: 'eight' };

const blocksIn = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );

/** Lines of a diff that the page has whole: nothing is cut from them. */
const wholeLines = (text: string): string[] =>
  text.split('\n').filter((line) => /\[[-+~]\] |└─ \{/.test(line) && !line.includes('…'));

function expectLines(diff: string, shown: string): void {
  const lines = new Set(diff.split('\n').map((line) => line.trimEnd()));
  const expected = wholeLines(shown);
  assert.ok(expected.length > 0);
  assert.deepEqual(
    expected.filter((line) => !lines.has(line)),
    [],
    'lines that the diff lacks',
  );
}

/** `[+] AWS::SNS::Topic Keyturn/AlarmTopic`, without a logical id. */
const resourcesIn = (diff: string): string[] =>
  [...diff.matchAll(/^\[[-+~]\] AWS::\S+ \S+/gm)].map(([found]) => found);

/** As the page writes them: `Fn::Join` as one text, and a `Ref` in it as `${…}`. */
function joined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(joined);
  const { Ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  if (Ref !== undefined) return `\${${Ref}}`;
  if (join) return join[1].map(joined).join(join[0]);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, joined(each)]));
}

/** JSON that the page shows in part. */
const withoutCuts = (json: string): string =>
  json.replace(/^ *…\n/gm, '').replace(/,(?=\s*\})/g, '');

/**
 * Does what the page says, and compares what it shows.
 * @param folder empty, with the package and its peers in reach
 * @throws AssertionError if something else is seen than the page says
 */
export function checkTranscript(page: string, folder: string, run: Run): void {
  const [policy = '', deployment = '', changed = ''] = blocksIn(page, 'yaml');
  const [app = ''] = blocksIn(page, 'js');
  const [statements = '', metadata = ''] = blocksIn(page, 'json');
  const diffs = [...blocksIn(page, 'text'), ...blocksIn(page, 'console').slice(-1)];
  const [network = '', functions = '', change = ''] = diffs;

  const [beforeTokens] = policy.split('  telegraf:');
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  mkdirSync(folder);
  write('app.mjs', app);
  write('cdk.json', JSON.stringify({ app: 'node app.mjs' }));
  const resources = (stack: string): Resource[] =>
    Object.values(
      JSON.parse(readFileSync(join(folder, `cdk.out/${stack}.template.json`), 'utf8')).Resources,
    );
  /** What CDK says has changed since the policy before. */
  function diffTo(text: string): string {
    cpSync(join(folder, 'cdk.out'), join(folder, 'before'), { recursive: true, force: true });
    write('keyturn.yaml', text);
    return run('cdk', 'diff', 'Keyturn-prod', '--template', 'before/Keyturn-prod.template.json');
  }

  write('keyturn.yaml', policy);
  assert.match(run('keyturn', 'validate'), /^keyturn\.yaml: no mistakes$/m);
  run('cdk', 'synth', '--quiet');
  const count = (type: string, name: string) => {
    const found = resources('Keyturn-prod').filter(({ Type }) => Type === `AWS::${type}`).length;
    return `${WORDS[found] ?? found} ${name}`;
  };
  const counted = [
    count('Lambda::Function', 'functions'),
    count('IAM::Role', 'roles'),
    count('Scheduler::Schedule', 'schedules'),
    count('Logs::LogGroup', 'log groups'),
    count('CloudWatch::Alarm', 'alarms'),
    count('SQS::Queue', 'queue for what failed'),
    `and ${count('CloudWatch::Dashboard', 'dashboard')}`,
  ].join(', ');
  assert.ok(page.replaceAll('\n', ' ').includes(` has ${counted}.`), `the page lacks: ${counted}`);
  const granted = resources('Plant').flatMap(
    ({ Properties }) => Properties.PolicyDocument?.Statement ?? [],
  );
  assert.deepEqual(joined(granted), JSON.parse(statements));

  const networked = diffTo(policy + deployment);
  const besideAlarms = resourcesIn(networked).filter((line) => !line.includes('::CloudWatch::'));
  assert.deepEqual(besideAlarms.sort(), resourcesIn(network).sort());
  expectLines(networked, functions);

  const again = diffTo(beforeTokens + changed + deployment);
  expectLines(again, change);
  const [inFull] = resources('Keyturn-prod').flatMap(({ Metadata }) => Metadata?.policy ?? []);
  assert.partialDeepStrictEqual({ policy: inFull }, JSON.parse(`{${withoutCuts(metadata)}}`));
}
