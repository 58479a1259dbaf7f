import { gunzipSync } from 'node:zlib';
import type { Asked } from '../../sandbox/asked.ts';
import type { Cluster } from '../../sandbox/cluster/server.ts';
import type { Influxd } from './influxd.ts';

/** One of Telegraf's writes: the gate `refuse`s it though its token lives, or it is answered and `lose`s its points. */
export const SABOTAGES = ['refuse', 'lose'] as const;
export type Sabotage = (typeof SABOTAGES)[number];
const SABOTAGED_WRITE = 20;

/** A write of Telegraf's, as it was answered. */
export interface Write {
  readonly status: number;
  /** Lines of line protocol. */
  readonly lines: number;
}

const WRITES = ['/write', '/api/v2/write'];

const isForm = ({ headers }: Asked) =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

/**
 * What the gate is asked in place of a request: it judges the token for the database, and its own tables have
 * nothing to do. A database that a statement names with `ON` is not looked at.
 */
function questionOf(asked: Asked, path: string): Asked {
  const { 'content-encoding': _, 'content-type': __, ...headers } = asked.headers;
  const body = Buffer.alloc(0);
  if (path !== '/query') return { ...asked, headers, body };
  const form = isForm(asked) ? asked.body.toString('utf8') : '';
  const params = new URLSearchParams(`${asked.url.split('?')[1] ?? ''}&${form}`);
  if (params.has('q')) params.set('q', params.get('db') ? 'SELECT * FROM x' : 'SHOW DATABASES');
  return { ...asked, method: 'GET', url: `/query?${params}`, headers, body };
}

function linesOf({ headers, body }: Asked): number {
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  return text.toString('utf8').split('\n').filter(Boolean).length;
}

/**
 * Puts the cluster's Management API and its gate in front of a real database: the cluster alone judges tokens, as
 * the routers of a real one do, and what it lets through of writes and queries is the database's. Returns what
 * Telegraf writes from now on.
 */
export function putInFront(
  cluster: Cluster,
  influxd: Influxd,
  sabotage?: Sabotage,
): readonly Write[] {
  const judge = cluster.respond;
  const writes: Write[] = [];
  let kept = Promise.resolve();

  async function pass(asked: Asked, path: string) {
    const verdict = await judge(questionOf(asked, path));
    return verdict === 'reset' || verdict.status >= 300 ? verdict : influxd.forward(asked);
  }

  async function passTelegrafs(asked: Asked, path: string) {
    const isSabotaged = sabotage !== undefined && writes.length === SABOTAGED_WRITE;
    const reply = isSabotaged
      ? { status: sabotage === 'refuse' ? 401 : 204, body: '' }
      : await pass(asked, path);
    writes.push({ status: reply === 'reset' ? 0 : reply.status, lines: linesOf(asked) });
    return reply;
  }

  cluster.respond = async (asked) => {
    const [path = ''] = asked.url.split('?');
    if (path === '/query' || WRITES.includes(path)) {
      const isTelegrafs = asked.headers['user-agent']?.startsWith('Telegraf/');
      return isTelegrafs ? passTelegrafs(asked, path) : pass(asked, path);
    }
    const reply = await judge(asked);
    if (asked.method !== 'GET' && path.includes('/databases')) {
      // One after the other: a database that was made meanwhile is not dropped.
      kept = kept.then(() => influxd.keep(cluster.state.databases));
      await kept;
    }
    return reply;
  };
  return writes;
}
