import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../lib/bundle.ts';
import type { PolicyFile } from '../../lib/policy-file.ts';
import type { LambdaFunction } from '../../sandbox/lambda/functions.ts';

const folders = new Map<string, string>();

/** Made once for each file of tests; a host puts its own policy beside it. */
function bundled(entry: string): string {
  const known = folders.get(entry);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), `keyturn-${entry}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  bundle(entry, { document: {} } as PolicyFile, folder);
  folders.set(entry, folder);
  return folder;
}

/** The very bundle that is deployed, for a host with a `policy` of its own. */
export const realFunction = (entry: string, functionName = entry): LambdaFunction => ({
  name: entry,
  logicalId: entry,
  functionName,
  assetDirectory: bundled(entry),
  assetHash: entry,
  handler: 'index.handler',
  timeoutMs: 15 * 60_000,
  memoryMb: 512,
  environment: {},
});
