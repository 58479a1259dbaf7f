import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';
import type { LambdaFunction } from '../../../sandbox/lambda/functions.ts';
import { createHost, type HostOptions } from '../../../sandbox/lambda/host.ts';
import { VirtualClock } from '../../../sandbox/virtual-clock.ts';

export const startAt = Date.UTC(2025, 0, 1);

/** A function of this source, bundled as the CDK does; every name is also its id. */
export function functionOf(
  name: string,
  source: string,
  overrides: Partial<LambdaFunction> = {},
  outfile = 'index.js',
): LambdaFunction {
  const assetDirectory = mkdtempSync(join(tmpdir(), 'keyturn-fixture-'));
  onTestFinished(() => rmSync(assetDirectory, { recursive: true }));
  mkdirSync(assetDirectory, { recursive: true });
  writeFileSync(join(assetDirectory, 'policy.json'), '{"from":"asset"}');
  buildSync({
    stdin: { contents: source, loader: 'ts', resolveDir: import.meta.dirname },
    outfile: join(assetDirectory, outfile),
    bundle: true,
    platform: 'node',
    format: outfile.endsWith('.mjs') ? 'esm' : 'cjs',
  });
  return {
    name,
    logicalId: name,
    functionName: name,
    assetDirectory,
    assetHash: name,
    handler: 'index.handler',
    timeoutMs: 60_000,
    memoryMb: 256,
    retryAttempts: 0,
    maximumAgeMs: 3_600_000,
    environment: {},
    ...overrides,
  };
}

export function startHost(
  functions: readonly LambdaFunction[],
  options: Partial<HostOptions> = {},
) {
  const clock = new VirtualClock(startAt);
  const host = createHost({ clock, functions, ...options });
  onTestFinished(() => host.close());
  return { clock, host };
}

/** The address of a server with this handler. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
