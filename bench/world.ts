import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../lib/bundle.ts';
import type { Reply } from '../sandbox/interception.ts';
import { createHost } from '../sandbox/lambda/host.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { VirtualClock } from '../sandbox/virtual-clock.ts';

const FUNCTIONS = ['rotate', 'reap', 'enforce', 'revoke'] as const;
export type Job = (typeof FUNCTIONS)[number];

/** Those that count against the quota that Secrets Manager has for an account. */
const WRITES: readonly string[] = ['PutSecretValue', 'UpdateSecretVersionStage'];

const THROTTLED: readonly string[] = ['UpdateSecretVersionStage', 'TagResource'];
const throttled: Reply = {
  status: 400,
  headers: { 'x-amzn-errortype': 'ThrottlingException' },
  body: '{"message":"Rate exceeded"}',
};

export interface BenchOptions {
  readonly tokens: number;
  readonly writesPerSecond: number;
  readonly routers?: { readonly count: number; readonly spreadMs: number };
}

const isProbe = (name: string) => /\/query|\/write/.test(name);

const sum = (calls: Readonly<Record<string, number>>, matches: (name: string) => boolean) =>
  Object.entries(calls).reduce((total, [name, count]) => total + (matches(name) ? count : 0), 0);

/** A fleet of tokens on the embedded cluster and its AWS, which count what they are asked. */
export async function openBench({ tokens, writesPerSecond, routers }: BenchOptions) {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const sandbox = await startSandbox({
    clock,
    activationDelayMs: 90_000,
    revocationDelayMs: 90_000,
    ...(routers && { routers }),
  });
  const { cluster, aws } = sandbox;
  const permissions = { read: ['telemetry'], write: ['telemetry'] };
  const document = {
    owner: 'fleet',
    cluster: { url: cluster.url, managementToken: 'keyturn/management-token' },
    databases: [{ name: 'telemetry' }],
    secretWritesPerSecond: writesPerSecond,
    tokens: Object.fromEntries(
      Array.from({ length: tokens }, (_, index) => [`token-${index}`, { permissions }]),
    ),
  };
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-fleet-'));
  const functions = FUNCTIONS.map((name) => {
    const assetDirectory = mkdtempSync(join(folder, 'asset-'));
    bundle(name, { document }, assetDirectory);
    return {
      name,
      logicalId: name,
      functionName: name,
      assetDirectory,
      assetHash: name,
      handler: 'index.handler',
      timeoutMs: 900_000,
      memoryMb: 512,
      retryAttempts: 0,
      maximumAgeMs: 3_600_000,
      environment: {},
    };
  });
  const host = createHost({
    clock,
    functions,
    environment: { AWS_REGION: aws.region, AWS_ENDPOINT_URL: aws.url },
    credentialsOf: aws.credentialsOf,
  });
  const writtenAt: number[] = [];
  let oneIn = 0;
  let asked = 0;
  aws.intercept = (call, effect) => {
    if (WRITES.includes(call.operation)) writtenAt.push(clock.now());
    if (oneIn > 0 && THROTTLED.includes(call.operation)) {
      asked += 1;
      if (asked % oneIn === 0) return Promise.resolve(throttled);
    }
    return Promise.resolve(effect());
  };

  return {
    clock,
    cluster,
    aws,
    async run(job: Job, event: object = {}) {
      const answer = await clock.waitFor(host.invoke(job, event));
      if ('error' in answer) throw new Error(answer.error.errorMessage);
      return answer.result;
    },
    count: () => ({
      management: sum(cluster.state.calls, (name) => !isProbe(name)),
      probes: sum(cluster.state.calls, isProbe),
      secrets: sum(aws.state.calls, (name) => name !== 'PutEvents'),
      writes: writtenAt.length,
    }),
    rotated: () =>
      aws.state.events.filter(({ detailType }) => detailType === 'Token Rotated').length,
    minted: () => cluster.state.tokens.length,
    listings: () => sum(cluster.state.calls, (name) => name.startsWith('GET /tokens ')),
    /** From now on, one in so many moves of labels and writes of tags is throttled. */
    throttle(every: number) {
      oneIn = every;
    },
    /** The most writes in any ten seconds from `since` on, for each second. */
    busiest(since: number): number {
      const times = writtenAt.filter((at) => at >= since);
      const inTen = times.map(
        (from) => times.filter((at) => at >= from && at < from + 10_000).length,
      );
      return Math.max(0, ...inTen) / 10;
    },
    async close() {
      await host.close();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Bench = Awaited<ReturnType<typeof openBench>>;
