export const OWNER = 'e2e';
export const STACK = `Keyturn-${OWNER}`;
export const MANAGEMENT_SECRET = 'influxdb/management';
/** Grace period and quarantine: short, so that each run of `reap` does the next step of a retirement. */
const STEP = '10s';

export const secretOf = (token: string, owner = OWNER) => `keyturn/${owner}/${token}`;

/** Is told of alarms. */
export const ON_CALL = 'on-call@example.com';

const tokens = {
  /** Is rotated; its old token is observed until it is deleted. */
  telegraf: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
  /** Gets more permissions in the second policy. */
  grafana: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
  /** Leaks and is revoked. */
  invoices: { permissions: { read: ['billing'], write: ['billing'] } },
};

/**
 * The first deployment: durations as short as a policy may have. The test fires the schedules itself
 * (firing.ts).
 */
export const firstPolicy = (clusterUrl: string) => ({
  owner: OWNER,
  cluster: { url: clusterUrl, managementToken: MANAGEMENT_SECRET },
  schedules: {
    rotate: 'rate(5 minutes)',
    reap: 'rate(5 minutes)',
    enforce: 'rate(5 minutes)',
    paused: true,
  },
  allowGracePeriodUnderAnHour: true,
  defaults: {
    rotateEvery: '1d',
    renewBefore: '1d',
    expiresAfter: '7d',
    gracePeriod: STEP,
    quarantine: STEP,
  },
  expiredForeignTokens: 'delete',
  deployment: { alarms: { emails: [ON_CALL] } },
  databases: [
    { name: 'telemetry', retention: '90d', maxTables: 300 },
    { name: 'billing', retention: '365d', ifMissing: 'create' },
  ],
  tokens,
});

export const NEIGHBOUR = 'e2e-neighbour';

/**
 * A deployment of another owner, of the same cluster and in the same account, as version 0.1.0 understands it too. Its schedules are on,
 * and do not fire within the run.
 */
export function neighbourPolicy(clusterUrl: string) {
  const { databases, deployment, ...policy } = firstPolicy(clusterUrl);
  return {
    ...policy,
    owner: NEIGHBOUR,
    schedules: { rotate: 'rate(1 hour)', reap: 'rate(1 hour)', enforce: 'rate(1 hour)' },
    tokens: { telegraf: tokens.telegraf },
  };
}

/** The third one never works: its update fails. */
export function brokenPolicy(clusterUrl: string) {
  const policy = secondPolicy(clusterUrl);
  return { ...policy, tokens: { ...policy.tokens, never: tokens.telegraf } };
}

/** The second deployment: one more token, and more permissions for another. */
export function secondPolicy(clusterUrl: string) {
  const policy = firstPolicy(clusterUrl);
  return {
    ...policy,
    tokens: {
      ...tokens,
      grafana: { permissions: { read: ['telemetry', 'billing'], write: ['telemetry'] } },
      backup: { permissions: { read: ['telemetry'] } },
    },
  };
}
