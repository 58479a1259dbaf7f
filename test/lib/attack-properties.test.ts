import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { scheduleStatus } from '../../functions/schedules/schedule-status.ts';
import { Keyturn } from '../../lib/keyturn.ts';

const account = '111122223333';
const folder = mkdtempSync(join(tmpdir(), 'attack-'));
const file = (owner: string) => {
  const path = join(folder, `${owner}.yaml`);
  const lines = [
    `owner: ${owner}`,
    'cluster: {url: https://influxdb.example.com, managementToken: influxdb/management}',
  ];
  lines.push(
    'databases: [{name: telemetry}]',
    'tokens: {telegraf: {permissions: {read: [telemetry]}}}',
  );
  writeFileSync(path, lines.join('\n'));
  return path;
};
const keyId = '01234567-0123-0123-0123-0123456789ab';

test('an environment above the 4 KB of Lambda is refused at synthesis', () => {
  const names =
    'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 eu-south-1 eu-south-2 eu-central-2 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-northeast-1 sa-east-1';
  const replicaRegions = names
    .split(' ')
    .map((region) => ({ region, encryptionKey: `arn:aws:kms:${region}:${account}:key/${keyId}` }));
  const tags = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`company:cost-center-${at}`, 'v'.repeat(70)]),
  );
  const stack = new Stack(new App(), 'S', { env: { account, region: 'eu-central-1' } });
  expect(() => {
    const { rotate } = new Keyturn(stack, 'K', { policy: file('prod'), replicaRegions, tags });
    void rotate;
    const functions = Template.fromStack(stack).findResources('AWS::Lambda::Function');
    const sizes = Object.values(functions).map(
      (each) => JSON.stringify(each.Properties.Environment?.Variables ?? {}).length,
    );
    console.log('bytes', Math.max(...sizes));
  }).toThrow();
});

test('a schedule that was stopped just now by hand, behind an old note, was not off since that note', () => {
  const found = {
    State: 'DISABLED',
    Description: 'x [keyturn:paused 2026-11-28T10:00:00Z by ada: test]',
    LastModificationDate: new Date('2026-11-28T16:17:51Z'),
  };
  const { since, lastChanged } = scheduleStatus('keyturn-old-rotate', found);
  expect(lastChanged ?? since).toBe('2026-11-28T16:17:51Z');
});
