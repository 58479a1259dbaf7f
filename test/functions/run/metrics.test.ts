import { expect, test } from 'vitest';
import { DAY, type Deployment, policy, startRun, writer } from './run.ts';

const TELEGRAF = 'keyturn/prod/telegraf';
const fleet = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, writer]));

interface Line {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [key: string]: unknown;
}

/** What CloudWatch would make of a deployment's log, newest last: `Owner=prod OwnedTokens` and its value. */
function metricsOf({ lines }: Deployment): Record<string, unknown>[] {
  const parsed = lines().flatMap((text): Line[] =>
    text.startsWith('{') ? [JSON.parse(text)] : [],
  );
  return parsed.flatMap(({ _aws, ...root }) =>
    (_aws?.CloudWatchMetrics ?? []).map(({ Namespace, Dimensions, Metrics }) => {
      expect(Namespace).toBe('Keyturn');
      const [dimensions = []] = Dimensions;
      const where = dimensions.map((name) => `${name}=${root[name]}`).join(' ');
      return Object.fromEntries(Metrics.map(({ Name }) => [`${where} ${Name}`, root[Name]]));
    }),
  );
}

test('a run ends with what it measured, and one line for each kind of action', async () => {
  const run = await startRun(policy({ telegraf: writer }));
  await run.rotate();
  expect(metricsOf(run)).toEqual([
    {
      'Owner=prod OwnedTokens': 0,
      'Owner=prod OverdueTokens': 0,
      'Owner=prod TokensNearExpiry': 0,
      'Owner=prod RefusedPlans': 0,
      'Owner=prod FailedActions': 0,
    },
    { 'Owner=prod Action=rotate Actions': 1 },
  ]);
  await run.wait(DAY);
  await run.rotate();
  expect(metricsOf(run).at(-1)).toMatchObject({
    'Owner=prod OwnedTokens': 1,
    'Owner=prod RunwayDays': 89,
    'Owner=prod OldestTokenDays': 1,
  });
});

test('a refused plan is counted, and none of its actions', async () => {
  const run = await startRun(policy(fleet));
  await run.rotate();
  for (const { id } of run.tokens()) await run.manage('DELETE', `/tokens/${id}`);
  const before = metricsOf(run).length;
  await run.rotate({ dryRun: true });
  await run.rotate();
  const [dry, refused, ...more] = metricsOf(run).slice(before);
  expect(dry).not.toHaveProperty('Owner=prod RefusedPlans');
  expect(refused).toMatchObject({ 'Owner=prod RefusedPlans': 1 });
  expect(more).toEqual([]);
});

test('failures are counted beside what was done', async () => {
  const run = await startRun(policy({ telegraf: writer, grafana: writer }));
  const Tags = [{ Key: 'keyturn:owner', Value: 'other' }];
  await run.secrets.createSecret({ Name: TELEGRAF, SecretString: 'theirs', Tags });
  await run.rotate();
  expect(metricsOf(run)).toMatchObject([
    { 'Owner=prod FailedActions': 1 },
    { 'Owner=prod Action=rotate Actions': 1 },
  ]);
});

test('the databases that differ from their rules and are left so', async () => {
  const databases = [
    { name: 'quality', mode: 'report', maxTables: 7, maxColumnsPerTable: 9 },
    { name: 'telemetry', maxTables: 700 },
  ];
  const run = await startRun(policy({ telegraf: writer }, { databases }));
  await run.enforce();
  expect(metricsOf(run)).toMatchObject([
    { 'Owner=prod DriftedDatabases': 1 },
    { 'Owner=prod Action=change Actions': 1 },
  ]);
});

test.each([
  ['2026-03-12T12:00:00Z', 10],
  ['2026-03-01T00:00:00Z', -1.5],
  ['soon', undefined],
])('the management token, where its secret says %s', async (expiresAt, days) => {
  const run = await startRun(policy({ telegraf: writer }));
  const token = run.sandbox.cluster.managementToken;
  const SecretString = JSON.stringify({ token, expiresAt });
  await run.secrets.putSecretValue({ SecretId: 'influxdb/management', SecretString });
  await run.reap();
  expect(metricsOf(run)[0]?.['Owner=prod ManagementTokenDays']).toBe(days);
});
