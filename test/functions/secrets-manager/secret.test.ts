import { expect, test } from 'vitest';
import {
  CLUSTER_TAG,
  isOfAnotherCluster,
  normalClusterUrl,
  pendingVersion,
} from '../../../functions/secrets-manager/secret.ts';
import { id, secretOf, URL, version } from '../builders.ts';

test('tells the cluster of a secret from another, and takes an untagged one for ours', () => {
  expect(isOfAnotherCluster(secretOf(), URL)).toBe(false);
  expect(isOfAnotherCluster(secretOf(), 'https://other.example.com')).toBe(true);
  expect(isOfAnotherCluster(secretOf({}, { tags: {} }), URL)).toBe(false);
  expect(isOfAnotherCluster(secretOf({}, { tags: { [CLUSTER_TAG]: '' } }), URL)).toBe(true);
});

test('takes for pending the version that has AWSPENDING and neither of the other two', () => {
  expect(pendingVersion(secretOf({ AWSPENDING: 2 }))).toBe(version(2));
  expect(pendingVersion(secretOf({ AWSPENDING: id(70), AWSCURRENT: 1 }))).toBe(id(70));
  expect(pendingVersion(secretOf({ AWSPENDING: 2, AWSCURRENT: 2 }))).toBeUndefined();
  expect(pendingVersion(secretOf({ AWSPENDING: 2, AWSPREVIOUS: 2 }))).toBeUndefined();
  expect(pendingVersion(secretOf({ AWSCURRENT: 2 }))).toBeUndefined();
});

test.each([
  ['https://HOST.example.com:443', 'https://host.example.com'],
  ['HTTP://host:80//', 'http://host'],
  ['http://host:8086/influx/', 'http://host:8086/influx'],
  ['https://user:word@host/?a=b#c', 'https://host'],
  ['no url', 'no url'],
])('spells the URL %s as %s', (text, normal) => {
  expect(normalClusterUrl(text)).toBe(normal);
});
