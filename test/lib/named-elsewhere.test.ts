import { RegionInfo } from 'aws-cdk-lib/region-info';
import { expect, test } from 'vitest';
import { OF_FILE } from '../../lib/named-elsewhere.ts';

test('the command line knows the partition of every Region by its name, as CDK does', () => {
  for (const { name, partition } of RegionInfo.regions) {
    expect([name, OF_FILE.partitionOf(name)]).toEqual([name, partition]);
  }
  expect(OF_FILE.partitionOf('moon-central-1')).toBeUndefined();
});
