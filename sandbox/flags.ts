import { parseArgs } from 'node:util';
import { type ProfileSettings, readProfile } from './profile.ts';
import type { SandboxOptions } from './sandbox.ts';

export const usage = `npm run sandbox -- [flags]
  --cluster-port PORT        port of InfluxDB's Management API and data plane (default: any free port)
  --aws-port PORT            port of Secrets Manager and EventBridge (default: any free port)
  --region REGION            Region of the AWS endpoint (default: eu-west-1)
  --management-secret NAME   secret with the management token (default: keyturn/management-token)
  --profile FILE             be like the cluster that keyturn doctor --measure measured; what other flags say is stronger
  --activation-delay TIME    time until the data plane accepts a new token, such as 500ms, 2s or 1m (default: 0)
  --revocation-delay TIME    time until the data plane refuses a deleted token (default: 0)
  --routers NUMBER           routers of the data plane, each with its own copy of the tokens (default: 1)
  --router-spread TIME       time by which the slowest router learns later than the fastest (default: 0)
  --list-lag TIME            age of the state that ListSecrets shows (default: 0)
  --read-lag TIME            age of the state that reads of one secret show (default: 0)
  --throttle                 refuse what is above the quotas of Secrets Manager
`;

const string = { type: 'string' } as const;

const AT_ONCE: ProfileSettings = {
  activationDelayMs: 0,
  revocationDelayMs: 0,
  routers: { count: 1, spreadMs: 0 },
  manners: {},
};

/** The options, or `'help'`. Throws an error with a message for the person. */
export function parseFlags(args: readonly string[]): Omit<SandboxOptions, 'clock'> | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      'cluster-port': string,
      'aws-port': string,
      region: string,
      'management-secret': string,
      profile: string,
      'activation-delay': string,
      'revocation-delay': string,
      routers: string,
      'router-spread': string,
      'list-lag': string,
      'read-lag': string,
      throttle: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const secret = values['management-secret'];
  const profile = values.profile === undefined ? AT_ONCE : readProfile(values.profile);
  return {
    clusterPort: port('--cluster-port', values['cluster-port']),
    awsPort: port('--aws-port', values['aws-port']),
    activationDelayMs: milliseconds(
      '--activation-delay',
      values['activation-delay'],
      profile.activationDelayMs,
    ),
    revocationDelayMs: milliseconds(
      '--revocation-delay',
      values['revocation-delay'],
      profile.revocationDelayMs,
    ),
    routers: {
      count: values.routers === undefined ? profile.routers.count : routerCount(values.routers),
      spreadMs: milliseconds('--router-spread', values['router-spread'], profile.routers.spreadMs),
    },
    manners: profile.manners,
    listLagMs: milliseconds('--list-lag', values['list-lag']),
    readLagMs: milliseconds('--read-lag', values['read-lag']),
    isThrottling: values.throttle,
    ...(values.region && { region: values.region }),
    ...(secret && { managementSecretName: secret }),
  };
}

function port(flag: string, text = '0'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`${flag} takes a port from 0 to 65535, not ${JSON.stringify(text)}`);
}

function routerCount(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`--routers takes a number from 1 to 999, not ${JSON.stringify(text)}`);
}

function milliseconds(flag: string, text: string | undefined, byDefault = 0): number {
  if (text === undefined) return byDefault;
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit];
  if (factor !== undefined) return Number(count) * factor;
  throw new Error(`${flag} takes a time such as 500ms, 2s or 1m, not ${JSON.stringify(text)}`);
}
