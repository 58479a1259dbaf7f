import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import type { RevocationEvent } from '../../../functions/revocation/request.ts';
import { type Marker, parseMarker } from '../../../functions/tokens/marker.ts';
import type { AwsState } from '../../../sandbox/aws/state.ts';
import type { ClusterState } from '../../../sandbox/cluster/state.ts';
import { type Interceptor, passThrough } from '../../../sandbox/interception.ts';
import { createHost } from '../../../sandbox/lambda/host.ts';
import { startSandbox } from '../../../sandbox/sandbox.ts';
import { VirtualClock } from '../../../sandbox/virtual-clock.ts';
import { realFunction } from '../../world/real-function.ts';
import { shiftInstants } from '../../world/shift-instants.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const TELEGRAF = 'keyturn/prod/telegraf';
export const GRAFANA = 'keyturn/prod/grafana';
const MANAGEMENT_SECRET = 'influxdb/management';
const JOBS = ['rotate', 'reap', 'revoke'] as const;
type Job = (typeof JOBS)[number];

/** How long the cluster takes to hear of tokens and of their end. */
const DELAY = 20_000;

interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
}

export interface Answered {
  readonly report?: RevocationReport;
  readonly error?: Failure;
}

export interface SeenToken {
  readonly id: string;
  readonly marker: Marker | undefined;
  readonly permissions: readonly unknown[];
}

const documentFor = (url: string) => ({
  owner: 'prod',
  cluster: { url, managementToken: MANAGEMENT_SECRET },
  databases: [{ name: 'metrics' }, { name: 'logs' }],
  defaults: { gracePeriod: '24h', quarantine: '7d' },
  tokens: {
    telegraf: { permissions: { write: ['metrics'] } },
    grafana: { permissions: { read: ['logs', 'metrics'] } },
  },
});

/** Both systems at one instant. */
export interface Saved {
  readonly at: number;
  readonly cluster: ClusterState;
  readonly aws: AwsState;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The real handlers in processes of their own, on a cluster that hears late of everything, with two tokens issued. */
export async function openWorld() {
  const clock = new VirtualClock(Date.UTC(2026, 2, 2, 12));
  const sandbox = await startSandbox({
    clock,
    managementSecretName: MANAGEMENT_SECRET,
    activationDelayMs: DELAY,
    revocationDelayMs: DELAY,
  });
  const { cluster, aws } = sandbox;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const secrets = new SecretsManager({ endpoint: aws.url, region: aws.region, credentials });
  const host = createHost({
    clock,
    functions: JOBS.map((job) => realFunction(job)),
    policy: documentFor(cluster.url),
    environment: {
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL: aws.url,
    },
  });

  const manage = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${cluster.url}/api/v0${path}`, {
      method,
      headers: {
        authorization: `Bearer ${cluster.managementToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const run = async (job: Job, event: object = {}) =>
    (await clock.waitFor(host.invoke(job, event))) as {
      result?: RevocationReport;
      error?: Failure;
    };
  const versions = (secret: string) => Object.values(aws.state.secrets[secret]?.versions ?? {});
  const labels = (secret: string): Record<string, string> =>
    Object.fromEntries(
      versions(secret).flatMap(({ id, stages }) => stages.map((each) => [each, id])),
    );

  const world = {
    clock,
    cluster,
    aws,
    host,
    secrets,
    manage,
    rotate: (event?: object) => run('rotate', event),
    reap: (event?: object) => run('reap', event),
    async revoke(event: RevocationEvent | object): Promise<Answered> {
      const { result, error } = await run('revoke', event);
      return { ...(result && { report: result }), ...(error && { error }) };
    },
    wait: (ms: number) => clock.runUntil(clock.now() + ms),
    labels,
    /** A version's token string; AWSCURRENT's by default. */
    string(secret: string, version = labels(secret).AWSCURRENT): string {
      const text = versions(secret).find(({ id }) => id === version)?.secretString ?? '{}';
      return (JSON.parse(text) as { token: string }).token;
    },
    hold: (secret: string): string | undefined => aws.state.secrets[secret]?.tags['keyturn:hold'],
    /** Tokens that are not revoked; of one secret, if one is named. */
    tokens: (secret?: string): SeenToken[] =>
      cluster.state.tokens
        .filter(({ revokedAt }) => revokedAt === undefined)
        .map(({ id, description, permissions }) => ({
          id,
          permissions,
          marker: parseMarker(description)?.marker,
        }))
        .filter(({ marker }) => secret === undefined || marker?.secret === secret),
    /** Whether the data plane takes a string for what telegraf may do. */
    accepts: (string: string) => cluster.accepts(string, 'write', 'metrics'),
    save: (): Saved => ({ at: clock.now(), cluster: cluster.snapshot(), aws: aws.snapshot() }),
    /** The same state, later: time cannot go back in processes that stay warm. */
    async restore(saved: Saved): Promise<void> {
      const by = Math.ceil((clock.now() - saved.at) / 1_000) * 1_000;
      await clock.runUntil(saved.at + by);
      const shifted = shiftInstants(saved, by);
      cluster.restore(shifted.cluster);
      aws.restore(shifted.aws);
    },
    /** Stands between both servers and every call, or no longer. */
    intercept(interceptor: Interceptor = passThrough): void {
      cluster.intercept = interceptor;
      aws.intercept = interceptor;
    },
    events: (type: string) => aws.state.events.filter(({ detailType }) => detailType === type),
    lines: () => host.logs.map(({ text }) => text),
    async close() {
      secrets.destroy();
      await host.close();
      await sandbox.close();
    },
  };
  for (const name of ['metrics', 'logs']) await manage('POST', '/databases', { name });
  await world.rotate();
  await world.wait(2 * HOUR);
  return world;
}
