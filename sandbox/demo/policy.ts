const HOUR_MS = 3_600_000;
/** What consumers rely on, whatever the policy says. */
export const GRACE_MS = 24 * HOUR_MS;
/** By then the first tokens are issued. */
export const ISSUED_AFTER_MS = 2 * HOUR_MS;

const tokens = {
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
};

/** What `npm start` deploys: three tokens, two databases, and durations short enough for a month. */
export const demoPolicy = (clusterUrl: string, managementToken: string, withGrace: boolean) => ({
  owner: 'demo',
  cluster: { url: clusterUrl, managementToken },
  schedules: { rotate: 'rate(30 minutes)', reap: 'rate(1 hour)', enforce: 'rate(6 hours)' },
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
  tokens,
});

/** The secret of an entry. */
export const secretOf = (name: keyof typeof tokens) => `keyturn/demo/${name}`;

export interface Grant {
  readonly action: 'read' | 'write';
  readonly database: string;
}

const grantsOf = (action: Grant['action'], databases: readonly string[]): readonly Grant[] =>
  databases.map((database) => ({ action, database }));

/** What the string in each secret must be good for, by the secret's name. */
export const grants: ReadonlyMap<string, readonly Grant[]> = new Map(
  (['telegraf', 'invoices', 'grafana'] as const).map((name) => {
    const { read, write } = tokens[name].permissions;
    return [secretOf(name), [...grantsOf('read', read), ...grantsOf('write', write)]];
  }),
);

const work = [
  { name: 'telegraf', secret: secretOf('telegraf'), database: 'telemetry' },
  { name: 'invoices', secret: secretOf('invoices'), database: 'billing' },
  { name: 'grafana', secret: secretOf('grafana'), database: 'telemetry' },
] as const;

/**
 * The consumers, which write and query with these tokens: of each secret one that listens to Secrets
 * Manager's event and re-reads at once, and one that does not. The latter has always just read when people
 * want a new token.
 */
export const consumers = work.flatMap(({ name, ...rest }) => [
  { name, ...rest, listens: true, startsAfterMs: ISSUED_AFTER_MS },
  { name: `${name}-late`, ...rest, listens: false, startsAfterMs: GRACE_MS },
]);
