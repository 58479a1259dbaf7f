/** What `npm start` deploys: three tokens, two databases, and durations short enough for a month. */
export function demoPolicy(clusterUrl: string, managementToken: string, withGrace: boolean) {
  return {
    owner: 'demo',
    cluster: { url: clusterUrl, managementToken },
    schedules: { rotate: 'rate(30 minutes)', reap: 'rate(1 hour)', enforce: 'rate(1 hour)' },
    defaults: {
      rotateEvery: '7d',
      expiresAfter: '21d',
      renewBefore: '3d',
      gracePeriod: withGrace ? '24h' : '0s',
      quarantine: '2d',
    },
    allowGracePeriodUnderAnHour: !withGrace,
    expiredForeignTokens: 'delete',
    databases: [
      { name: 'telemetry', retention: '90d' },
      { name: 'billing', retention: '365d', maxTables: 800 },
    ],
    tokens: {
      telegraf: {
        description: 'Telegraf on the plant floor',
        permissions: { read: ['telemetry'], write: ['telemetry'] },
      },
      invoices: {
        description: 'Nightly invoice run',
        permissions: { read: ['billing'], write: ['billing'] },
        rotateEvery: '10d',
      },
      grafana: {
        description: 'Dashboards',
        permissions: { read: ['telemetry', 'billing'], write: ['telemetry'] },
        rotateEvery: '5d',
      },
    },
  };
}

/** The consumers, which write and query with these tokens. */
export const consumers = [
  { name: 'telegraf', secret: 'keyturn/demo/telegraf', database: 'telemetry' },
  { name: 'invoices', secret: 'keyturn/demo/invoices', database: 'billing' },
  { name: 'grafana', secret: 'keyturn/demo/grafana', database: 'telemetry' },
] as const;
