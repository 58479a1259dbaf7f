import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** With `deployment.replicaRegions`, the preview of rotate asks DescribeSecret of every secret; of reap, of each that would be deleted. */
test('the rights that a pull request is told to have are those that the preview uses', () => {
  const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const rights = /### In a pull request\n([\s\S]*?)\n## /.exec(operations)?.[1] ?? '';
  expect(rights).toContain('secretsmanager:DescribeSecret');
});
