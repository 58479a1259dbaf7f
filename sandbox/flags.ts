import { parseArgs } from 'node:util';
import type { SandboxOptions } from './sandbox.ts';

export const usage = `npm run sandbox -- [flags]
  --cluster-port PORT        InfluxDB's management API and data plane (0, the default: any)
  --aws-port PORT            Secrets Manager and EventBridge (0, the default: any)
  --region REGION            of the AWS endpoint (eu-west-1)
  --management-secret NAME   where the management token is kept (keyturn/management-token)
  --activation-delay TIME    from a token's creation until the data plane accepts it (500ms, 2s, 1m)
  --revocation-delay TIME    from a token's deletion until the data plane refuses it
  --list-lag TIME            how far ListSecrets is behind
  --read-lag TIME            how far reads of a single secret are behind
`;

const string = { type: 'string' } as const;

/** `'help'`, or what was asked for. Throws an error whose message is meant for the person. */
export function parseFlags(args: readonly string[]): Omit<SandboxOptions, 'clock'> | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      'cluster-port': string,
      'aws-port': string,
      region: string,
      'management-secret': string,
      'activation-delay': string,
      'revocation-delay': string,
      'list-lag': string,
      'read-lag': string,
    },
  });
  if (values.help) return 'help';
  const secret = values['management-secret'];
  return {
    clusterPort: port('--cluster-port', values['cluster-port']),
    awsPort: port('--aws-port', values['aws-port']),
    activationDelayMs: milliseconds('--activation-delay', values['activation-delay']),
    revocationDelayMs: milliseconds('--revocation-delay', values['revocation-delay']),
    listLagMs: milliseconds('--list-lag', values['list-lag']),
    readLagMs: milliseconds('--read-lag', values['read-lag']),
    ...(values.region && { region: values.region }),
    ...(secret && { managementSecretName: secret }),
  };
}

function port(flag: string, text = '0'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`${flag} takes a port from 0 to 65535, not ${JSON.stringify(text)}`);
}

function milliseconds(flag: string, text = '0ms'): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit];
  if (factor !== undefined) return Number(count) * factor;
  throw new Error(`${flag} takes a time such as 500ms, 2s or 1m, not ${JSON.stringify(text)}`);
}
