import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../../sandbox/clock.ts';
import { type Interceptor, passThrough, type Reply } from '../../sandbox/interception.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { createPeople } from './people.ts';
import { truthOf } from './truth.ts';
import type { Watcher, World } from './world.ts';

export const MANAGEMENT_SECRET = 'influxdb/management';

export interface SystemsOptions extends Omit<SandboxOptions, 'clock'> {
  /** Those that exist before anything is deployed. */
  readonly databases?: readonly string[];
}

/** A world before Keyturn is deployed. Its clock may be the machine's own. */
export interface Systems
  extends Pick<World, 'cluster' | 'aws' | 'people' | 'accepts' | 'intercept' | 'watch' | 'close'>,
    ReturnType<typeof truthOf> {
  readonly secrets: SecretsManager;
}

export async function openSystems(
  clock: Clock,
  { databases = ['telemetry', 'quality'], ...options }: SystemsOptions = {},
): Promise<Systems> {
  let drawn = 0;
  const sandbox = await startSandbox({
    clock,
    managementSecretName: MANAGEMENT_SECRET,
    // The same ids and strings in every run, so that a failure can be repeated.
    random: () => `world ${++drawn}`,
    ...options,
  });
  const { cluster, aws } = sandbox;
  const truth = truthOf(sandbox);
  const { people, secrets } = createPeople(sandbox, truth.labels);
  const interception = interceptionOf(sandbox);
  for (const name of databases) await people.createDatabase(name);

  return {
    cluster,
    aws,
    people,
    secrets,
    ...truth,
    ...interception,
    accepts: (string, action = 'write', database = databases[0] ?? '') =>
      cluster.accepts(string, action, database),
    async close() {
      secrets.destroy();
      await sandbox.close();
    },
  };
}

/** What a policy says of the cluster. */
export const clusterOf = ({ cluster }: Pick<Systems, 'cluster'>) => ({
  url: cluster.url,
  managementToken: MANAGEMENT_SECRET,
});

/** How Keyturn finds AWS, in Lambda as on a laptop. */
export const environmentOf = ({ aws }: Pick<Systems, 'aws'>) => ({
  AWS_REGION: aws.region,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL: aws.url,
});

/** Watchers stand around the effect itself, and one interceptor before them. */
function interceptionOf({ cluster, aws }: Sandbox): Pick<World, 'intercept' | 'watch'> {
  const watchers: Watcher[] = [];
  let interceptor = passThrough;
  const watched: Interceptor = (call, effect) =>
    interceptor(call, () =>
      watchers.reduce<() => Reply>((inner, watcher) => () => watcher(call, inner), effect)(),
    );
  cluster.intercept = watched;
  aws.intercept = watched;
  return {
    intercept(next = passThrough) {
      interceptor = next;
    },
    watch(watcher) {
      watchers.push(watcher);
    },
  };
}
