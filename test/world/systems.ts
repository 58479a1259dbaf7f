import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { environmentOf as credentialsIn, PERSON } from '../../sandbox/aws/account.ts';
import type { Clock } from '../../sandbox/clock.ts';
import { type Interceptor, passThrough, type Reply } from '../../sandbox/interception.ts';
import { createMachine } from '../../sandbox/lambda/simulated/host.ts';
import type { SimulatedProcess } from '../../sandbox/lambda/simulated/process.ts';
import { createManagementSecret } from '../../sandbox/management-secret.ts';
import {
  createSandbox,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '../../sandbox/sandbox.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { createPeople } from './people.ts';
import { truthOf } from './truth.ts';
import type { Watcher, World } from './world.ts';

export const MANAGEMENT_SECRET = 'influxdb/management';

export interface SystemsOptions extends Omit<SandboxOptions, 'clock'> {
  /** Those that exist before anything is deployed. */
  readonly databases?: readonly string[];
  /** Nothing leaves this process: neither has a function a process of its own, nor is a socket used. */
  readonly isSimulated?: boolean;
  /** What its processes draw, from 0 up to 1. */
  readonly chance?: () => number;
}

/** A world before Keyturn is deployed. Its clock may be the machine's own. */
export interface Systems
  extends Pick<
      World,
      | 'cluster'
      | 'aws'
      | 'identityProvider'
      | 'people'
      | 'outside'
      | 'accepts'
      | 'intercept'
      | 'watch'
      | 'close'
    >,
    ReturnType<typeof truthOf> {
  readonly secrets: SecretsManager;
  /** Whose requests reach both systems without a socket: people's. Absent: this process is theirs. */
  readonly machine: SimulatedProcess | undefined;
}

export async function openSystems(
  clock: Clock,
  {
    databases = ['telemetry', 'quality'],
    isSimulated = false,
    chance = () => 0.5,
    ...options
  }: SystemsOptions = {},
): Promise<Systems> {
  let drawn = 0;
  const given = {
    clock,
    managementSecretName: MANAGEMENT_SECRET,
    // The same ids and strings in every run, so that a failure can be repeated.
    random: () => `world ${++drawn}`,
    ...options,
  };
  const sandbox = isSimulated ? createSandbox(given) : await startSandbox(given);
  const { cluster, aws, identityProvider } = sandbox;
  const machine = isSimulated ? machineOf(sandbox, clock, chance) : undefined;
  const truth = truthOf(sandbox);
  const { people, secrets } = createPeople(sandbox, truth.labels, machine);
  if (machine) {
    await readFilesOnce(machine);
    await machine.run(() =>
      createManagementSecret(
        aws,
        MANAGEMENT_SECRET,
        identityProvider?.clientSecret ?? cluster.managementToken,
      ),
    );
  }
  const interception = interceptionOf(sandbox);
  for (const name of databases) await people.createDatabase(name);

  return {
    cluster,
    aws,
    identityProvider,
    people,
    outside: (program) => (machine ? machine.run(program) : program()),
    secrets,
    machine,
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

export const networkOf = ({
  cluster,
  aws,
  identityProvider,
}: Pick<Systems, 'cluster' | 'aws' | 'identityProvider'>) => ({
  [cluster.url]: cluster.respond,
  [aws.url]: aws.respond,
  ...(identityProvider && { [identityProvider.url]: identityProvider.respond }),
});

function machineOf(sandbox: Sandbox, clock: Clock, random: () => number): SimulatedProcess {
  if (!(clock instanceof VirtualClock)) throw new Error('only virtual time can be simulated');
  // As Lambda and a laptop have it. All simulated worlds call AWS by the same name.
  Object.assign(process.env, environmentOf(sandbox));
  return createMachine({ clock, network: networkOf(sandbox), random });
}

/**
 * The SDK reads the machine's files of configuration at its first call, and a run loads what it rarely needs when it
 * needs it. Time must not move meanwhile, so it is done before.
 */
async function readFilesOnce(machine: SimulatedProcess): Promise<void> {
  await import('#identity-provider');
  await import('#key-policy-reader');
  await import('#schedule-reader');
  await machine.run(() => new SecretsManager({}).listSecrets({}));
}

/** What a policy says of the cluster. */
export const clusterOf = ({
  cluster,
  identityProvider,
}: Pick<Systems, 'cluster' | 'identityProvider'>) => ({
  url: cluster.url,
  ...(identityProvider
    ? {
        oauth: {
          tokenUrl: identityProvider.tokenUrl,
          clientId: identityProvider.clientId,
          clientSecret: MANAGEMENT_SECRET,
        },
      }
    : { managementToken: MANAGEMENT_SECRET }),
});

/** How Keyturn finds AWS, in Lambda as on a laptop. */
export const environmentOf = ({ aws }: Pick<Systems, 'aws'>) => ({
  AWS_REGION: aws.region,
  ...credentialsIn(PERSON),
  AWS_ENDPOINT_URL: aws.url,
});

/** Watchers stand around the effect itself, and one interceptor before them. */
function interceptionOf({
  cluster,
  aws,
  identityProvider,
}: Sandbox): Pick<World, 'intercept' | 'watch'> {
  const watchers: Watcher[] = [];
  let interceptor = passThrough;
  const watched: Interceptor = (call, effect) =>
    interceptor(call, () =>
      watchers.reduce<() => Reply>((inner, watcher) => () => watcher(call, inner), effect)(),
    );
  cluster.intercept = watched;
  aws.intercept = watched;
  if (identityProvider) identityProvider.intercept = watched;
  return {
    intercept(next = passThrough) {
      interceptor = next;
    },
    watch(watcher) {
      watchers.push(watcher);
    },
  };
}
