import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mistakeOf, POLICY, synthesize } from './synthesize.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const mistakeIn = (text: string): string => mistakeOf(folder, text);
const withUrl = (url: string) => POLICY.replace('https://influxdb.example.com', url);
const withBus = (bus: string) => `${POLICY}eventBus: ${JSON.stringify(bus)}\n`;

test('a URL that would not fit into the tag of a secret is refused', () => {
  const url = (length: number) => 'https://influxdb.example.com/'.padEnd(length, 'a');
  expect(mistakeIn(withUrl(url(256)))).toBe('no mistake');
  expect(mistakeIn(withUrl(url(257)))).toMatch(
    /^keyturn\.yaml:3: cluster\.url: found .*, expected a URL .*, of at most 256 characters/,
  );
});

test('a schedule that is longer than EventBridge Scheduler takes is refused', () => {
  const minutes = Array.from({ length: 12 }, (_, index) => index * 5);
  const long = `cron(${Array(8).fill(minutes.join(',')).join(',')} * * * ? *)`;
  expect(long.length).toBeGreaterThan(256);
  expect(mistakeIn(POLICY.replace('cron(0/10 * * * ? *)', `"${long}"`))).toMatch(
    /^keyturn\.yaml:5: schedules\.rotate: found \d+ characters, .* expected at most 256, which EventBridge Scheduler takes; write ranges/,
  );
});

test.each(['*', 'bus name', 'tokens?', 'x'.repeat(257), 'arn:aws:s3:::bucket', 'büs'])(
  'an event bus %j is refused, and no role may publish to more than one bus',
  (bus) => {
    expect(mistakeIn(withBus(bus))).toMatch(
      /^keyturn\.yaml:9: eventBus: found .*, expected the name of a bus .* or its ARN/,
    );
  },
);

test.each(['default', 'arn:aws-us-gov:events:us-gov-west-1:111122223333:event-bus/tokens'])(
  'an event bus %j is not',
  (bus) => {
    expect(mistakeIn(withBus(bus))).toBe('no mistake');
  },
);

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and the like of the others. */
test('the longest owner has names and descriptions that AWS takes', () => {
  const owner = `p${'-north-west'.repeat(3)}`.slice(0, 31);
  const template = synthesize(folder, POLICY.replace('owner: prod', `owner: ${owner}`));
  const longest = (type: string, key: string) =>
    Math.max(
      ...Object.values(template.findResources(type)).map(
        ({ Properties }) => String(Properties[key] ?? '').length,
      ),
    );
  expect(longest('AWS::Lambda::Function', 'FunctionName')).toBeLessThanOrEqual(64);
  expect(longest('AWS::Lambda::Function', 'Description')).toBeLessThanOrEqual(256);
  expect(longest('AWS::Scheduler::Schedule', 'Name')).toBeLessThanOrEqual(64);
  expect(longest('AWS::Scheduler::Schedule', 'Description')).toBeLessThanOrEqual(512);
  expect(longest('AWS::CloudWatch::Alarm', 'AlarmName')).toBeLessThanOrEqual(255);
  expect(longest('AWS::CloudWatch::Alarm', 'AlarmDescription')).toBeLessThanOrEqual(1024);
  expect(longest('AWS::CloudWatch::Dashboard', 'DashboardName')).toBeLessThanOrEqual(255);
});
