import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Asked } from '../../sandbox/asked.ts';
import type { StoredDatabase } from '../../sandbox/cluster/state.ts';
import type { Reply } from '../../sandbox/interception.ts';
import { freePort, startServer } from '../processes.ts';
import { eventually } from '../waiting.ts';

const seriesSchema = z.object({
  name: z.string().optional(),
  columns: z.array(z.string()),
  values: z.array(z.array(z.unknown())).default([]),
});
const answerSchema = z.object({
  results: z.tuple([
    z.object({ series: z.array(seriesSchema).optional(), error: z.undefined().optional() }),
  ]),
});

export type Series = z.infer<typeof seriesSchema>;

/** A real InfluxDB 1, which asks for no token. */
export interface Influxd {
  /** Carries out a write or a query, without its credentials. */
  forward(asked: Asked): Promise<Reply>;
  /** @throws Error if the statement failed */
  query(q: string, database?: string): Promise<readonly Series[]>;
  /** Makes its databases and their retention those of a cluster. What was renamed is another one, and empty. */
  keep(databases: readonly StoredDatabase[]): Promise<void>;
  stop(): void;
}

/** Its own statistics would be one more database, and one more writer. */
const config = (folder: string, http: number, rpc: number) => `
reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${http}"
  log-enabled = false
`;

/** All others are the connection's, or credentials. */
const FORWARDED = ['content-type', 'content-encoding', 'accept'];
const NANOSECONDS_A_SECOND = 1_000_000_000n;

export async function startInfluxd(program: string, folder: string): Promise<Influxd> {
  mkdirSync(folder);
  const [http, rpc] = [await freePort(), await freePort()];
  const configFile = join(folder, 'influxdb.conf');
  const logFile = join(folder, 'log');
  writeFileSync(configFile, config(folder, http, rpc));
  const { stop } = startServer(program, ['run', '-config', configFile], { logFile });
  const url = `http://127.0.0.1:${http}`;
  await eventually(
    30_000,
    () =>
      fetch(`${url}/ping`).then(
        ({ status }) => status === 204,
        () => false,
      ),
    () => readFileSync(logFile, 'utf8').slice(-2_000),
  );

  async function query(q: string, db = ''): Promise<readonly Series[]> {
    const body = new URLSearchParams({ q, db, epoch: 'ns' });
    const text = await (await fetch(`${url}/query`, { method: 'POST', body })).text();
    const answer = answerSchema.safeParse(JSON.parse(text));
    if (!answer.success) throw new Error(`influxd answers ${text} to ${q}`);
    return answer.data.results[0].series ?? [];
  }

  return {
    query,
    stop,
    async forward(asked) {
      const target = new URL(asked.url, url);
      for (const credential of ['u', 'p']) target.searchParams.delete(credential);
      const kept = Object.entries(asked.headers).filter(([name]) => FORWARDED.includes(name));
      const answer = await fetch(target, {
        method: asked.method,
        headers: kept.map(([name, value]): [string, string] => [name, String(value)]),
        ...(asked.method === 'POST' && { body: asked.body }),
      });
      const type = answer.headers.get('content-type');
      const headers = type ? { 'content-type': type } : {};
      return { status: answer.status, headers, body: await answer.text() };
    },
    async keep(databases) {
      const active = databases.filter(({ deletedAt }) => deletedAt === undefined);
      for (const { name, retentionPeriod } of active) {
        const duration = retentionPeriod ? `${retentionPeriod / NANOSECONDS_A_SECOND}s` : 'INF';
        await query(`CREATE DATABASE "${name}"`);
        await query(
          `ALTER RETENTION POLICY "autogen" ON "${name}" DURATION ${duration} SHARD DURATION 0s`,
        );
      }
      const [found] = await query('SHOW DATABASES');
      for (const [name] of found?.values ?? []) {
        if (!active.some((each) => each.name === name)) await query(`DROP DATABASE "${name}"`);
      }
    },
  };
}
