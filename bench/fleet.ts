import '../sandbox/require-node-24.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsePolicy } from '../functions/policy/parse-policy.ts';
import { bundle } from '../lib/bundle.ts';
import { createHost } from '../sandbox/lambda/host.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { VirtualClock } from '../sandbox/virtual-clock.ts';

const DAY_MS = 86_400_000;

/** Issues a fleet of tokens, rotates all of them, and retires the old ones; the servers count the calls. */
const { values } = parseArgs({ options: { tokens: { type: 'string', default: '1000' } } });
const fleet = Number(values.tokens);
const print = (text: string) => process.stdout.write(`${text}\n`);

const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
const sandbox = await startSandbox({ clock, activationDelayMs: 90_000, revocationDelayMs: 90_000 });
const { cluster, aws } = sandbox;
const permissions = { read: ['telemetry'], write: ['telemetry'] };
const document = {
  owner: 'fleet',
  cluster: { url: cluster.url, managementToken: 'keyturn/management-token' },
  databases: [{ name: 'telemetry' }],
  tokens: Object.fromEntries(
    Array.from({ length: fleet }, (_, index) => [`token-${index}`, { permissions }]),
  ),
};
const folder = mkdtempSync(join(tmpdir(), 'keyturn-fleet-'));
const functions = ['rotate', 'reap'].map((name) => {
  const assetDirectory = mkdtempSync(join(folder, 'asset-'));
  bundle(name, { document, policy: parsePolicy(document) }, assetDirectory);
  return {
    name,
    logicalId: name,
    functionName: name,
    assetDirectory,
    assetHash: name,
    handler: 'index.handler',
    timeoutMs: 900_000,
    memoryMb: 512,
    environment: {},
  };
});
const host = createHost({
  clock,
  functions,
  environment: {
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: 'sandbox',
    AWS_SECRET_ACCESS_KEY: 'sandbox',
    AWS_ENDPOINT_URL: aws.url,
  },
});

const total = (calls: Readonly<Record<string, number>>, matches: (name: string) => boolean) =>
  Object.entries(calls)
    .filter(([name]) => matches(name))
    .reduce((sum, [, count]) => sum + count, 0);
const isProbe = (name: string) => /\/query|\/write/.test(name);

function count() {
  return {
    management: total(cluster.state.calls, (name) => !isProbe(name)),
    probes: total(cluster.state.calls, isProbe),
    secrets: total(aws.state.calls, (name) => name !== 'PutEvents'),
    writes: total(aws.state.writes, () => true),
  };
}

/** One invocation: its virtual duration, its real duration, and its calls. */
async function measure(title: string, name: string): Promise<void> {
  const before = count();
  const startedAt = clock.now();
  const startedReally = performance.now();
  const answer = await clock.waitFor(host.invoke(name, {}));
  if ('error' in answer) throw new Error(answer.error.errorMessage);
  const after = count();
  const virtual = ((clock.now() - startedAt) / 1_000).toFixed(0);
  const real = ((performance.now() - startedReally) / 1_000).toFixed(1);
  const calls = (Object.keys(before) as (keyof typeof before)[])
    .map((key) => `${key} ${after[key] - before[key]}`)
    .join(', ');
  print(`${title.padEnd(34)} ${virtual.padStart(4)} s (${real} s here)  ${calls}`);
}

const rotated = () =>
  aws.state.events.filter(({ detailType }) => detailType === 'Token Rotated').length;

print(`${fleet} tokens; activation takes 90 s; 20 secret writes per second`);
await measure('issue all', 'rotate');
await measure('rotate, nothing to do (warm)', 'rotate');
await clock.runUntil(clock.now() + 30 * DAY_MS);
const issued = rotated();
await measure('rotate all', 'rotate');
print(`${''.padEnd(34)} ${rotated() - issued} rotations in one invocation`);
await clock.runUntil(clock.now() + 25 * 3_600_000);
await measure('reap: fence all', 'reap');
await clock.runUntil(clock.now() + 25 * 3_600_000);
await measure('reap: quarantine all', 'reap');
await clock.runUntil(clock.now() + 8 * DAY_MS);
await measure('reap: delete all', 'reap');

await host.close();
await sandbox.close();
rmSync(folder, { recursive: true, force: true });
