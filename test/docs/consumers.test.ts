import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { holdsCredential } from '../../functions/credentials.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { minutesOf, readExample } from '../examples/read-file.ts';
import { isAllowed } from '../permissions/evaluate.ts';
import { slug } from './anchors.ts';

const page = readFileSync('docs/consumers.md', 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  );

interface Row {
  readonly consumer: string;
  readonly used: string;
  readonly minimum: string;
  readonly tests: string;
}

const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 7)
  .slice(1)
  .map(([, consumer = '', , used = '', minimum = '', tests = '']) => ({
    consumer,
    used,
    minimum: minimum.replaceAll('`', ''),
    tests,
  }));

/** `2 × 15m + 5m = 35m` */
const SUM = /^(\d) × (\w+) \+ (\w+) = (\w+)$/;
const reckoned = rows.flatMap(({ consumer, used, minimum }) => {
  const [, times = '', every = '', way = '', sum = ''] = SUM.exec(used) ?? [];
  return times ? [{ consumer, times: Number(times), every, way, sum, minimum }] : [];
});

test('the table says of every consumer whether our tests run it, and its sum if it has one', () => {
  expect(rows).toHaveLength(12);
  expect(reckoned).toHaveLength(11);
  for (const { tests } of rows)
    expect(tests).toMatch(/by `npm (test|run [\w:]+)`|not run by our tests/);
});

test.each(reckoned)(
  'the minimum is the sum, rounded up to whole hours, and an hour at least: $consumer',
  ({ times, every, way, sum, minimum }) => {
    expect(times * minutesOf(every) + minutesOf(way)).toBe(minutesOf(sum));
    expect(minutesOf(minimum)).toBe(60 * Math.max(1, Math.ceil(minutesOf(sum) / 60)));
  },
);

test.each([
  ['Telegraf on a machine', 'telegraf/keyturn-token.timer', /^OnUnitActiveSec=(\w+)$/m],
  ['CSI driver', 'secrets-store-csi/manifests.yaml', /rotationPollInterval=(\w+)/],
  ['[Grafana]', 'grafana/kubernetes.yaml', /refreshInterval: (\w+)/],
  ['External Secrets', 'external-secrets/manifests.yaml', /refreshInterval: (\w+)/],
  ['[Lambda]', 'lambda/handler.ts', /REREAD_EVERY_MS = (\d+) \* 60_000/],
  ['TypeScript', 'application/main.ts', /REREAD_EVERY_MS = (\d+) \* 60_000/],
])('the table goes by the example: %s', (consumer, file, pattern) => {
  const [, found = ''] = pattern.exec(readExample(file)) ?? [];
  const row = reckoned.find((each) => each.consumer.includes(consumer));
  expect(minutesOf(row?.every ?? '')).toBe(minutesOf(/^\d+$/.test(found) ? `${found}m` : found));
});

test('every section has its minimum, as the table says it', () => {
  for (const { consumer, minimum } of reckoned) {
    const [, anchor] = /\]\(#([\w-]+)\)/.exec(consumer) ?? [];
    if (!anchor) continue;
    const section = page.split(/^##+ /m).find((text) => slug(text.split('\n')[0] ?? '') === anchor);
    expect(section, consumer).toMatch(new RegExp(`^Minimum: \`${minimum}\``, 'm'));
  }
});

test('the policy in it is one that Keyturn takes', () => {
  const [fragment = '', ...more] = blocks('yaml');
  expect(more).toEqual([]);
  const policy = parsePolicy(
    {
      owner: 'prod',
      cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
      ...parse(fragment),
    },
    'docs/consumers.md',
  );
  expect(policy.tokens.map(({ name }) => name)).toEqual([
    'telegraf',
    'grafana',
    'line-writer',
    'invoices',
  ]);
});

test('the rights in it let a consumer read its secret, and no other', () => {
  const [policy = '', ...more] = blocks('json');
  expect(more).toEqual([]);
  const reads = (name: string) =>
    isAllowed(JSON.parse(policy).Statement, {
      action: 'secretsmanager:GetSecretValue',
      resource: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:keyturn/prod/${name}`,
    });
  expect([reads('telegraf-AbCdEf'), reads('grafana-AbCdEf')]).toEqual([true, false]);
});

test('every example is named in a document', () => {
  const documents = [...globSync('docs/*.md'), 'README.md'].map((file) =>
    readFileSync(file, 'utf8'),
  );
  const unnamed = globSync('examples/*').filter(
    (folder) => !documents.some((text) => text.includes(folder)),
  );
  expect(unnamed).toEqual([]);
});

test('no example holds a token string', () => {
  const files = globSync('examples/**/*.*');
  const holding = files.filter((file) => holdsCredential(readFileSync(file, 'utf8')));
  expect(files.length).toBeGreaterThan(25);
  expect(holding).toEqual([]);
});
