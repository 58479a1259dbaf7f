import { type Aws, type AwsOptions, createAws, startAws } from './aws/server.ts';
import type { Clock } from './clock.ts';
import {
  type Cluster,
  type ClusterOptions,
  createCluster,
  startCluster,
} from './cluster/server.ts';
import { createManagementSecret } from './management-secret.ts';

/** Interceptors, delays and lags can be changed later, on the two servers. */
export interface SandboxOptions
  extends Omit<ClusterOptions, 'port' | 'intercept'>,
    Omit<AwsOptions, 'port' | 'intercept'> {
  readonly clock: Clock;
  /** Any free port by default. */
  readonly clusterPort?: number;
  readonly awsPort?: number;
  readonly managementSecretName?: string;
}

export interface Sandbox {
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly aws: Aws;
  close(): Promise<void>;
}

/** An embedded cluster, and AWS with the cluster's management token in its Secrets Manager. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clusterPort = 0, awsPort = 0, ...rest } = options;
  const { managementSecretName = 'keyturn/management-token', clock } = options;

  await using started = new AsyncDisposableStack();
  const cluster = await startCluster({ ...rest, port: clusterPort });
  started.defer(() => cluster.close());
  const aws = await startAws({ ...rest, port: awsPort });
  started.defer(() => aws.close());
  await createManagementSecret(aws, managementSecretName, cluster.managementToken);

  const running = started.move();
  return { clock, cluster, aws, close: () => running.disposeAsync() };
}

/** Both without an address, and without the management token's secret. */
export const createSandbox = (options: SandboxOptions): Sandbox => ({
  clock: options.clock,
  cluster: createCluster(options),
  aws: createAws(options),
  close: () => Promise.resolve(),
});
