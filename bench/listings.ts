import { BODIES } from './canned.ts';
import type { Issued } from './fleet-state.ts';
import { issueFirst } from './issue-first.ts';
import { CLIENTS, startServers } from './serve.ts';
import type { Row } from './table.ts';
import { policyOf, scheduledAt } from './world.ts';

const TOKENS = 100_000;
const QUARTER = TOKENS / 4;

/** A run that finds nothing to do in so many tokens, and the least that anybody needs who reads the same listings. */
async function observe(issued: Issued, tokens: number) {
  const servers = await startServers({ isPlain: true });
  try {
    const { cluster } = servers.urls;
    await servers.list(issued, tokens);
    const { environment } = servers.deploy('rotate', policyOf(cluster, tokens));
    const reader = servers.run({ ...environment, BENCH_WAITS: 'none' });
    const run = await reader.take({
      event: { dryRun: true, scheduled: scheduledAt(Date.now(), 1_800_000) },
    });
    if (run.results.planned !== 0) throw new Error(`${run.results.planned} actions were planned`);
    if (run.results.entries !== tokens) throw new Error(`${run.results.entries} entries were seen`);
    const parse = await reader.take({ parse: `${cluster}${BODIES}` });
    const clients = await servers.run(environment, CLIENTS).take({ cluster });
    for (const [listing, count = 0] of Object.entries(clients.results))
      if (count !== tokens) throw new Error(`the clients listed ${count} ${listing}`);
    return {
      clientsMs: clients.cpuMs,
      clientsMb: clients.peakMb,
      plannedMs: run.plannedMs ?? 0,
      wholeMs: run.cpuMs,
      peakMb: run.peakMb,
      parseMs: parse.cpuMs,
    };
  } finally {
    await servers.close();
  }
}

export async function measureListings(): Promise<readonly Row[]> {
  const issued = await issueFirst();
  const quarter = await observe(issued, QUARTER);
  const all = await observe(issued, TOKENS);
  const thousands = (count: number) => count.toLocaleString('en');
  return [
    {
      figure: `observe and plan ${thousands(TOKENS)} tokens / JSON.parse of both listings`,
      unit: 'ms',
      value: all.plannedMs,
      floor: all.parseMs,
      goal: { of: 'floor', atMost: 2.5, noise: 0.1 },
      note: 'CPU of a dry run of rotate over http until it has its plan, in a process that has parsed the policy',
    },
    {
      figure: 'of these, reading both by the SDK and undici, and nothing else / JSON.parse',
      unit: 'ms',
      value: all.clientsMs,
      floor: all.parseMs,
      note: 'the named clients as they come, in a process of their own',
    },
    {
      figure: `observe and plan ${thousands(TOKENS)} tokens / reading both by these clients`,
      unit: 'ms',
      value: all.plannedMs,
      floor: all.clientsMs,
      goal: { of: 'floor', atMost: 2.5, noise: 0.1 },
    },
    {
      figure: `${thousands(TOKENS)} tokens / ${thousands(QUARTER)}: CPU`,
      unit: 'ratio',
      value: all.plannedMs / quarter.plannedMs,
      goal: { of: 'this', atMost: 4.4, noise: 0.1 },
    },
    {
      figure: `${thousands(TOKENS)} tokens: the whole dry run, with its answer`,
      unit: 'ms',
      value: all.wholeMs,
      floor: all.parseMs,
    },
    {
      figure: `${thousands(TOKENS)} tokens: most memory of the process`,
      unit: 'MB',
      value: all.peakMb,
      floor: all.clientsMb,
      goal: { of: 'this', atMost: 400, noise: 0.1 },
    },
  ];
}
