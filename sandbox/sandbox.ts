import { type Aws, type AwsOptions, createAws, startAws } from './aws/server.ts';
import type { Clock } from './clock.ts';
import {
  type Cluster,
  type ClusterOptions,
  createCluster,
  startCluster,
} from './cluster/server.ts';
import {
  createIdentityProvider,
  type IdentityProvider,
  startIdentityProvider,
} from './identity-provider/server.ts';
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
  /** With an identity provider, whose machine's user the cluster knows; the secret has its client's secret in place of the token. */
  readonly withIdentityProvider?: boolean;
}

export interface Sandbox {
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly aws: Aws;
  readonly identityProvider: IdentityProvider | undefined;
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
  const identityProvider = options.withIdentityProvider
    ? await startIdentityProvider({ clock, ...(options.random && { random: options.random }) })
    : undefined;
  started.defer(() => identityProvider?.close());
  introduce(cluster, identityProvider);
  const text = identityProvider?.clientSecret ?? cluster.managementToken;
  await createManagementSecret(aws, managementSecretName, text);

  const running = started.move();
  return { clock, cluster, aws, identityProvider, close: () => running.disposeAsync() };
}

/** Without an address, and without the management token's secret. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { clock, random, withIdentityProvider = false } = options;
  const cluster = createCluster(options);
  const identityProvider = withIdentityProvider
    ? createIdentityProvider({ clock, ...(random && { random }) })
    : undefined;
  introduce(cluster, identityProvider);
  return {
    clock,
    cluster,
    aws: createAws(options),
    identityProvider,
    close: () => Promise.resolve(),
  };
}

/** Lists the machine's user under the cluster's, as an administrator does. */
function introduce(cluster: Cluster, provider: IdentityProvider | undefined): void {
  if (provider) cluster.identity = { key: provider.key, users: [provider.subject] };
}
