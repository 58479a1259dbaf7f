import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../lib/bundle.ts';
import type { Reply } from '../sandbox/interception.ts';
import { createHost } from '../sandbox/lambda/host.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { VirtualClock } from '../sandbox/virtual-clock.ts';
import { FIRST, fleetOf, type Issued, namesOf, withSecrets } from './fleet-state.ts';

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
  /** When the world begins. */
  readonly from?: number;
  /** Until a token works everywhere, or nowhere any more. */
  readonly delayMs?: number;
}

/** The policy of a fleet, as plain data. */
export const policyOf = (url: string, tokens: number) => ({
  owner: 'fleet',
  cluster: { url, managementToken: 'keyturn/management-token' },
  databases: [{ name: 'telemetry' }],
  tokens: Object.fromEntries(
    namesOf(tokens).map((name) => [
      name,
      { permissions: { read: ['telemetry'], write: ['telemetry'] } },
    ]),
  ),
});

/** What a schedule tells the function that it begins. */
export const scheduledAt = (at: number, periodMs: number) => ({
  at: `${new Date(at).toISOString().slice(0, 19)}Z`,
  nextInSeconds: periodMs / 1_000,
  thirdInSeconds: (3 * periodMs) / 1_000,
});

export const isProbe = (name: string) => /\/query|\/write/.test(name);

const sum = (calls: Readonly<Record<string, number>>, matches: (name: string) => boolean) =>
  Object.entries(calls).reduce((total, [name, count]) => total + (matches(name) ? count : 0), 0);

/** A fleet of tokens on the embedded cluster and its AWS, which count what they are asked. */
export async function openBench(options: BenchOptions) {
  const { tokens, writesPerSecond, routers, delayMs = 90_000 } = options;
  const clock = new VirtualClock(options.from ?? Date.parse('2026-01-01T00:00:00Z'));
  const sandbox = await startSandbox({
    clock,
    activationDelayMs: delayMs,
    revocationDelayMs: delayMs,
    ...(routers && { routers }),
  });
  const { cluster, aws } = sandbox;
  const document = { ...policyOf(cluster.url, tokens), secretWritesPerSecond: writesPerSecond };
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

  const run = async (job: Job, event: object = {}) => {
    const answer = await clock.waitFor(host.invoke(job, event));
    if ('error' in answer) throw new Error(answer.error.errorMessage);
    return answer.result;
  };

  return {
    clock,
    cluster,
    aws,
    run,
    /** One firing of a schedule; resolves when it fires again. How long the run took, in virtual time. */
    async fire(job: Job, periodMs: number): Promise<number> {
      const at = clock.now();
      await run(job, { scheduled: scheduledAt(at, periodMs) });
      return clock.now() - at;
    },
    /** What the functions have written. */
    lines: (): readonly string[] => host.logs.map(({ text }) => text),
    forgetLines: () => host.forgetLogs(),
    /** Has a run issue the first token, and returns it. */
    async issueFirst(): Promise<Issued> {
      await run('rotate', { tokens: [FIRST] });
      const [token] = cluster.state.tokens;
      const secret = aws.state.secrets[`keyturn/fleet/${FIRST}`];
      if (!token || !secret) throw new Error('no token was issued');
      return { token, secret, url: cluster.url };
    },
    /** Gives every other entry a token like the one of the first. */
    addOthers(issued: Issued): void {
      const others = fleetOf(issued, namesOf(tokens).slice(1));
      cluster.state.tokens.push(...others.map(({ token }) => token));
      aws.restore(
        withSecrets(
          aws.snapshot(),
          others.map(({ secret }) => secret),
        ),
      );
    },
    /** How often each operation was asked for, probes of the data plane as such. */
    calls(): Readonly<Record<string, number>> {
      const ofCluster = Object.entries(cluster.state.calls).map(
        ([name, count]) => [name.replace(/ \w+$/, ''), count] as const,
      );
      const all: Record<string, number> = { ...aws.state.calls };
      for (const [name, count] of ofCluster) all[name] = (all[name] ?? 0) + count;
      return all;
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
    events: () => aws.state.events.length,
    /** Tokens that nobody has deleted. */
    living: () => cluster.state.tokens.filter(({ revokedAt }) => revokedAt === undefined).length,
    listings: () => sum(cluster.state.calls, (name) => name.startsWith('GET /tokens ')),
    /** From now on, one in so many moves of labels and writes of tags is throttled. */
    throttle(every: number) {
      oneIn = every;
    },
    /** The most writes in any ten seconds from `since` on, for each second. */
    busiest(since: number): number {
      const times = writtenAt.filter((at) => at >= since);
      let [most, end] = [0, 0];
      for (const [start, from] of times.entries()) {
        while ((times[end] ?? Number.POSITIVE_INFINITY) < from + 10_000) end += 1;
        most = Math.max(most, end - start);
      }
      return most / 10;
    },
    async close() {
      await host.close();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Bench = Awaited<ReturnType<typeof openBench>>;
