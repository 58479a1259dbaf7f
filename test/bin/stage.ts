import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../sandbox/clock.ts';
import { createHost, type Host } from '../../sandbox/lambda/host.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { realFunction } from '../world/real-function.ts';
import { type Ended, keyturn, writeTemporary } from './cli.ts';

const JOBS = ['rotate', 'reap', 'enforce', 'revoke'] as const;
const MANAGEMENT_SECRET = 'influxdb/management';

export const TELEGRAF = 'keyturn/prod/telegraf';

/** Just so much of Lambda's API as an invocation needs. */
async function serveLambda(host: Host, clock: VirtualClock): Promise<string> {
  // One at a time: the clock belongs to one strand of this process.
  let queue: Promise<unknown> = Promise.resolve();
  const server = createServer(async (request, response) => {
    const [, name = ''] =
      /functions\/keyturn-prod-(\w+)\/invocations/.exec(request.url ?? '') ?? [];
    if (!JOBS.some((job) => job === name)) {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' });
      return response.end('{"Message":"Function not found"}');
    }
    const event = await json(request);
    const answered = queue.then(() => clock.waitFor(host.invoke(name, event)));
    queue = answered;
    const answer = await answered;
    const failed = 'error' in answer;
    response.writeHead(200, failed ? { 'x-amz-function-error': 'Unhandled' } : {});
    return response.end(JSON.stringify(failed ? answer.error : answer.result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

export interface Stage {
  readonly sandbox: Sandbox;
  /** Passes the policy file, and the environment that finds the sandbox. */
  run(args: readonly string[], stdin?: string, env?: Record<string, string>): Promise<Ended>;
  manage(method: string, path: string, body?: object): Promise<void>;
  /** AWSCURRENT's token string. */
  current(secret: string): Promise<string>;
}

async function openStage(
  clock: Clock,
  lambda: VirtualClock | undefined,
  more: object = {},
): Promise<Stage> {
  const sandbox = await startSandbox({
    clock,
    managementSecretName: MANAGEMENT_SECRET,
    activationDelayMs: lambda ? 90_000 : 500,
    revocationDelayMs: lambda ? 90_000 : 500,
  });
  const { cluster, aws } = sandbox;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const secrets = new SecretsManager({ endpoint: aws.url, region: aws.region, credentials });
  onTestFinished(async () => {
    secrets.destroy();
    await sandbox.close();
  });
  const document = {
    owner: 'prod',
    cluster: { url: cluster.url, managementToken: MANAGEMENT_SECRET },
    databases: [{ name: 'telemetry', maxTables: 400 }],
    tokens: {
      telegraf: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
      grafana: { permissions: { read: ['telemetry'] } },
    },
    ...more,
  };
  const found: Record<string, string> = {
    KEYTURN_POLICY: writeTemporary('keyturn.yaml', document),
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: aws.url,
  };
  if (lambda) {
    const functions = JOBS.map((job) => realFunction(job, `keyturn-prod-${job}`));
    const host = createHost({ clock, functions, policy: document, environment: found });
    onTestFinished(() => host.close());
    found.AWS_ENDPOINT_URL_LAMBDA = await serveLambda(host, lambda);
  }

  return {
    sandbox,
    run: (args, stdin, env = {}) =>
      keyturn(args, { ...(stdin !== undefined && { stdin }), env: { ...found, ...env } }),
    async manage(method, path, body) {
      const response = await fetch(`${cluster.url}/api/v0${path}`, {
        method,
        headers: {
          authorization: `Bearer ${cluster.managementToken}`,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    },
    async current(secret) {
      const { SecretString = '' } = await secrets.getSecretValue({ SecretId: secret });
      return JSON.parse(SecretString).token;
    },
  };
}

/** The deployed functions behind a stand-in of Lambda's API; minutes of theirs pass in an instant. */
export async function openDeployedStage(more: object = {}): Promise<Stage> {
  const clock = new VirtualClock(Date.now());
  const stage = await openStage(clock, clock, more);
  await stage.manage('POST', '/databases', { name: 'telemetry' });
  return stage;
}

/** No Lambda at all, in real time. */
export async function openLocalStage(clock: Clock): Promise<Stage> {
  const stage = await openStage(clock, undefined);
  await stage.manage('POST', '/databases', { name: 'telemetry' });
  return stage;
}
