import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBundle } from '../../lib/bundle.ts';
import type { LambdaFunction } from '../../sandbox/lambda/functions.ts';
import type { Job } from './jobs.ts';

const folders = new Map<Job, string>();

/** Made once for each file of tests; a host puts its own policy beside it. */
function bundled(job: Job): string {
  const known = folders.get(job);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), `keyturn-${job}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  writeBundle(job, folder);
  folders.set(job, folder);
  return folder;
}

/** The very bundle that is deployed, for a host with a policy of its own. */
export const realFunction = (
  job: Job,
  environment: LambdaFunction['environment'] = {},
): LambdaFunction => ({
  name: job,
  logicalId: job,
  functionName: job,
  // Few tests run all functions, and bundling takes a moment: only what runs is bundled.
  get assetDirectory() {
    return bundled(job);
  },
  assetHash: job,
  handler: 'index.handler',
  timeoutMs: 15 * 60_000,
  memoryMb: 512,
  retryAttempts: 0,
  maximumAgeMs: 3_600_000,
  environment,
});
