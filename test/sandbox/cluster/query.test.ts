import { expect, test } from 'vitest';
import { bearer, START, start } from './fixture.ts';

const HOUR_NS = 3_600_000_000_000n;
const NOW = BigInt(START) * 1_000_000n;

async function startWithPoints() {
  const fixture = await start();
  await fixture.manage('POST', '/databases', { name: 'db' });
  const { accessToken } = await fixture.mint([
    { action: 'read', resource: 'db' },
    { action: 'write', resource: 'db' },
  ]);
  const lines = [
    `cpu,host=a load=3,cores=8i ${NOW - 2n * HOUR_NS}`,
    `cpu,host=b load=1 ${NOW - HOUR_NS}`,
    `cpu,host=a load=2,cores=9007199254740993i ${NOW + 5n}`,
  ];
  await fixture.write('/write?db=db', lines.join('\n'), bearer(accessToken));
  const ask = (q: string) => fixture.query(accessToken, 'db', q);
  const values = async (q: string) => (await ask(q)).json.results[0].series?.[0].values;
  return { ...fixture, accessToken, ask, values };
}

test('SELECT * answers with all columns, by name and by time', async () => {
  const { ask } = await startWithPoints();
  const answer = await ask('SELECT * FROM cpu');
  expect(answer.text).toContain('9007199254740993');
  expect(answer.json.results).toEqual([
    {
      statement_id: 0,
      series: [
        {
          name: 'cpu',
          columns: ['time', 'cores', 'host', 'load'],
          values: [
            ['2025-12-31T22:00:00Z', 8, 'a', 3],
            ['2025-12-31T23:00:00Z', null, 'b', 1],
            ['2026-01-01T00:00:00.000000005Z', Number('9007199254740993'), 'a', 2],
          ],
        },
      ],
    },
  ]);
});

test('a selected field leaves out the rows that lack it, and tags alone select nothing', async () => {
  const { values } = await startWithPoints();
  expect(await values('SELECT cores, host FROM cpu')).toHaveLength(2);
  expect(await values('select "load" from "cpu" limit 1')).toEqual([['2025-12-31T22:00:00Z', 3]]);
  expect(await values('SELECT host FROM cpu')).toBeUndefined();
  expect(await values('SELECT constructor FROM cpu')).toBeUndefined();
});

test('the order by time, limits and offsets page through the rows', async () => {
  const { values } = await startWithPoints();
  const loads = async (q: string) => (await values(q)).map(([, load]: [string, number]) => load);
  expect(await loads('SELECT load FROM cpu ORDER BY time DESC')).toEqual([2, 1, 3]);
  expect(await loads('SELECT load FROM cpu ORDER BY time ASC LIMIT 2')).toEqual([3, 1]);
  expect(await loads('SELECT load FROM cpu ORDER BY time DESC LIMIT 1 OFFSET 1')).toEqual([1]);
});

test('conditions compare times, tags and fields', async () => {
  const { values } = await startWithPoints();
  const count = async (where: string) =>
    (await values(`SELECT load FROM cpu WHERE ${where}`))?.length ?? 0;
  expect(await count('time > now()')).toBe(1);
  expect(await count('time >= now() - 1h')).toBe(2);
  expect(await count('time >= now() - 1h AND time <= now()')).toBe(1);
  expect(await count("time < '2025-12-31T23:00:00Z'")).toBe(1);
  expect(await count(`time = ${NOW + 5n}`)).toBe(1);
  expect(await count("host = 'a'")).toBe(2);
  expect(await count("host != 'a' AND load < 2")).toBe(1);
  expect(await count('cores = 8')).toBe(1);
});

test('functions aggregate the rows found', async () => {
  const { ask, values } = await startWithPoints();
  expect((await ask('SELECT count(load), mean(load) FROM cpu')).json.results[0].series).toEqual([
    { name: 'cpu', columns: ['time', 'count', 'mean'], values: [['1970-01-01T00:00:00Z', 3, 2]] },
  ]);
  const q = 'SELECT sum(load), min(load), max(load), first(load), last(load) FROM cpu';
  expect((await values(q))[0].slice(1)).toEqual([6, 1, 3, 3, 2]);
  expect(await values("SELECT count(load) FROM cpu WHERE host = 'c'")).toBeUndefined();
});

test('the parameter epoch turns times into integers', async () => {
  const { accessToken, fetch } = await startWithPoints();
  const q = encodeURIComponent('SELECT last(load) FROM cpu; SELECT load FROM cpu LIMIT 1');
  const path = `/query?db=db&epoch=ms&q=${q}`;
  const { results } = (await fetch(path, { headers: bearer(accessToken) })).json;
  expect(results[0].series[0].values).toEqual([[START, 2]]);
  expect(results[1]).toMatchObject({ statement_id: 1 });
  expect(results[1].series[0].values).toEqual([[START - 7_200_000, 3]]);
});

test('SHOW is refused, or shows, what the token may read', async () => {
  const { manage, query, accessToken } = await startWithPoints();
  await manage('POST', '/databases', { name: 'other' });
  const databases = await query(accessToken, '', 'SHOW DATABASES');
  expect(databases.json.results[0].series[0].values).toEqual([['db']]);
  expect((await query('unknown', '', 'SHOW DATABASES')).status).toBe(401);
  expect((await query(accessToken, 'other', 'SHOW MEASUREMENTS')).status).toBe(401);
  expect((await query(accessToken, 'db', 'SHOW TAG KEYS ON other')).status).toBe(401);
});

test('SHOW TAG VALUES leaves out what is older than the retention period', async () => {
  const { manage, values } = await startWithPoints();
  const q = 'SHOW TAG VALUES FROM cpu WITH KEY = host';
  await manage('PATCH', '/databases/db', { retentionPeriod: 1n });
  expect(await values(q)).toEqual([['host', 'a']]);
});

test('a mean over time without times goes from the first point until now', async () => {
  const { values } = await startWithPoints();
  const q = "SELECT mean(load) FROM cpu WHERE host = 'a' GROUP BY time(1h)";
  expect(await values(q)).toEqual([
    ['2025-12-31T22:00:00Z', 3],
    ['2025-12-31T23:00:00Z', null],
    ['2026-01-01T00:00:00Z', 2],
  ]);
});

test('a query may be posted as a form', async () => {
  const { accessToken, fetch } = await startWithPoints();
  const answer = await fetch('/query', {
    method: 'POST',
    headers: bearer(accessToken),
    body: new URLSearchParams({ db: 'db', q: 'SELECT load FROM cpu' }),
  });
  expect(answer.json.results[0].series[0].values).toHaveLength(3);
});

test('a shorter retention hides points at once, and a longer one shows them again', async () => {
  const { manage, values, cluster } = await startWithPoints();
  const retain = (retentionPeriod: bigint) => manage('PATCH', '/databases/db', { retentionPeriod });
  await retain(HOUR_NS);
  expect(await values('SELECT load FROM cpu')).toHaveLength(2);
  await retain(1n);
  expect(await values('SELECT load FROM cpu')).toHaveLength(1);
  await retain(0n);
  expect(await values('SELECT load FROM cpu')).toHaveLength(3);
  expect(Object.keys(cluster.state.databases[0]?.tables[0]?.rows ?? {})).toHaveLength(3);
});

test('a deleted table is gone, and comes back with its rows', async () => {
  const { manage, values, cluster } = await startWithPoints();
  const id = cluster.state.databases[0]?.tables[0]?.id;
  await manage('DELETE', '/databases/db/tables/cpu');
  expect(await values('SELECT load FROM cpu')).toBeUndefined();
  await manage('PUT', `/databases/db/tables/${id}/undelete`);
  expect(await values('SELECT load FROM cpu')).toHaveLength(3);
});

test.each([
  '',
  'SELECT',
  'SELECT * FROM',
  'SELECT * FROM cpu WHERE',
  'SELECT * FROM cpu WHERE time > 1.5',
  'SELECT * FROM cpu LIMIT x',
  'SELECT * FROM cpu nonsense',
  'SELECT load, count(load) FROM cpu',
  'SELECT median(load) FROM cpu',
  'DROP TABLE cpu',
  'SELECT * FROM cpu §',
])('%j does not parse, which is an error beside status 200', async (q) => {
  const { ask } = await startWithPoints();
  const answer = await ask(q);
  expect(answer.status).toBe(200);
  expect(answer.json.results).toEqual([{ statement_id: 0, error: expect.any(String) }]);
});

test('a query without its parameters is told so', async () => {
  const { fetch } = await start();
  expect((await fetch('/query?db=db')).status).toBe(400);
  const answer = await fetch(`/query?q=${encodeURIComponent('SELECT * FROM cpu')}`);
  expect([answer.status, answer.json.results[0].error]).toEqual([
    200,
    expect.stringContaining("must specify a 'db' parameter"),
  ]);
});
