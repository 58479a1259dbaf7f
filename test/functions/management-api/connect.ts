import { onTestFinished } from 'vitest';
import type { ManagementApiOptions } from '../../../functions/management-api/caller.ts';
import { createManagementApi } from '../../../functions/management-api/client.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { realClock } from '../../../sandbox/clock.ts';
import {
  type Cluster,
  type ClusterOptions,
  startCluster,
} from '../../../sandbox/cluster/server.ts';
import { fakeTiming } from '../fake-timing.ts';

export const MANAGEMENT_TOKEN = `M.V1.${'0123456789abcdef'.repeat(4)}`;

/** A client that waits in no real time. */
export function connect(url: string, overrides: Partial<ManagementApiOptions> = {}) {
  const timing = fakeTiming();
  const api = createManagementApi({
    url,
    token: new TokenValue(MANAGEMENT_TOKEN),
    prefix: '/api/v0',
    ...timing,
    deadline: () => 900_000,
    ...overrides,
  });
  onTestFinished(() => api.disconnect());
  return { api, timing };
}

/** A cluster of its own for one test, and a client of it. */
export async function connectToCluster(
  options: Partial<ClusterOptions> = {},
  overrides: Partial<ManagementApiOptions> = {},
) {
  const cluster: Cluster = await startCluster({
    clock: realClock,
    managementToken: MANAGEMENT_TOKEN,
    ...options,
  });
  onTestFinished(() => cluster.close());
  return { cluster, ...connect(cluster.url, overrides) };
}
