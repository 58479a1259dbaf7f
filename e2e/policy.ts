export const OWNER = 'e2e';
export const STACK = `Keyturn-${OWNER}`;
export const MANAGEMENT_SECRET = 'influxdb/management';
/** Grace period and quarantine: a step of a token's retirement is then due at the next run of `reap`. */
const STEP = '10s';

export const secretOf = (token: string) => `keyturn/${OWNER}/${token}`;

const tokens = {
  /** Is rotated, and its old token followed to its end. */
  telegraf: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
  /** Is widened by the second policy. */
  grafana: { permissions: { read: ['telemetry'], write: ['telemetry'] } },
  /** Leaks, and is revoked. */
  invoices: { permissions: { read: ['billing'], write: ['billing'] } },
};

/** What is deployed first: everything as often as EventBridge can, and as soon as a policy may ask. */
export const firstPolicy = (clusterUrl: string) => ({
  owner: OWNER,
  cluster: { url: clusterUrl, managementToken: MANAGEMENT_SECRET },
  schedules: { rotate: 'rate(1 minute)', reap: 'rate(1 minute)', enforce: 'rate(1 minute)' },
  allowGracePeriodUnderAnHour: true,
  defaults: {
    rotateEvery: '1d',
    renewBefore: '1d',
    expiresAfter: '7d',
    gracePeriod: STEP,
    quarantine: STEP,
  },
  expiredForeignTokens: 'delete',
  databases: [
    { name: 'telemetry', retention: '90d', maxTables: 300 },
    { name: 'billing', retention: '365d', ifMissing: 'create' },
  ],
  tokens,
});

/** What is deployed over it: one token more, and one that may do more. */
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
