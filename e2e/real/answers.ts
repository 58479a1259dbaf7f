import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { realClock } from '../../sandbox/clock.ts';
import { type Cluster, createCluster } from '../../sandbox/cluster/server.ts';

const FILE = join(import.meta.dirname, '../../test/sandbox/real-answers.json');
const DATABASE = 'facts';

const answerSchema = z.object({ status: z.number(), body: z.unknown() });
const caseSchema = z.object({
  what: z.string(),
  /** A query; else `lines` are written. */
  q: z.string().optional(),
  lines: z.string().optional(),
  /** More parameters, or another database; with `bucket`, the write is one of version 2. */
  params: z.record(z.string(), z.string()).optional(),
  /** What a real server answered. Absent: nobody has recorded it yet. */
  real: answerSchema.optional(),
  /** What the sandbox answers otherwise, and why it may. */
  sandbox: answerSchema.optional(),
  because: z.string().optional(),
});
const factsSchema = z.object({ server: z.string(), cases: z.array(caseSchema) });

type Answer = z.infer<typeof answerSchema>;
type Case = z.infer<typeof caseSchema>;

/** The requests, which build on each other, and their answers. */
export const readFacts = () => factsSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Asks everything in turn, about a database of its own, which it removes. */
export async function askAll(cluster: Cluster, cases: readonly Case[]): Promise<readonly Answer[]> {
  const connection = {};
  async function ask(method: string, url: string, token: string, body = ''): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}` };
    const asked = { method, url, headers, body: Buffer.from(body), connection };
    const reply = await cluster.respond(asked);
    if (reply === 'reset') throw new Error(`${method} ${url}: the connection was reset`);
    return { status: reply.status, body: parse(reply.body) };
  }
  const manage = (method: string, path: string, body: object) =>
    ask(method, `/api/v0${path}`, cluster.managementToken, JSON.stringify(body));

  await manage('POST', '/databases', { name: DATABASE });
  const permissions = ['read', 'write'].map((action) => ({ action, resource: '*' }));
  const minted = await manage('POST', '/tokens', { description: 'facts', permissions });
  const { accessToken } = z.object({ accessToken: z.string() }).parse(minted.body);
  const answers: Answer[] = [];
  for (const { q, lines, params = {} } of cases) {
    const isVersion2 = params.bucket !== undefined;
    const query = new URLSearchParams({ ...(!isVersion2 && { db: DATABASE }), ...params });
    if (q !== undefined) query.set('q', q);
    const path = isVersion2 ? '/api/v2/write' : '/write';
    answers.push(
      q === undefined
        ? await ask('POST', `${path}?${query}`, accessToken, lines)
        : await ask('GET', `/query?${query}`, accessToken),
    );
  }
  await manage('DELETE', `/databases/${DATABASE}`, {});
  return answers;
}

export interface Compared {
  /** Answers of the real server that are not those in the file. */
  readonly news: readonly string[];
  /** Why the sandbox answers otherwise, and to what. */
  readonly unlike: readonly string[];
}

/** Asks the real server and the sandbox the same. `record`: what they answer is what the file says from now on. */
export async function compareAnswers(real: Cluster, record: boolean): Promise<Compared> {
  const { server, cases } = readFacts();
  const answers = await askAll(real, cases);
  const embedded = await askAll(createCluster({ clock: realClock }), cases);
  const unlike = new Map<string, string[]>();
  const news: string[] = [];
  const recorded = cases.map(({ real: before, sandbox: _, because, ...asked }, index): Case => {
    const [answer, other] = [answers[index], embedded[index]];
    if (!isDeepStrictEqual(answer, before)) {
      news.push(
        `${asked.what}: found ${JSON.stringify(answer)}, expected ${JSON.stringify(before)}`,
      );
    }
    if (isDeepStrictEqual(answer, other)) return { ...asked, real: answer };
    const reason = because || 'a reason must be written down';
    unlike.set(reason, [...(unlike.get(reason) ?? []), asked.what]);
    return { ...asked, real: answer, sandbox: other, because: because ?? '' };
  });
  const compared = {
    news: record ? [] : news,
    unlike: [...unlike].map(([reason, to]) => `${reason} (${to.join('; ')})`),
  };
  if (!record) return compared;
  writeFileSync(FILE, `${JSON.stringify({ server, cases: recorded }, undefined, 2)}\n`);
  return compared;
}
