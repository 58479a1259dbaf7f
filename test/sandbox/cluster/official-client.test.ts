import { InfluxDBClient, Point, setLogger } from '@influxdata/influxdb3-client';
import { expect, onTestFinished, test } from 'vitest';
import { type Fixture, START, start } from './fixture.ts';

// The client logs what it rejects with.
setLogger({ error: () => undefined, warn: () => undefined });

async function startWithClient(permissions: readonly object[]) {
  const fixture: Fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'telegraf/autogen' });
  const { accessToken, id } = await fixture.mint(permissions);
  const client = new InfluxDBClient({ host: fixture.cluster.url, token: accessToken });
  onTestFinished(() => client.close());
  return { ...fixture, client, id };
}

const WRITE = { action: 'write', resource: 'telegraf/autogen' };

test('the official client writes points', async () => {
  const { client, cluster } = await startWithClient([WRITE]);
  const point = Point.measurement('cpu')
    .setTag('host', 'a b')
    .setFloatField('load', 0.5)
    .setIntegerField('cores', 8)
    .setStringField('note', 'say "hi"')
    .setTimestamp(new Date(START));
  await client.write(point, 'telegraf/autogen');
  await client.write('cpu,host=c load=1 1767225600', 'telegraf/autogen', undefined, {
    precision: 's',
    gzipThreshold: 1,
  });
  const time = BigInt(START) * 1_000_000n;
  expect(Object.values(cluster.state.databases[0]?.tables[0]?.rows ?? {})).toEqual([
    { time, values: { host: 'a b', load: 0.5, cores: 8n, note: 'say "hi"' } },
    { time, values: { host: 'c', load: 1 } },
  ]);
});

test('the official client sees a revoked token refused', async () => {
  const { client, manage, id } = await startWithClient([WRITE]);
  await manage('DELETE', `/tokens/${id}`);
  await expect(client.write('cpu load=1', 'telegraf/autogen')).rejects.toMatchObject({
    statusCode: 401,
  });
});

test('the official client is told that writing without syncing needs another edition', async () => {
  const { client } = await startWithClient([WRITE]);
  const write = client.write('cpu load=1', 'telegraf/autogen', undefined, { noSync: true });
  await expect(write).rejects.toMatchObject({
    statusMessage: expect.stringContaining("Server doesn't support write with noSync=true"),
  });
});
