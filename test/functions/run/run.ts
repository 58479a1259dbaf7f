import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';
import { type Marker, parseMarker } from '../../../functions/tokens/marker.ts';
import { createHost } from '../../../sandbox/lambda/host.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../sandbox/sandbox.ts';
import { VirtualClock } from '../../../sandbox/virtual-clock.ts';
import { realFunction } from '../../world/real-function.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const START = Date.UTC(2026, 2, 2, 12);
const MANAGEMENT_SECRET = 'influxdb/management';

type Job = 'rotate' | 'reap' | 'enforce';
/** What the tests read of a plan and of what became of it, and of an error. */
type Answered = {
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
  readonly result?: any;
  readonly error?: { errorType: string; errorMessage: string };
};

export interface LiveToken {
  readonly id: string;
  readonly text: string;
  readonly marker: Marker | undefined;
  readonly permissions: readonly unknown[];
}

export interface Deployment {
  rotate(event?: unknown): Promise<Answered>;
  reap(event?: unknown): Promise<Answered>;
  enforce(event?: unknown): Promise<Answered>;
  /** One line for each that was logged, as JSON. */
  readonly lines: () => readonly string[];
}

export interface Run extends Deployment {
  readonly sandbox: Sandbox;
  readonly secrets: SecretsManager;
  /** Another policy for the same world: a deploy. */
  deploy(document: object): Deployment;
  wait(ms: number): Promise<void>;
  /** The cluster's Management API, by an administrator's hand. */
  // biome-ignore lint/suspicious/noExplicitAny: as the API answers
  manage(method: string, path: string, body?: object): Promise<any>;
  tokens(): readonly LiveToken[];
  /** Version ids by label, of a secret of Secrets Manager's. */
  labels(secret: string): Record<string, string>;
  /** AWSCURRENT's string. */
  current(secret: string): Promise<string>;
}

export const policy = (tokens: object, more: object = {}) => ({
  owner: 'prod',
  databases: [{ name: 'telemetry' }, { name: 'quality' }],
  tokens,
  ...more,
});

export const writer = { permissions: { write: ['telemetry'] } };

/** A sandbox with two databases, and the real handlers on it, for the length of one test. */
export async function startRun(
  document: object,
  options: Partial<SandboxOptions> = {},
): Promise<Run> {
  const clock = new VirtualClock(START);
  const sandbox = await startSandbox({
    clock,
    managementSecretName: MANAGEMENT_SECRET,
    ...options,
  });
  const secrets = new SecretsManager({
    endpoint: sandbox.aws.url,
    region: sandbox.aws.region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  onTestFinished(async () => {
    secrets.destroy();
    await sandbox.close();
  });

  const manage: Run['manage'] = async (method, path, body) => {
    const response = await fetch(`${sandbox.cluster.url}/api/v0${path}`, {
      method,
      headers: {
        authorization: `Bearer ${sandbox.cluster.managementToken}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  for (const name of ['telemetry', 'quality']) await manage('POST', '/databases', { name });

  const deploy: Run['deploy'] = (declared) => {
    const cluster = { url: sandbox.cluster.url, managementToken: MANAGEMENT_SECRET };
    const host = createHost({
      clock,
      functions: ['rotate', 'reap', 'enforce'].map((job) => realFunction(job)),
      idPrefix: `${deployments++}-`,
      policy: { cluster, ...declared },
      environment: {
        AWS_REGION: sandbox.aws.region,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL: sandbox.aws.url,
      },
    });
    onTestFinished(() => host.close());
    const invoke = async (job: Job, event: unknown) =>
      (await clock.waitFor(host.invoke(job, event))) as Answered;
    return {
      rotate: (event = {}) => invoke('rotate', event),
      reap: (event = {}) => invoke('reap', event),
      enforce: (event = {}) => invoke('enforce', event),
      lines: () => host.logs.map(({ text }) => text),
    };
  };
  let deployments = 0;

  return {
    ...deploy(document),
    sandbox,
    secrets,
    deploy,
    manage,
    wait: (ms) => clock.runUntil(clock.now() + ms),
    tokens: () =>
      sandbox.cluster.state.tokens
        .filter(({ revokedAt }) => revokedAt === undefined)
        .map(({ id, description, permissions }) => {
          const parsed = parseMarker(description);
          return { id, permissions, text: parsed?.text ?? description, marker: parsed?.marker };
        }),
    labels: (name) =>
      Object.fromEntries(
        Object.values(sandbox.aws.state.secrets[name]?.versions ?? {}).flatMap(({ id, stages }) =>
          stages.map((stage) => [stage, id]),
        ),
      ),
    current: async (SecretId) => (await secrets.getSecretValue({ SecretId })).SecretString ?? '',
  };
}
