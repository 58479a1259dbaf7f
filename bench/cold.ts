import { issueFirst } from './issue-first.ts';
import { leastOf, nodeCpuMs } from './one-process.ts';
import { startServers } from './serve.ts';
import type { Row } from './table.ts';
import { policyOf, scheduledAt } from './world.ts';

const ROUNDS = 25;
const TOKENS = 2;
const HALF_AN_HOUR_MS = 1_800_000;
const CONTEXT = '{getRemainingTimeInMillis:()=>900000}';

/** A process that starts, looks at both systems over TLS, and says what it would do. */
export async function measureCold(): Promise<readonly Row[]> {
  const issued = await issueFirst();
  const servers = await startServers();
  try {
    await servers.seed(issued, TOKENS);
    const { file, environment } = servers.deploy('rotate', policyOf(servers.urls.cluster, TOKENS));
    const load = `const {handler}=require(${JSON.stringify(file)})`;
    const run = (event: object) => `handler(${JSON.stringify(event)},${CONTEXT})`;
    const scheduled = () => scheduledAt(Date.now(), HALF_AN_HOUR_MS);
    const { bare, bySchedule, byHand } = leastOf(ROUNDS, {
      bare: () => nodeCpuMs('0', {}),
      bySchedule: () => nodeCpuMs(load, environment, run({ dryRun: true, scheduled: scheduled() })),
      byHand: () => nodeCpuMs(load, environment, run({ dryRun: true })),
    });
    const row = (what: string, value: number): Row => ({
      figure: `cold dry run of rotate over TLS, ${what} / bare node`,
      unit: 'ms',
      value,
      floor: bare,
      goal: { of: 'floor', atMost: 4.8, noise: 0.05 },
    });
    return [
      {
        ...row("as a schedule's", bySchedule),
        note: `two tokens; CPU of the process until it has its answer, best of ${ROUNDS}`,
      },
      { ...row("as a person's", byHand), note: 'which also reads what its schedule is like' },
    ];
  } finally {
    await servers.close();
  }
}
